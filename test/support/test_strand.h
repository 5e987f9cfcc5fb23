#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <span>
#include <string>
#include <vector>

#include "memory/region.h"
#include "record/encode.h"
#include "record/schema.h"
#include "ring/strand_header.h"
#include "ring/strand_view.h"
#include "ring/strand_words.h"
#include "ring/strand_writer.h"

namespace strand {

/// For GoogleTest's messages.
void PrintTo(Status status, std::ostream* out);
void PrintTo(StreamState state, std::ostream* out);

}  // namespace strand

namespace strand::test {

/// { sequence: u64, payload: large_bytes }: the record of most tests.
std::vector<FieldSpec> payloadFields();
inline constexpr std::size_t kSequence = 0;
inline constexpr std::size_t kPayload = 1;

/// A strand in memory of exactly its size, so that AddressSanitizer sees every byte read or written outside.
class TestStrand {
 public:
  explicit TestStrand(std::uint64_t indexCapacity = 8, std::uint64_t heapCapacity = 256,
                      std::span<const FieldSpec> fields = {});
  /// The strand of that kind in a file, which is made where there is none.
  explicit TestStrand(const std::string& path, std::uint64_t indexCapacity = 8, std::uint64_t heapCapacity = 256);

  [[nodiscard]] StrandWriter writer(std::chrono::nanoseconds patience = {}) const;
  [[nodiscard]] StrandView view() const;

  /// Makes the empty strand one through which `seq` records and `heap` bytes have gone already.
  /// @param base where the present stream began, a multiple of the index capacity
  void startAt(std::uint64_t seq, std::uint64_t heap, std::uint64_t base = 0) const;

  [[nodiscard]] StrandWords words() const { return {region, geometry}; }
  /// A word of the header, to damage it.
  [[nodiscard]] Word32 word32(std::uint32_t offset) const { return {region.data(), offset}; }
  [[nodiscard]] Word64 word64(std::uint32_t offset) const { return {region.data(), offset}; }
  /// Everything that others can see of the strand, to show that nothing has changed.
  [[nodiscard]] std::vector<std::byte> bytes() const { return {region.data(), region.data() + region.size()}; }

  Schema schema;
  Geometry geometry;
  Region region;
};

/// Writes record `seq` of payloadFields() with payload `seq` of `size` bytes; does not block.
Status tryWrite(StrandWriter& writer, std::uint64_t seq, std::size_t size);

/// Writes encoded records as one batch by reserve, advance and publish, without blocking: what there is room
/// for becomes visible.
struct BatchResult {
  Status status = Status::kOk;
  std::uint64_t visible = 0;
};
BatchResult tryWriteBatch(StrandWriter& writer, std::span<const RecordImage> images);

/// Fills a run with as many of the records as fit, as generated code does.
/// @return where each one's payloads end, as advance() takes it
std::vector<std::uint32_t> fillRun(const StrandWriter& writer, const StrandWriter::Run& run,
                                   std::span<const RecordImage> images);

/// Encodes a row for `strand`; the row must fit.
RecordImage encode(const TestStrand& strand, std::span<const Value> row);

/// As StrandView::wait without an end, and without its looks at the process every 10 ms: a wake-up that is lost is a
/// test that never ends.
WaitResult sleepUntilNews(StrandView& view, std::uint64_t after);

/// Until a thread has announced on one of the strand's events that it sleeps, or is about to.
void awaitSleeper(const TestStrand& strand, std::uint32_t eventOffset);

/// Whether the view's record `seq` is what tryWrite(seq, size) wrote.
::testing::AssertionResult holdsRecord(const StrandView& view, std::uint64_t seq, std::size_t size);

}  // namespace strand::test
