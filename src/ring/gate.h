#pragma once

#include <cstdint>

#include "ring/strand_words.h"

namespace strand {

/// The position below which the producer may overwrite: the slowest registered consumer, else READ_CURSOR.
class Gate {
 public:
  Gate() noexcept = default;
  explicit Gate(const StrandWords& words) noexcept : words_(words) {}

  /// The slowest consumer at this moment.
  [[nodiscard]] std::uint64_t slowest() const noexcept;

  /// Publishes the slowest position in GATE, then looks again: a consumer that registers in between either
  /// sees the published GATE (and starts there) or is seen by the second look. The full fence here pairs
  /// with the one in ConsumerSlots::add.
  /// @return the position that the producer may rely on
  [[nodiscard]] std::uint64_t refresh() const noexcept;

 private:
  StrandWords words_;
};

}  // namespace strand
