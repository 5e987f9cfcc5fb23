#include "handle.h"

#include "wait/image.h"

namespace strand::binding {

Handle::Handle(Napi::Env env) noexcept : environment_(Environment::of(env)) { environment_->add(*this); }

Handle::~Handle() {
  disarm();
  environment_->remove(*this);
  for (napi_ref reference : kept_) napi_delete_reference(environment_->env(), reference);
}

void Handle::own(Napi::Object object) noexcept {
  napi_wrap(
      object.Env(), object, this, [](napi_env, void* data, void*) { delete static_cast<Handle*>(data); }, nullptr,
      nullptr);
}

void Handle::addMethod(Napi::Object object, const char* name, napi_callback callback) noexcept {
  const napi_env env = object.Env();
  napi_value function = nullptr;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, this, &function) != napi_ok) return;
  // Keeps the object, and with it the handle, while only the function is held.
  const napi_property_descriptor owner{"owner", nullptr, nullptr, nullptr, nullptr, object, napi_default, nullptr};
  napi_define_properties(env, function, 1, &owner);
  napi_set_named_property(env, object, name, function);
}

void Handle::keep(napi_value object) noexcept {
  napi_ref reference = nullptr;
  if (napi_create_reference(environment_->env(), object, 1, &reference) == napi_ok) kept_.push_back(reference);
}

void Handle::armOn(const wait::EventCount& event) noexcept {
  if (waiter_ || !environment_->canWake()) return;
  if (event.image()) wait::joinImage(*event.image());
  (void)armOn(event.counter().address());
}

bool Handle::armOn(const std::uint32_t* counter) noexcept {
  if (waiter_ || !environment_->canWake()) return false;
  waiter_.emplace(*environment_, counter);
  wait::AsyncTable::instance().add(*waiter_);
  return true;
}

napi_value Handle::fired(napi_env env, napi_callback_info) noexcept {
  napi_value value = nullptr;
  napi_get_boolean(env, waiter_ && waiter_->fired.exchange(false, std::memory_order_acquire), &value);
  return value;
}

void Handle::disarm() noexcept {
  if (!waiter_) return;
  wait::AsyncTable::instance().remove(*waiter_);
  waiter_.reset();
}

}  // namespace strand::binding
