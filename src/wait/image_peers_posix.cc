#include "wait/image.h"

#if !defined(_WIN32)

#include <dlfcn.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include "wait/immortal.h"
#include "wait/loaded_images.h"

namespace strand::wait {
namespace {

using SignalAsync = void (*)(const std::uint32_t*);

const void* imageBase(const void* address) noexcept {
  Dl_info info{};
  return dladdr(address, &info) != 0 ? info.dli_fbase : nullptr;
}

/// The signal functions of the other images. An image found once stays loaded for ever (its handle is kept), so
/// that calling into it is safe after whoever loaded it has unloaded it.
class Peers {
 public:
  void signal(const std::uint32_t* counter) {
    // Read before looking: what is loaded during the search changes it again. An image that has joined a strand
    // was loaded before that, so it is found.
    const std::uint64_t generation = loadedImagesGeneration();
    {
      const std::scoped_lock lock(mutex_);
      if (generation == generation_) {
        signalAll(counter);
        return;
      }
    }
    // The loader's lock is never taken inside ours: a library's initialiser may be waking somebody.
    std::vector<Found> found = search();
    {
      const std::scoped_lock lock(mutex_);
      for (Found& peer : found) {
        if (std::find(functions_.begin(), functions_.end(), peer.function) == functions_.end()) {
          functions_.push_back(peer.function);
          peer.handle = nullptr;  // kept
        }
      }
      generation_ = generation;
      signalAll(counter);
    }
    for (const Found& peer : found) {
      if (peer.handle != nullptr) {
        dlclose(peer.handle);
      }
    }
  }

 private:
  struct Found {
    SignalAsync function;
    void* handle;
  };

  static std::vector<Found> search() {
    static const char here = 0;
    const void* const self = imageBase(&here);
    std::vector<Found> found;
    for (const std::string& path : loadedImagePaths()) {
      void* const handle = dlopen(path.empty() ? nullptr : path.c_str(), RTLD_NOLOAD | RTLD_LAZY);
      if (handle == nullptr) {
        continue;  // unloaded meanwhile, or no file (the kernel's vdso)
      }
      // dlsym also looks into what the image depends on: the same function may be met several times, and ours too.
      void* const symbol = dlsym(handle, kSignalAsyncSymbol);
      if (symbol != nullptr && imageBase(symbol) != self) {
        found.push_back({reinterpret_cast<SignalAsync>(symbol), handle});
      } else {
        dlclose(handle);
      }
    }
    return found;
  }

  void signalAll(const std::uint32_t* counter) const {
    for (const SignalAsync function : functions_) {
      function(counter);
    }
  }

  std::mutex mutex_;
  std::uint64_t generation_ = 0;
  std::vector<SignalAsync> functions_;
};

}  // namespace

void signalOtherImages(const std::uint32_t* counter) noexcept {
  static Immortal<Peers> peers;
  (*peers).signal(counter);
}

}  // namespace strand::wait

#endif
