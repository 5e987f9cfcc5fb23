#include "wait/image.h"

#if !defined(_WIN32)

#include <dlfcn.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "memory/immortal.h"
#include "wait/loaded_images.h"

namespace strand::wait {
namespace {

using SignalAsync = void (*)(const std::uint32_t*);

struct Closer {
  void operator()(void* handle) const noexcept { dlclose(handle); }
};
using Handle = std::unique_ptr<void, Closer>;

Handle openLoaded(const char* path, int flags) noexcept {
  return Handle(dlopen(path, RTLD_NOLOAD | RTLD_LAZY | flags));
}

/// The signal functions of the other images.
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
    const std::vector<SignalAsync> found = search();
    const std::scoped_lock lock(mutex_);
    for (const SignalAsync function : found) {
      if (std::find(functions_.begin(), functions_.end(), function) == functions_.end()) {
        functions_.push_back(function);
      }
    }
    generation_ = generation;
    signalAll(counter);
  }

 private:
  static std::vector<SignalAsync> search() {
    static const char kHere = 0;
    Dl_info self{};
    dladdr(&kHere, &self);
    std::vector<SignalAsync> found;
    for (const std::string& path : loadedImagePaths()) {
      const Handle image = openLoaded(path.empty() ? nullptr : path.c_str(), 0);
      if (!image) {
        continue;  // unloaded meanwhile, or no file (the kernel's vdso)
      }
      // dlsym looks into what the image depends on, too: one function may be met several times, and so may ours.
      void* const symbol = dlsym(image.get(), kSignalAsyncSymbol);
      Dl_info owner{};
      if (symbol == nullptr || dladdr(symbol, &owner) == 0) {
        continue;
      }
      // Images that signal each other are never unloaded, so that no call goes into the void: ours neither, which
      // the others call and which holds this list. (The main program need not be found by this name.)
      (void)openLoaded(owner.dli_fname, RTLD_NODELETE);
      if (owner.dli_fbase != self.dli_fbase) {
        found.push_back(reinterpret_cast<SignalAsync>(symbol));
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
