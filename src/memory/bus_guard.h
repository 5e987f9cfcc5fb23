#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace strand {

/// Survives a mapped file that somebody truncates: touching a page past the end of file raises SIGBUS, which ends a
/// process unless it is handled.
///
/// While a guard lives, a fault inside its range maps zeroed private pages from the faulting page to the range's end (the
/// end of file lies before it, so none of these pages holds data any more), or over all of the range, and sets the
/// guard's flag. The program goes on with zeros, and whoever reads the flag behind the access throws them away. Faults
/// elsewhere go to the handler that was installed before, as if this one were not there. On Windows a mapped file cannot
/// be truncated.
class BusGuard {
 public:
  /// What a fault takes away: the pages that the file has lost, or the whole range, so that words at its start tell
  /// everybody.
  enum class Loses : std::uint8_t { kTheRest, kAll };

  BusGuard() noexcept = default;
  /// Guards `size` bytes at `data`, which are whole pages. @return a guard that is not armed where the system takes no
  /// handler
  static BusGuard over(std::byte* data, std::uint64_t size, bool writable, Loses loses = Loses::kTheRest) noexcept;

  BusGuard(const BusGuard&) = delete;
  BusGuard& operator=(const BusGuard&) = delete;
  BusGuard(BusGuard&& other) noexcept : slot_(std::exchange(other.slot_, nullptr)) {}
  BusGuard& operator=(BusGuard&& other) noexcept {
    std::swap(slot_, other.slot_);
    return *this;
  }
  /// To be destroyed before the range is unmapped.
  ~BusGuard();

  [[nodiscard]] bool armed() const noexcept { return slot_ != nullptr; }
  /// Whether an access has met a page that is gone. Stays so.
  [[nodiscard]] bool tripped() const noexcept;
  /// As if an access to the first byte had met the end of the file.
  void trip() const noexcept;

 private:
  struct Slot;
  explicit BusGuard(Slot* slot) noexcept : slot_(slot) {}
  Slot* slot_ = nullptr;

  friend struct BusGuardTable;
};

}  // namespace strand
