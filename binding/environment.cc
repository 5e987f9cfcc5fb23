#include "environment.h"

#include <algorithm>

#include "handle.h"

namespace strand::binding {

Environment::Environment(napi_env env) noexcept : env_(env) { napi_add_env_cleanup_hook(env_, onCleanup, this); }

Environment::~Environment() {
  if (!cleaned_) {
    napi_remove_env_cleanup_hook(env_, onCleanup, this);
    onCleanup(this);
  }
}

bool Environment::create(napi_env env) noexcept {
  auto holder = std::make_unique<std::shared_ptr<Environment>>(std::make_shared<Environment>(env));
  const auto drop = [](napi_env, void* data, void*) {
    std::unique_ptr<std::shared_ptr<Environment>>(static_cast<std::shared_ptr<Environment>*>(data));
  };
  if (napi_set_instance_data(env, holder.get(), drop, nullptr) != napi_ok) return false;
  (void)holder.release();
  return true;
}

std::shared_ptr<Environment> Environment::of(napi_env env) noexcept {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return *static_cast<std::shared_ptr<Environment>*>(data);
}

napi_value Environment::bufferOf(const SharedFile& file) noexcept {
  napi_value found = nullptr;
  std::erase_if(buffers_, [&](const FileBuffer& known) {
    napi_value buffer = nullptr;
    napi_get_reference_value(env_, known.buffer, &buffer);
    // What keeps the file is gone, and another one may be where it was.
    if (buffer == nullptr) napi_delete_reference(env_, known.buffer);
    if (known.file == &file) found = buffer;
    return buffer == nullptr;
  });
  return found;
}

void Environment::remember(const SharedFile& file, napi_value buffer) noexcept {
  napi_ref reference = nullptr;
  if (napi_create_reference(env_, buffer, 0, &reference) == napi_ok) buffers_.push_back({&file, reference});
}

void Environment::add(Handle& handle) noexcept { handles_.push_back(&handle); }

void Environment::remove(Handle& handle) noexcept { std::erase(handles_, &handle); }

bool Environment::onWake(napi_value callback) noexcept {
  if (wakeFunction_ != nullptr) return true;
  napi_value name = nullptr;
  if (napi_create_string_utf8(env_, "strand", NAPI_AUTO_LENGTH, &name) != napi_ok) return false;
  if (napi_create_threadsafe_function(env_, callback, nullptr, name, 0, 1, nullptr, nullptr, this, onLoop,
                                      &wakeFunction_) != napi_ok) {
    wakeFunction_ = nullptr;
    return false;
  }
  napi_unref_threadsafe_function(env_, wakeFunction_);
  // Hooks run last-in first-out: ours has to come before the function's own, which frees it.
  napi_remove_env_cleanup_hook(env_, onCleanup, this);
  napi_add_env_cleanup_hook(env_, onCleanup, this);
  return true;
}

void Environment::holdLoop(bool hold) noexcept {
  if (wakeFunction_ == nullptr) return;
  if (hold) {
    napi_ref_threadsafe_function(env_, wakeFunction_);
  } else {
    napi_unref_threadsafe_function(env_, wakeFunction_);
  }
}

void Environment::wake() noexcept {
  if (signalled_.exchange(true, std::memory_order_acq_rel)) return;
  napi_call_threadsafe_function(wakeFunction_, nullptr, napi_tsfn_nonblocking);
}

void Environment::onLoop(napi_env env, napi_value callback, void* context, void* /*data*/) noexcept {
  auto* self = static_cast<Environment*>(context);
  // Lowered before the waiters test, so that what happens after their tests signals again.
  self->signalled_.store(false, std::memory_order_release);
  if (env == nullptr || callback == nullptr) return;
  napi_value undefined = nullptr;
  napi_get_undefined(env, &undefined);
  napi_call_function(env, undefined, callback, 0, nullptr, nullptr);
}

void Environment::onCleanup(void* data) noexcept {
  auto* self = static_cast<Environment*>(data);
  self->cleaned_ = true;
  for (Handle* handle : self->handles_) handle->threadEnds();
  wait::AsyncTable::instance().removeAll(*self);
  if (self->wakeFunction_ != nullptr) {
    napi_release_threadsafe_function(self->wakeFunction_, napi_tsfn_abort);
    self->wakeFunction_ = nullptr;
  }
}

}  // namespace strand::binding
