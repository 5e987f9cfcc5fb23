#pragma once

#include <napi.h>

#include <atomic>
#include <memory>
#include <vector>

#include "memory/shared_file.h"
#include "wait/async_table.h"

namespace strand::binding {

class Handle;

/// What the addon keeps for one JavaScript thread: its live handles, and its loop's wake-up function.
///
/// The cleanup hook runs on every end of a worker (exit, throw, terminate, out of memory) and on the natural
/// end of the main thread, while the handles' memory is still there. It tells each handle that its thread is
/// gone; finalizers that run later find nothing left to do.
class Environment final : public wait::AsyncSink {
 public:
  explicit Environment(napi_env env) noexcept;
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() override;

  /// Creates the environment of a thread that loads the addon.
  static bool create(napi_env env) noexcept;
  /// Shared with the handles, whose finalizers may run after the thread's instance data is gone.
  static std::shared_ptr<Environment> of(napi_env env) noexcept;

  [[nodiscard]] napi_env env() const noexcept { return env_; }

  /// The ArrayBuffer over a file's strand, of which this thread has one at a time; undefined without.
  napi_value bufferOf(const SharedFile& file) noexcept;
  void remember(const SharedFile& file, napi_value buffer) noexcept;

  void add(Handle& handle) noexcept;
  void remove(Handle& handle) noexcept;

  /// Registers what the loop calls after a wake-up. → false where the engine refuses
  bool onWake(napi_value callback) noexcept;
  void holdLoop(bool hold) noexcept;
  /// Whether onWake was called, so that asynchronous waits can end.
  [[nodiscard]] bool canWake() const noexcept { return wakeFunction_ != nullptr; }

  /// From any thread, under the table's lock. One signal is outstanding at most.
  void wake() noexcept override;

 private:
  static void onCleanup(void* data) noexcept;
  static void onLoop(napi_env env, napi_value callback, void* context, void* data) noexcept;

  napi_env env_;
  napi_threadsafe_function wakeFunction_ = nullptr;
  std::atomic<bool> signalled_{false};
  std::vector<Handle*> handles_;
  struct FileBuffer {
    const SharedFile* file;
    napi_ref buffer;  ///< weak
  };
  std::vector<FileBuffer> buffers_;
  bool cleaned_ = false;
};

}  // namespace strand::binding
