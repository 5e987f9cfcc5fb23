#pragma once

#include <napi.h>

#include <cstdint>
#include <optional>
#include <type_traits>

#include "environment.h"
#include "mailbox.h"
#include "memory/region.h"
#include "ring/strand_header.h"
#include "wait/async_table.h"
#include "wait/event_count.h"

namespace strand::binding {

/// A native object behind a plain JavaScript object whose methods are functions bound to it: whatever
/// receiver they are called with, they never see another one.
///
/// Lifetime: each function refers to the object and the object owns the handle by its finalizer; the handle
/// refers to the typed arrays that it points into.
class Handle {
 public:
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  virtual ~Handle();

  /// The thread is ending: let go of everything in shared memory. Called once, before any finalizer.
  virtual void threadEnds() noexcept = 0;

  /// Makes the JavaScript object own this handle, which it is the last thing to do with.
  void own(Napi::Object object) noexcept;

  /// Method of every handle: whether its wait was signalled since the last call.
  napi_value fired(napi_env env, napi_callback_info) noexcept;

 protected:
  explicit Handle(Napi::Env env) noexcept;

  template <class H, napi_value (H::*kMethod)(napi_env, napi_callback_info)>
  void method(Napi::Object object, const char* name) noexcept {
    addMethod(object, name, [](napi_env env, napi_callback_info info) -> napi_value {
      void* data = nullptr;
      napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data);
      return (static_cast<H*>(static_cast<Handle*>(data))->*kMethod)(env, info);
    });
  }

  /// Memory of a new typed array that lives as long as the handle.
  template <typename T>
  T* buffer(Napi::Object object, const char* name, std::size_t length) noexcept {
    auto array = Napi::TypedArrayOf<T>::New(object.Env(), length);
    object.Set(name, array);
    keep(static_cast<napi_value>(array));
    return array.Data();
  }

  void keep(napi_value object) noexcept;
  void armOn(const wait::EventCount& event) noexcept;
  /// For words that are no event of this process. → false where the loop cannot be woken, or is waiting already
  bool armOn(const std::uint32_t* counter) noexcept;
  void disarm() noexcept;
  [[nodiscard]] bool armed() const noexcept { return waiter_.has_value(); }
  [[nodiscard]] Environment& environment() const noexcept { return *environment_; }

  Mailbox box_;

 private:
  void addMethod(Napi::Object object, const char* name, napi_callback callback) noexcept;

  std::shared_ptr<Environment> environment_;
  std::vector<napi_ref> kept_;
  std::optional<wait::AsyncWaiter> waiter_;
};

/// Up to `N` arguments of a call.
template <std::size_t N>
class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info) noexcept : env_(env) {
    std::size_t count = N;
    napi_get_cb_info(env, info, &count, values_, nullptr, nullptr);
  }
  [[nodiscard]] napi_value operator[](std::size_t i) const noexcept { return values_[i]; }
  /// A number as a position: nonsense becomes 0.
  [[nodiscard]] std::uint64_t position(std::size_t i) const noexcept {
    double value = 0;
    if (napi_get_value_double(env_, values_[i], &value) != napi_ok || !(value > 0)) return 0;
    constexpr double kMost = 9007199254740992.0;
    return static_cast<std::uint64_t>(value < kMost ? value : kMost);
  }
  [[nodiscard]] std::uint32_t number(std::size_t i) const noexcept {
    const std::uint64_t value = position(i);
    return value > UINT32_MAX ? UINT32_MAX : static_cast<std::uint32_t>(value);
  }
  [[nodiscard]] std::string text(std::size_t i) const noexcept {
    const Napi::Value value(env_, values_[i]);
    return value.IsString() ? value.As<Napi::String>().Utf8Value() : std::string();
  }

 private:
  napi_env env_;
  napi_value values_[N]{};
};

inline napi_value toValue(napi_env env, std::uint32_t number) noexcept {
  napi_value value = nullptr;
  napi_create_uint32(env, number, &value);
  return value;
}

template <class T>
concept Enumeration = std::is_enum_v<T>;

/// A status of any room.
template <Enumeration Status>
napi_value toValue(napi_env env, Status status) noexcept {
  return toValue(env, static_cast<std::uint32_t>(status));
}

inline napi_value toNumber(napi_env env, std::uint64_t number) noexcept {
  napi_value value = nullptr;
  napi_create_double(env, static_cast<double>(number), &value);
  return value;
}

}  // namespace strand::binding
