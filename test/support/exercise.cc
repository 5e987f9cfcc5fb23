#include "support/exercise.h"

#include <algorithm>
#include <array>
#include <vector>

#include "ring/record_cursor.h"
#include "ring/record_snapshot.h"
#include "ring/strand_view.h"
#include "ring/strand_writer.h"
#include "ring/text_stretch.h"

namespace strand::test {
namespace {

constexpr std::uint64_t kMostRecords = 16;

/// Every byte that a value names is read; the sum keeps the compiler from leaving that out.
template <typename Bytes>
std::uint64_t touch(const std::optional<Bytes>& values) {
  std::uint64_t sum = 0;
  if (values) {
    for (const auto& value : *values) sum += static_cast<std::uint64_t>(value != std::decay_t<decltype(value)>{});
  }
  return sum;
}

std::uint64_t readRecord(const RecordCursor& cursor, std::size_t fields) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i <= fields; ++i) {
    sum += cursor.getU8(i).value_or(0) + cursor.getU16(i).value_or(0) + cursor.getU32(i).value_or(0);
    sum += cursor.getU64(i).value_or(0) + cursor.getRef(i).value_or(0);
    sum += static_cast<std::uint64_t>(cursor.getBool(i).value_or(false));
    sum += static_cast<std::uint64_t>(cursor.getI8(i).has_value()) +
           static_cast<std::uint64_t>(cursor.getI16(i).has_value());
    sum += static_cast<std::uint64_t>(cursor.getI32(i).has_value()) +
           static_cast<std::uint64_t>(cursor.getI64(i).has_value());
    sum += static_cast<std::uint64_t>(cursor.getF32(i).has_value()) +
           static_cast<std::uint64_t>(cursor.getF64(i).has_value());
    sum += touch(cursor.getString(i)) + touch(cursor.getJson(i)) + touch(cursor.getBytes(i));
    sum += touch(cursor.getI32Array(i)) + touch(cursor.getU32Array(i)) + touch(cursor.getI64Array(i));
    sum += touch(cursor.getF32Array(i)) + touch(cursor.getF64Array(i));
  }
  return sum;
}

std::uint64_t read(StrandView& view) {
  const std::size_t fields = view.schema().fields().size();
  const WaitResult result = view.wait(0, {});
  const Window window = view.window();
  std::uint64_t sum = static_cast<std::uint64_t>(result.progress) + window.safeFrom;
  RecordCursor cursor(view);
  TextStretch stretch;
  std::vector<std::byte> copy(256);
  std::array<std::uint32_t, 4> ends{};
  const std::uint64_t committed = std::max(window.committed, result.committed);
  for (std::uint64_t i = 0; i < kMostRecords; ++i) {
    const std::uint64_t seq = committed + 1 - i;
    std::uint64_t bytes = 0;
    sum += static_cast<std::uint64_t>(snapshotRecord(view, seq, copy, bytes));
    if (cursor.seek(seq) == Status::kOk) sum += readRecord(cursor, fields);
  }
  const std::uint64_t from = committed - std::min(committed, kMostRecords);
  for (std::size_t i = 0; i < fields; ++i) {
    const Field& field = view.schema().fields()[i];
    const FieldKind kind = field.info().kind;
    if ((kind == FieldKind::kText || kind == FieldKind::kJson) && committed > from) {
      sum += stretch.gather(view, field, from, std::span(ends).first(std::min<std::uint64_t>(4, committed - from)));
    }
    for (const Value& key : {Value(std::int64_t{5}), Value(1e300), Value(~std::uint64_t{0})}) {
      std::int64_t found = 0;
      if (view.findFirst(i, key, found) == Status::kOk) sum += static_cast<std::uint64_t>(found);
    }
  }
  sum += view.effectiveReadCursor() + view.committed() + view.stats().queueDepth + view.errorReason().size();
  return sum + static_cast<std::uint64_t>(view.status());
}

void acknowledge(StrandView& view) {
  ConsumerToken token;
  if (view.registerConsumer(StartAt::kOldest, 0, token) == Status::kOk) {
    (void)view.acknowledge(view.window().committed, token);
    (void)view.releaseConsumer(token);
  }
  (void)view.registerConsumer(StartAt::kLatest, 0, token);
  (void)view.registerConsumer(StartAt::kSeq, view.committed() / 2, token);
  (void)view.acknowledge(view.window().committed);
}

/// A value that goes into the field.
Value valueFor(const Field& field, std::span<const std::byte> bytes) {
  static constexpr std::array<std::int32_t, 2> kI32{1, 2};
  static constexpr std::array<std::uint32_t, 2> kU32{1, 2};
  static constexpr std::array<std::int64_t, 2> kI64{1, 2};
  static constexpr std::array<float, 2> kF32{1, 2};
  static constexpr std::array<double, 2> kF64{1, 2};
  switch (field.type) {
    case FieldType::kI32Array:
      return std::span<const std::int32_t>(kI32);
    case FieldType::kU32Array:
      return std::span<const std::uint32_t>(kU32);
    case FieldType::kI64Array:
      return std::span<const std::int64_t>(kI64);
    case FieldType::kF32Array:
      return std::span<const float>(kF32);
    case FieldType::kF64Array:
      return std::span<const double>(kF64);
    case FieldType::kBytes:
    case FieldType::kLargeBytes:
      return bytes.first(7);
    case FieldType::kFixedBytes:
      return field.width <= bytes.size() ? Value(bytes.first(field.width)) : Value();
    case FieldType::kUtf8:
    case FieldType::kLargeUtf8:
    case FieldType::kJson:
    case FieldType::kLargeJson:
      return std::string_view("\"text\"");
    default:
      return std::int64_t{1};
  }
}

void write(StrandWriter& writer) {
  if (writer.state() == Status::kClosed) return;
  const std::array<std::byte, 64> bytes{};
  const Geometry& geometry = writer.header().geometry;
  std::vector<Value> row;
  for (const Field& field : writer.schema().fields()) row.push_back(valueFor(field, bytes));
  RecordImage image;
  if (encodeRecord(writer.schema(), row, {geometry.heapStart, geometry.heapCapacity}, image).error ==
      EncodeError::kNone) {
    for (int i = 0; i < 3; ++i) (void)writer.publishRecord(image.slot, image.heap, image.alignment);
  }
  StrandWriter::Run run;
  if (writer.reserve({5, {10, 10}, 1000, true}, run) == Status::kOk) {
    std::fill_n(writer.data() + run.slotOffset, std::uint64_t{run.slotCount} * geometry.recordStride, std::byte{0xEE});
    std::fill_n(writer.data() + run.heapOffset, run.heapBytes, std::byte{0xEE});
    const std::vector<std::uint32_t> ends(run.slotCount, 3);
    writer.advance(ends);
    (void)writer.publish();
  }
  writer.abandon();
  std::uint64_t first = 0;
  std::uint64_t offset = 0;
  if (writer.claimSlots(2, first) == Status::kOk) {
    std::fill_n(writer.data() + writer.slotOffset(first), geometry.recordStride, std::byte{0xEE});
    std::fill_n(writer.data() + writer.slotOffset(first + 1), geometry.recordStride, std::byte{0xEE});
    if (writer.claimHeap(9, 8, offset) == Status::kOk) {
      std::fill_n(writer.data() + geometry.heapStart + offset, 9, std::byte{0xEE});
    }
    (void)writer.commitSlots(first, 1);
    (void)writer.commitHeap();
  }
  (void)writer.hasSpace();
  (void)writer.awaitSpace({});
  (void)writer.stats();
  (void)writer.abortReason();
}

}  // namespace

bool exerciseStrand(const Region& region) {
  StrandView view;
  StrandWriter writer;
  Fault fault;
  (void)StrandView::attach(region, view, fault);
  if (!fault.ok()) return false;
  volatile std::uint64_t sum = read(view);
  // The writer has its own look at the header.
  if (StrandWriter::attach(region, {}, writer, fault) == Status::kOk) {
    (void)writer.begin();
    write(writer);
  }
  sum = sum + read(view);
  acknowledge(view);
  write(writer);
  sum = sum + read(view);
  (void)writer.finalize();
  (void)writer.reset();
  view.enter();
  write(writer);
  sum = sum + read(view);
  view.signalAbort("enough");
  (void)writer.abort("done");
  view.close();
  writer.close();
  return true;
}

}  // namespace strand::test
