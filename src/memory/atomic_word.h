#pragma once

#include <atomic>
#include <bit>
#include <cassert>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#if defined(__SANITIZE_THREAD__)
#define STRAND_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define STRAND_TSAN 1
#endif
#endif

/// The one door to shared memory: every word that two threads or processes touch is read and written through
/// an `AtomicWord`, whose method names spell the memory order, and every fence of the core is one of the three
/// below. Bulk bytes (slots, heap) are plain memory, ordered by the words that publish them.
namespace strand {

/// The widths a control word may have.
template <typename T>
concept WordValue = std::same_as<T, std::uint8_t> || std::same_as<T, std::uint32_t> || std::same_as<T, std::uint64_t>;

/// A non-owning reference to a naturally aligned word of shared memory. Like a pointer it is cheap to copy, and
/// its constness says nothing about the word. Valid while the memory behind it is mapped.
template <WordValue T>
class AtomicWord {
  using Ref = std::atomic_ref<T>;
  // A lock would live in one process only, so shared words must not need one.
  static_assert(Ref::is_always_lock_free);
  static_assert(Ref::required_alignment == sizeof(T));

 public:
  using Value = T;

  explicit AtomicWord(T* word) noexcept : word_(word) {
    assert(reinterpret_cast<std::uintptr_t>(word) % sizeof(T) == 0);
  }

  /// The word `offset` bytes after `base`.
  AtomicWord(std::byte* base, std::size_t offset) noexcept : AtomicWord(reinterpret_cast<T*>(base + offset)) {}

  [[nodiscard]] T loadRelaxed() const noexcept { return Ref(*word_).load(std::memory_order_relaxed); }
  [[nodiscard]] T loadAcquire() const noexcept { return Ref(*word_).load(std::memory_order_acquire); }

  void storeRelaxed(T value) const noexcept { Ref(*word_).store(value, std::memory_order_relaxed); }
  void storeRelease(T value) const noexcept { Ref(*word_).store(value, std::memory_order_release); }

  T exchangeAcqRel(T value) const noexcept { return Ref(*word_).exchange(value, std::memory_order_acq_rel); }

  /// Strong compare-and-swap: acquire and release when it succeeds, acquire when it fails; `expected` then
  /// holds the value found.
  [[nodiscard]] bool compareExchange(T& expected, T desired) const noexcept {
    return Ref(*word_).compare_exchange_strong(expected, desired, std::memory_order_acq_rel, std::memory_order_acquire);
  }

  T fetchOrAcqRel(T bits) const noexcept { return Ref(*word_).fetch_or(bits, std::memory_order_acq_rel); }
  T fetchAddRelaxed(T delta) const noexcept { return Ref(*word_).fetch_add(delta, std::memory_order_relaxed); }
  T fetchAddRelease(T delta) const noexcept { return Ref(*word_).fetch_add(delta, std::memory_order_release); }

  /// Moves the word up to `value` and never down (orders as `compareExchange`).
  /// @return whether this call raised it; false where it was already as high.
  bool raiseTo(T value) const noexcept {
    T seen = loadAcquire();
    while (seen < value) {
      if (Ref(*word_).compare_exchange_weak(seen, value, std::memory_order_acq_rel, std::memory_order_acquire)) {
        return true;
      }
    }
    return false;
  }

  [[nodiscard]] T* address() const noexcept { return word_; }

 private:
  T* word_;
};

using Word8 = AtomicWord<std::uint8_t>;
using Word32 = AtomicWord<std::uint32_t>;
using Word64 = AtomicWord<std::uint64_t>;

// GCC warns that ThreadSanitizer does not model fences. It still executes them, and what our fences order is
// atomic words only (or `copyRacy`, below), so it has nothing false to report.
#if defined(STRAND_TSAN) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wtsan"
#endif

/// Sequentially consistent: of two threads that each store, fence, and load the other's word, one sees the store.
inline void fullFence() noexcept { std::atomic_thread_fence(std::memory_order_seq_cst); }
inline void acquireFence() noexcept { std::atomic_thread_fence(std::memory_order_acquire); }
inline void releaseFence() noexcept { std::atomic_thread_fence(std::memory_order_release); }

#if defined(STRAND_TSAN) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

namespace detail {

// The writer that races with copyRacy fills slots and heap with plain stores, at memcpy's speed; ThreadSanitizer
// would report them against an atomic load, which it instruments even where told not to. So under it the loads
// are volatile and uninstrumented; everywhere else they are relaxed atomics, which the compiler may not tear.
#if defined(STRAND_TSAN)
template <typename T>
__attribute__((no_sanitize("thread"), noinline)) T loadRacy(const std::byte* from) noexcept {
  return *reinterpret_cast<const volatile T*>(from);
}
#else
template <typename T>
T loadRacy(const std::byte* from) noexcept {
  auto* word = const_cast<T*>(reinterpret_cast<const T*>(from));  // atomic_ref<const T> is C++26; only loaded
  return std::atomic_ref<T>(*word).load(std::memory_order_relaxed);
}
#endif

}  // namespace detail

/// Loads one value that another thread may be overwriting; what copyRacy says of the result holds for this one too.
/// `from` is aligned to the smaller of the value's size and 4: a value of 8 bytes at an odd multiple of 4 is two loads.
template <typename T>
requires(std::is_trivially_copyable_v<T> && (sizeof(T) == 1 || sizeof(T) == 2 || sizeof(T) == 4 ||
                                             sizeof(T) == 8)) inline T readRacy(const std::byte* from) noexcept {
  if constexpr (sizeof(T) == 1) {
    return std::bit_cast<T>(detail::loadRacy<std::uint8_t>(from));
  } else if constexpr (sizeof(T) == 2) {
    return std::bit_cast<T>(detail::loadRacy<std::uint16_t>(from));
  } else if constexpr (sizeof(T) == 4) {
    return std::bit_cast<T>(detail::loadRacy<std::uint32_t>(from));
  } else {
    if (reinterpret_cast<std::uintptr_t>(from) % sizeof(T) == 0) {
      return std::bit_cast<T>(detail::loadRacy<std::uint64_t>(from));
    }
    const std::uint64_t low = detail::loadRacy<std::uint32_t>(from);
    const std::uint64_t high = detail::loadRacy<std::uint32_t>(from + 4);
    return std::bit_cast<T>(low | high << 32);
  }
}

/// Copies `size` bytes that another thread may be overwriting. The copy may mix old and new bytes: the caller
/// throws it away unless, behind an `acquireFence()`, the writer's announced position shows that it had not come
/// this far. `to` is private memory.
inline void copyRacy(void* to, const void* from, std::size_t size) noexcept {
  auto* out = static_cast<std::byte*>(to);
  const auto* in = static_cast<const std::byte*>(from);
  const auto copyOne = [&]<typename Word>(Word) {
    const auto word = detail::loadRacy<Word>(in);
    std::memcpy(out, &word, sizeof word);
    in += sizeof word;
    out += sizeof word;
    size -= sizeof word;
  };
  const auto misaligned = [&](std::size_t bytes) { return (reinterpret_cast<std::uintptr_t>(in) & bytes) != 0; };
  if (size >= 1 && misaligned(1)) copyOne(std::uint8_t{});
  if (size >= 2 && misaligned(2)) copyOne(std::uint16_t{});
  if (size >= 4 && misaligned(4)) copyOne(std::uint32_t{});
  // Where fewer bytes were left than the next alignment step needs, what follows is not aligned to 8, and shorter.
  while (size >= 8) copyOne(std::uint64_t{});
  if (size >= 4) copyOne(std::uint32_t{});
  if (size >= 2) copyOne(std::uint16_t{});
  if (size >= 1) copyOne(std::uint8_t{});
}

}  // namespace strand
