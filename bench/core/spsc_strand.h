#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>

#include "record.h"
#include "record/metadata.h"
#include "ring/strand_header.h"
#include "ring/strand_view.h"
#include "ring/strand_writer.h"
#include "spsc_peers.h"

namespace bench {

/// Ours. Both sides spin for a moment and then sleep.
class StrandRing {
 public:
  static constexpr bool kHasRuns = true;
  static constexpr bool kHasDrainAll = true;

  /// Attaches on the main thread: a spinner that is made on a pinned thread knows of one core and
  /// never spins.
  explicit StrandRing(std::size_t capacity) {
    const std::array<strand::FieldSpec, 4> fields{{
        {"sequence", strand::FieldType::kU64},
        {"price", strand::FieldType::kF64},
        {"id", strand::FieldType::kU32},
        {"ratio", strand::FieldType::kF32},
    }};
    strand::Schema schema;
    strand::Geometry geometry;
    orDie(strand::Schema::build(fields, schema));
    orDie(strand::computeGeometry(schema, capacity, 0, 0, geometry));
    if (geometry.recordStride != sizeof(Record)) die("the strand lays the record out otherwise");
    const strand::Region region = strand::Region::allocate(geometry.totalBytes);
    orDie(strand::writeHeader(region, schema, geometry, strand::composeMetadata(schema, "")));
    strand::Fault fault;
    orDie(strand::StrandWriter::attach(region, std::chrono::seconds(1), writer_, fault));
    orDie(writer_.begin());
    orDie(strand::StrandView::attach(region, view_, fault));
  }

  void push(const Record& record) noexcept {
    const auto bytes = std::as_bytes(std::span(&record, 1));
    retry([&] { return writer_.publishRecord(bytes, {}, 1); });
  }

  void pushRun(std::uint64_t first) noexcept {
    for (std::uint64_t next = first; next < first + kRun;) {
      strand::StrandWriter::BatchNeed need;
      need.remaining = first + kRun - next;
      strand::StrandWriter::Run run;
      retry([&] { return writer_.reserve(need, run); });
      std::byte* slot = writer_.data() + run.slotOffset;
      for (std::uint32_t i = 0; i < run.slotCount; ++i, slot += sizeof(Record)) {
        std::construct_at(reinterpret_cast<Record*>(slot), makeRecord(next++));
      }
      writer_.advance(run.slotCount);
    }
    orDie(writer_.publish());
  }

  /// A token belongs to the thread that registers.
  void beginConsuming() noexcept { orDie(view_.registerConsumer(strand::StartAt::kOldest, 0, token_)); }
  void endConsuming() noexcept { orDie(view_.releaseConsumer(token_)); }

  template <class Visit>
  void drainOne(Visit& visit) noexcept {
    if (next_ == committed_) committed_ = view_.wait(next_, strand::wait::kForever).committed;
    visitSlot(view_.slot(next_++).data(), visit);
    orDie(view_.acknowledge(next_, token_));
  }

  template <class Visit>
  void drainAll(Visit& visit) noexcept {
    committed_ = view_.wait(next_, strand::wait::kForever).committed;
    while (next_ < committed_) {
      // Slots lie one behind the other up to the ring's last.
      const std::uint64_t count = std::min(committed_ - next_, view_.slotsToEnd(next_));
      const std::byte* slot = view_.slot(next_).data();
      for (std::uint64_t i = 0; i < count; ++i, slot += sizeof(Record)) visitSlot(slot, visit);
      next_ += count;
    }
    orDie(view_.acknowledge(next_, token_));
  }

 private:
  template <class Visit>
  static void visitSlot(const std::byte* slot, Visit& visit) noexcept {
    Record record{};
    std::memcpy(&record, slot, sizeof(record));
    visit(record);
  }

  template <class Call>
  void retry(Call&& call) noexcept {
    strand::Status status = call();
    while (status == strand::Status::kWouldBlock) {
      writer_.awaitSpace(strand::wait::kForever);
      status = call();
    }
    orDie(status);
  }

  [[noreturn]] static void die(const char* message) noexcept {
    std::fprintf(stderr, "%s\n", message);
    std::abort();
  }
  static void orDie(const strand::Fault& fault) noexcept {
    if (!fault.ok()) die(fault.message.c_str());
  }
  static void orDie(strand::Status status) noexcept {
    if (status != strand::Status::kOk) die("the strand refused a call");
  }

  strand::StrandWriter writer_;
  // The two sides belong to different threads and must not share a cache line.
  alignas(128) strand::StrandView view_;
  strand::ConsumerToken token_;
  std::uint64_t next_ = 0;
  std::uint64_t committed_ = 0;
};

}  // namespace bench
