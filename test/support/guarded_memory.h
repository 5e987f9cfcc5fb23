#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <new>

#include "memory/region.h"

namespace strand::test {

/// Memory that ends at a page nobody may touch, and begins behind another: in any build a byte read or written
/// outside it ends the process (up to 7 bytes of alignment aside).
class GuardedMemory {
 public:
  explicit GuardedMemory(std::size_t size) : size_(size) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t inner = (size + page - 1) / page * page;
    mapped_ = inner + 2 * page;
    base_ = mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base_ == MAP_FAILED) throw std::bad_alloc();
    auto* const first = static_cast<std::byte*>(base_) + page;
    if (mprotect(first, inner, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
    data_ = first + inner - (size + 7) / 8 * 8;
  }
  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;
  ~GuardedMemory() { munmap(base_, mapped_); }

  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] Region region() const noexcept { return {data_, size_}; }

 private:
  std::size_t size_;
  std::size_t mapped_ = 0;
  void* base_ = nullptr;
  std::byte* data_ = nullptr;
};

}  // namespace strand::test
