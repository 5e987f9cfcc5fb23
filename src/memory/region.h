#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include "memory/shared_file.h"

namespace strand {

/// Shared memory that holds a strand, and whatever keeps that memory alive.
class Region {
 public:
  Region() noexcept = default;
  /// `keeper` is held until the last copy of the region is gone; `data` must be aligned to 8.
  Region(std::byte* data, std::uint64_t size, std::shared_ptr<void> keeper = {}) noexcept
      : data_(data), size_(size), keeper_(std::move(keeper)) {}
  /// Memory that other processes share.
  explicit Region(std::shared_ptr<SharedFile> file) noexcept
      : data_(file->data()), size_(file->size()), file_(file.get()), keeper_(std::move(file)) {}

  /// Zeroed memory of this process, for C++ threads.
  static Region allocate(std::uint64_t size) noexcept {
    constexpr std::align_val_t kAlignment{128};
    auto* data = static_cast<std::byte*>(::operator new(size, kAlignment, std::nothrow));
    if (data == nullptr) return {};
    std::fill_n(data, size, std::byte{0});
    return {data, size, std::shared_ptr<void>(data, [](void* p) { ::operator delete(p, kAlignment); })};
  }

  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  /// Null for memory of this process alone.
  [[nodiscard]] SharedFile* file() const noexcept { return file_; }
  /// Whether the memory was taken away from under us.
  [[nodiscard]] bool gone() const noexcept { return file_ != nullptr && file_->gone(); }

 private:
  std::byte* data_ = nullptr;
  std::uint64_t size_ = 0;
  SharedFile* file_ = nullptr;
  std::shared_ptr<void> keeper_;
};

}  // namespace strand
