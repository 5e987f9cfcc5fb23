#include "support/test_strand.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <ostream>
#include <stdexcept>
#include <thread>

#include "memory/little_endian.h"
#include "record/metadata.h"
#include "ring/record_cursor.h"
#include "ring/strand_file.h"
#include "support/payload.h"

namespace strand {

void PrintTo(Status status, std::ostream* out) {
  constexpr std::array kNames{"kOk",           "kWouldBlock",    "kAborted",   "kFenced",        "kClosed",
                              "kEnded",        "kClaimsOpen",    "kBatchOpen", "kOutOfOrder",    "kUnsatisfiable",
                              "kHeapTooSmall", "kPositionLimit", "kBusy",      "kReset",         "kPastCommitted",
                              "kBehind",       "kNotCommitted",  "kBadToken",  "kTokenRequired", "kNoVacantSlot",
                              "kBadField"};
  *out << kNames.at(static_cast<std::size_t>(status));
}

void PrintTo(StreamState state, std::ostream* out) {
  constexpr std::array kNames{"kInitializing", "kStreaming", "kEos", "kError"};
  *out << kNames.at(static_cast<std::size_t>(state));
}

namespace test {
namespace {

void require(const Fault& fault) {
  if (!fault.ok()) throw std::runtime_error(fault.message);
}

}  // namespace

std::vector<FieldSpec> payloadFields() { return {{"sequence", FieldType::kU64}, {"payload", FieldType::kLargeBytes}}; }

TestStrand::TestStrand(std::uint64_t indexCapacity, std::uint64_t heapCapacity, std::span<const FieldSpec> fields) {
  const std::vector<FieldSpec> standard = payloadFields();
  require(Schema::build(fields.empty() ? standard : fields, schema));
  require(computeGeometry(schema, indexCapacity, heapCapacity, 0, geometry));
  region = Region::allocate(geometry.totalBytes);
  require(writeHeader(region, schema, geometry, composeMetadata(schema, {})));
}

TestStrand::TestStrand(const std::string& path, std::uint64_t indexCapacity, std::uint64_t heapCapacity) {
  require(Schema::build(payloadFields(), schema));
  require(computeGeometry(schema, indexCapacity, heapCapacity, 0, geometry));
  const StrandPlan plan{schema, geometry, composeMetadata(schema, {})};
  Fault fault;
  region = openStrandFile(path, &plan, fault);
  require(fault);
}

StrandWriter TestStrand::writer(std::chrono::nanoseconds patience) const {
  StrandWriter writer;
  Fault fault;
  const Status status = StrandWriter::attach(region, patience, writer, fault);
  require(fault);
  if (status != Status::kOk) throw std::runtime_error("the writer could not attach");
  return writer;
}

StrandView TestStrand::view() const {
  StrandView view;
  Fault fault;
  (void)StrandView::attach(region, view, fault);
  require(fault);
  return view;
}

void TestStrand::startAt(std::uint64_t seq, std::uint64_t heap, std::uint64_t base) const {
  const StrandWords w = words();
  w.base().storeRelease(base);
  for (const Word64 word : {w.writeSeq(), w.commitSeq(), w.readCursor(), w.gate()}) {
    word.storeRelease(seq);
  }
  w.heapWrite().storeRelease(heap);
  w.heapCommit().storeRelease(heap);
}

RecordImage encode(const TestStrand& strand, std::span<const Value> row) {
  RecordImage image;
  const EncodeFault fault =
      encodeRecord(strand.schema, row, {strand.geometry.heapStart, strand.geometry.heapCapacity}, image);
  if (fault.error != EncodeError::kNone) throw std::runtime_error("the row does not fit");
  return image;
}

Status tryWrite(StrandWriter& writer, std::uint64_t seq, std::size_t size) {
  const std::vector<std::byte> payload = makePayload(seq, size);
  const Value row[] = {seq, std::span(payload)};
  const Geometry& geometry = writer.header().geometry;
  RecordImage image;
  const EncodeFault fault = encodeRecord(writer.schema(), row, {geometry.heapStart, geometry.heapCapacity}, image);
  if (fault.error != EncodeError::kNone) return Status::kBadField;
  return writer.publishRecord(image.slot, image.heap, image.alignment);
}

std::vector<std::uint32_t> fillRun(const StrandWriter& writer, const StrandWriter::Run& run,
                                   std::span<const RecordImage> images) {
  const Geometry& geometry = writer.header().geometry;
  std::vector<std::uint32_t> ends;
  std::uint64_t at = run.heapOffset - geometry.heapStart;
  const std::uint64_t heapEnd = at + run.heapBytes;
  for (const RecordImage& image : images.first(std::min<std::size_t>(run.slotCount, images.size()))) {
    std::byte* const slot = writer.data() + run.slotOffset + ends.size() * geometry.recordStride;
    const std::uint64_t begin = layout::alignUp(at, image.alignment);
    if (!image.heap.empty() && begin + image.heap.size() > heapEnd) break;
    std::memcpy(slot, image.slot.data(), image.slot.size());
    if (!image.heap.empty()) {
      std::memcpy(writer.data() + geometry.heapStart + begin, image.heap.data(), image.heap.size());
      relocatePointers(writer.schema().heapPointers(), slot, static_cast<std::uint32_t>(begin));
      at = begin + image.heap.size();
    }
    // Without a heap there is nothing to count from.
    ends.push_back(geometry.heapCapacity == 0 ? 0
                                              : static_cast<std::uint32_t>(geometry.heapStart + at - run.heapOffset));
  }
  return ends;
}

BatchResult tryWriteBatch(StrandWriter& writer, std::span<const RecordImage> images) {
  std::size_t done = 0;
  while (done < images.size()) {
    const std::uint64_t bytes = images[done].heap.size();
    const HeapRing::Need need{bytes == 0 ? 0 : bytes + images[done].alignment - 1, bytes};
    StrandWriter::Run run;
    const Status status = writer.reserve({images.size() - done, need, bytes * 2, true}, run);
    if (status != Status::kOk) {
      (void)writer.publish();
      return {status, writer.publishedInBatch()};
    }
    const std::vector<std::uint32_t> ends = fillRun(writer, run, images.subspan(done));
    if (ends.empty()) throw std::logic_error("a run without room for the record that asked");
    writer.advance(ends);
    done += ends.size();
  }
  const Status status = writer.publish();
  return {status, writer.publishedInBatch()};
}

WaitResult sleepUntilNews(StrandView& view, std::uint64_t after) {
  wait::Spinner spinner;
  WaitResult result;
  if (after == 0) view.enter();
  const auto news = [&] {
    result = view.check(after);
    return result.progress != Progress::kPending;
  };
  (void)view.dataEvent().await(news, wait::kForever, spinner);
  return result;
}

void awaitSleeper(const TestStrand& strand, std::uint32_t eventOffset) {
  while (strand.word32(eventOffset + 4).loadAcquire() == 0) std::this_thread::yield();
}

::testing::AssertionResult holdsRecord(const StrandView& view, std::uint64_t seq, std::size_t size) {
  RecordCursor cursor(view);
  if (const Status status = cursor.seek(seq); status != Status::kOk) {
    return ::testing::AssertionFailure() << "seek(" << seq << ") says " << ::testing::PrintToString(status);
  }
  const auto number = cursor.getU64(kSequence);
  if (number != seq) {
    return ::testing::AssertionFailure() << "record " << seq << " says that it is record " << number.value_or(~0ULL);
  }
  const auto payload = cursor.getBytes(kPayload);
  if (!payload || payload->size() != size || !isPayload(seq, *payload)) {
    return ::testing::AssertionFailure() << "the payload of record " << seq << " is damaged";
  }
  return ::testing::AssertionSuccess();
}

}  // namespace test
}  // namespace strand
