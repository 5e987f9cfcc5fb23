#include "text_sink.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace strand::binding {

std::uint32_t TextSink::putText(napi_env env, napi_value text, std::uint64_t at) const noexcept {
  const std::span<std::byte> target = room(at);
  std::size_t written = 0;
  if (target.empty()) return 0;
  napi_get_value_string_utf8(env, text, reinterpret_cast<char*>(target.data()), target.size(), &written);
  return static_cast<std::uint32_t>(written);
}

std::uint32_t TextSink::putExactText(napi_env env, napi_value text, std::uint64_t at) const noexcept {
  const std::span<std::byte> target = room(at);
  std::size_t length = 0;
  if (napi_get_value_string_utf8(env, text, nullptr, 0, &length) != napi_ok) return 0;
  std::vector<char> copy(length + 1);
  napi_get_value_string_utf8(env, text, copy.data(), copy.size(), &length);
  length = std::min(length, target.size());
  if (length != 0) std::memcpy(target.data(), copy.data(), length);
  return static_cast<std::uint32_t>(length);
}

double TextSink::putBytes(napi_env env, napi_value array, std::uint64_t at, std::uint64_t end) const noexcept {
  constexpr std::size_t kElementSizes[]{1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
  napi_typedarray_type type = napi_int8_array;
  std::size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, array, &type, &length, &data, nullptr, nullptr) != napi_ok) return 0;
  const auto index = static_cast<std::size_t>(type);
  const std::size_t bytes = length * (index < std::size(kElementSizes) ? kElementSizes[index] : 1);
  const std::span<std::byte> target = room(at);
  if (bytes != 0 && data != nullptr && bytes <= target.size() && at + bytes <= end) {
    std::memcpy(target.data(), data, bytes);
  }
  return static_cast<double>(bytes);
}

}  // namespace strand::binding
