#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "ring/status.h"
#include "ring/strand_view.h"

namespace strand {

/// Copies a record that the producer may overwrite meanwhile into private memory: its slot, then its payloads,
/// each aligned to 8 from the start, with pointers that count from behind the slot.
/// @param bytes what the copy takes; nothing is copied where `target` is smaller
/// @return kOk, kNotCommitted, kReset, or kBehind where the record was not intact to the end of the copying
Status snapshotRecord(const StrandView& view, std::uint64_t seq, std::span<std::byte> target,
                      std::uint64_t& bytes) noexcept;

}  // namespace strand
