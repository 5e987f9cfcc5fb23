#include "file_lock_binding.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "convert.h"
#include "handle.h"
#include "memory/mapped_file.h"

namespace strand::binding {
namespace {

/// The number of the one lock that the file is there for.
constexpr std::uint64_t kFileLock = 0;

/// A locked file.
class FileLockHandle final : public Handle {
 public:
  FileLockHandle(Napi::Env env, OpenFile file) noexcept : Handle(env), file_(std::move(file)) {}
  ~FileLockHandle() override { unlock(); }
  FileLockHandle(const FileLockHandle&) = delete;
  FileLockHandle& operator=(const FileLockHandle&) = delete;

  /// The next one need not wait for a collection.
  void threadEnds() noexcept override { unlock(); }

  void expose(Napi::Object object) noexcept { method<FileLockHandle, &FileLockHandle::release>(object, "release"); }

 private:
  napi_value release(napi_env, napi_callback_info) {
    unlock();
    return nullptr;
  }

  void unlock() noexcept {
    if (!file_.isOpen()) return;
    // To close the file is not enough: a child that is being forked has it open, too, until it runs its own program.
    file_.unlock(kFileLock);
    file_ = OpenFile();
  }

  /// Not open once it is released.
  OpenFile file_;
};

}  // namespace

Napi::Value takeFileLock(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string path = info[0].IsString() ? info[0].As<Napi::String>().Utf8Value() : std::string();
  Fault fault;
  OpenFile file = OpenFile::open(path, OpenFile::Access::kCreate, fault);
  // What the file holds does not matter, so that one of another kind is no question of its format.
  if (!fault.ok()) return toFault(env, Fault::file(fault.message));
  if (!file.lock(kFileLock, fault)) return fault.ok() ? env.Undefined() : toFault(env, fault);
  Napi::Object object = Napi::Object::New(env);
  auto handle = std::make_unique<FileLockHandle>(env, std::move(file));
  handle->expose(object);
  handle.release()->own(object);
  return object;
}

}  // namespace strand::binding
