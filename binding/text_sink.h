#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace strand::binding {

/// Memory that JavaScript strings and typed arrays are copied into: a run of heap, or private scratch. Offsets
/// count from `origin`; nothing outside [begin, end) is ever written.
class TextSink {
 public:
  void set(std::byte* origin, std::uint64_t begin, std::uint64_t end) noexcept {
    origin_ = origin;
    begin_ = begin;
    end_ = end;
  }

  /// Writes a string as UTF-8, lone surrogates as U+FFFD. The engine ends it with a zero byte of its own, so one
  /// byte more than the text needs has to be free.
  /// @return bytes written
  std::uint32_t putText(napi_env env, napi_value text, std::uint64_t at) const noexcept;
  /// The same where the room is exact; goes through private memory.
  std::uint32_t putExactText(napi_env env, napi_value text, std::uint64_t at) const noexcept;

  /// Copies a typed array if it ends before `end`.
  /// @return its bytes
  double putBytes(napi_env env, napi_value array, std::uint64_t at, std::uint64_t end) const noexcept;

 private:
  [[nodiscard]] std::span<std::byte> room(std::uint64_t at) const noexcept {
    if (at < begin_ || at >= end_) return {};
    return {origin_ + at, static_cast<std::size_t>(end_ - at)};
  }

  std::byte* origin_ = nullptr;
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;
};

}  // namespace strand::binding
