#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace strand::binding {

/// Places in the mailbox of doubles through which hot calls take arguments and leave results. TypeScript gets
/// the numbers by these names.
enum class Box : std::uint32_t {
  // writer, in
  kInDone,
  kInRemaining,
  kInNeedAnywhere,
  kInNeedAtStart,
  kInHint,
  kInPartial,
  kInHeapBytes,
  kInAlignment,
  kInInsertAt,
  kInInsertBytes,
  kInMillis,
  kInAt,
  kInEnd,
  // writer, out
  kOutSlot,
  kOutSlotCount,
  kOutHeap,
  kOutHeapBytes,
  kOutPublished,
  kOutSeq,
  // view, in
  kInAfter,
  kInUpTo,
  kInToken,
  kInAgain,
  kInSkip,
  kInFrom,
  // view, out
  kOutProgress,
  kOutCommitted,
  kOutWindow,
  kOutSafe,
  kOutEpoch,
  kOutGate,
  kOutToken,
  kOutCount,
  kOutBytes,
  kOutSkip,
  // log, in
  kInBytes,
  kInMessages,
  kInChecks,
  // log, out
  kOutNext,
  kOutRoom,
  kOutBase,
  kOutCursor,
  // registry, in
  kInKey,
  kInTicket,
  kInVersion,
  kInJoins,
  kInPresent,
  kInWriter,
  kInPlace,
  // registry, out
  kOutVersion,
  kOutWriter,
  kOutTicket,
  kOutOthers,
  kOutJoins,
  kOutPlace,
  kSize,
};

inline constexpr std::array<std::string_view, static_cast<std::size_t>(Box::kSize)> kBoxNames{
    "IN_DONE",       "IN_REMAINING", "IN_NEED_ANYWHERE", "IN_NEED_AT_START", "IN_HINT",        "IN_PARTIAL",
    "IN_HEAP_BYTES", "IN_ALIGNMENT", "IN_INSERT_AT",     "IN_INSERT_BYTES",  "IN_MILLIS",      "IN_AT",
    "IN_END",        "OUT_SLOT",     "OUT_SLOT_COUNT",   "OUT_HEAP",         "OUT_HEAP_BYTES", "OUT_PUBLISHED",
    "OUT_SEQ",       "IN_AFTER",     "IN_UP_TO",         "IN_TOKEN",         "IN_AGAIN",       "IN_SKIP",
    "IN_FROM",       "OUT_PROGRESS", "OUT_COMMITTED",    "OUT_WINDOW",       "OUT_SAFE",       "OUT_EPOCH",
    "OUT_GATE",      "OUT_TOKEN",    "OUT_COUNT",        "OUT_BYTES",        "OUT_SKIP",       "IN_BYTES",
    "IN_MESSAGES",   "IN_CHECKS",    "OUT_NEXT",         "OUT_ROOM",         "OUT_BASE",       "OUT_CURSOR",
    "IN_KEY",        "IN_TICKET",    "IN_VERSION",       "IN_JOINS",         "IN_PRESENT",     "IN_WRITER",
    "IN_PLACE",      "OUT_VERSION",  "OUT_WRITER",       "OUT_TICKET",       "OUT_OTHERS",     "OUT_JOINS",
    "OUT_PLACE"};
static_assert(!kBoxNames.back().empty(), "every place has a name");

/// The mailbox of one handle: memory of a JavaScript Float64Array.
class Mailbox {
 public:
  void attach(double* values) noexcept { values_ = values; }

  void set(Box place, std::uint64_t value) noexcept { values_[index(place)] = static_cast<double>(value); }
  void set(Box place, std::int64_t value) noexcept { values_[index(place)] = static_cast<double>(value); }
  [[nodiscard]] double number(Box place) const noexcept { return values_[index(place)]; }

  /// A count or position; nonsense becomes 0, what is too large 2^53.
  [[nodiscard]] std::uint64_t count(Box place) const noexcept {
    constexpr double kMost = 9007199254740992.0;
    const double value = values_[index(place)];
    if (!(value > 0)) return 0;
    return static_cast<std::uint64_t>(value < kMost ? value : kMost);
  }
  [[nodiscard]] std::uint32_t count32(Box place) const noexcept {
    const std::uint64_t value = count(place);
    return value > UINT32_MAX ? UINT32_MAX : static_cast<std::uint32_t>(value);
  }

 private:
  static constexpr std::size_t index(Box place) noexcept { return static_cast<std::size_t>(place); }
  double* values_ = nullptr;
};

}  // namespace strand::binding
