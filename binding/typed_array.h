#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace strand::binding {

/// Bytes of a typed array of any class as they are now; empty for anything else, and once it is detached.
inline std::span<std::byte> rawBytesOf(napi_env env, napi_value array) noexcept {
  constexpr std::size_t kElementSizes[]{1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
  napi_typedarray_type type = napi_int8_array;
  std::size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, array, &type, &length, &data, nullptr, nullptr) != napi_ok) return {};
  const auto index = static_cast<std::size_t>(type);
  if (data == nullptr || index >= std::size(kElementSizes)) return {};
  return {static_cast<std::byte*>(data), length * kElementSizes[index]};
}

/// Elements of a typed array whose own are as large as `T`.
template <typename T>
std::span<T> elementsOf(napi_env env, napi_value array) noexcept {
  const std::span<std::byte> bytes = rawBytesOf(env, array);
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(T) != 0) return {};
  return {reinterpret_cast<T*>(bytes.data()), bytes.size() / sizeof(T)};
}

}  // namespace strand::binding
