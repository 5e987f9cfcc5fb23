#include "ring/column_writer.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "kernels/strided.h"
#include "layout/strand_layout.h"
#include "memory/little_endian.h"
#include "wait/shutdown.h"

namespace strand {
namespace {

using Form = ColumnSource::Form;

/// Slots that are filled column by column before the next ones: few enough to stay in a core's own cache.
constexpr std::uint32_t kBlockBytes = 64 * 1024;
constexpr std::uint32_t kMaxBlock = 4096;

bool present(const ColumnSource& source, std::uint64_t record) noexcept {
  return source.form != Form::kLeftOut && (source.validity.empty() || kernels::bitAt(source.validity, record));
}

/// Bytes of a value that is present, in a packed or listed column.
std::span<const std::byte> payloadOf(const ColumnSource& source, std::uint32_t elementSize,
                                     std::uint64_t record) noexcept {
  if (source.form == Form::kList) return source.list[record];
  const auto begin = static_cast<std::size_t>(source.offsets[record]);
  const auto end = static_cast<std::size_t>(source.offsets[record + 1]);
  return source.values.subspan(begin * elementSize, (end - begin) * elementSize);
}

void storePointer(std::byte* at, bool wide, std::uint64_t offset, std::uint64_t length) noexcept {
  storeLittle(at, static_cast<std::uint32_t>(offset));
  if (wide) {
    storeLittle(at + 4, static_cast<std::uint32_t>(length));
  } else {
    storeLittle(at + 4, static_cast<std::uint16_t>(length));
  }
}

/// Payloads are short more often than not; a call costs more than they do.
void copyPayload(std::byte* to, std::span<const std::byte> from) noexcept {
  const std::size_t size = from.size();
  if (size > 32 || size < 8) {
    if (size != 0) std::memcpy(to, from.data(), size);
  } else if (size <= 16) {
    std::uint64_t head = 0;
    std::uint64_t tail = 0;
    std::memcpy(&head, from.data(), 8);
    std::memcpy(&tail, from.data() + size - 8, 8);
    std::memcpy(to, &head, 8);
    std::memcpy(to + size - 8, &tail, 8);
  } else {
    std::byte head[16];
    std::byte tail[16];
    std::memcpy(head, from.data(), 16);
    std::memcpy(tail, from.data() + size - 16, 16);
    std::memcpy(to, head, 16);
    std::memcpy(to + size - 16, tail, 16);
  }
}

}  // namespace

ColumnBatch::ColumnBatch(StrandWriter& writer, std::span<const ColumnSource> columns, std::uint64_t count) noexcept
    : writer_(&writer), columns_(columns), count_(count) {
  const Schema& schema = writer.schema();
  bitmap_.resize(schema.bitmapBytes());
  for (std::size_t i = 0; i < schema.fields().size(); ++i) {
    const Field& field = schema.fields()[i];
    const FieldTypeInfo& info = field.info();
    if (info.inHeap()) payloads_.push_back({i, &columns[i], info.elementSize, field.offset, info.wide(), false});
    if (field.nullableBit < 0 || columns[i].form == Form::kLeftOut || !columns[i].validity.empty()) continue;
    const auto bit = static_cast<std::uint32_t>(field.nullableBit);
    bitmap_[bit / 8] |= std::byte{1} << (bit % 8);
  }
}

ColumnFault ColumnBatch::checkPayloads(PayloadColumn& column, std::uint64_t& longest) noexcept {
  const ColumnSource& source = *column.source;
  const std::uint64_t most = writer_->schema().fields()[column.field].info().maxPayload();
  const std::uint64_t elements = source.values.size() / column.elementSize;
  column.contiguous = source.form == Form::kPacked;
  std::uint64_t total = 0;
  for (std::uint64_t i = 0; i < count_; ++i) {
    std::uint64_t bytes = 0;
    if (source.form == Form::kPacked) {
      const std::int64_t begin = source.offsets[i];
      const std::int64_t end = source.offsets[i + 1];
      if (begin < 0 || end < begin || static_cast<std::uint64_t>(end) > elements) {
        return {ColumnError::kBadOffsets, column.field, i, 0};
      }
      bytes = static_cast<std::uint64_t>(end - begin) * column.elementSize;
    } else {
      bytes = source.list[i].size();
    }
    if (bytes != 0 && !present(source, i)) {
      column.contiguous = false;
      continue;
    }
    if (bytes > most) return {ColumnError::kTooLong, column.field, i, bytes};
    longest = std::max(longest, bytes);
    total += bytes;
  }
  heapLeft_ += total + count_ * (column.elementSize - 1);
  return {};
}

ColumnFault ColumnBatch::checkRecords() const noexcept {
  const Geometry& geometry = writer_->header().geometry;
  for (std::uint64_t i = 0; i < count_; ++i) {
    std::uint64_t end = geometry.heapStart;
    for (const PayloadColumn& column : payloads_) {
      if (!present(*column.source, i)) continue;
      end = layout::alignUp(end, column.elementSize) + payloadOf(*column.source, column.elementSize, i).size();
      const std::uint64_t taken = end - geometry.heapStart;
      if (taken > geometry.heapCapacity) return {ColumnError::kHeapTooSmall, column.field, i, taken};
    }
  }
  return {};
}

ColumnFault ColumnBatch::check() noexcept {
  const std::span<const Field> fields = writer_->schema().fields();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const ColumnSource& source = columns_[i];
    if (source.form == Form::kLeftOut) continue;
    if ((source.form == Form::kValues) == fields[i].info().inHeap()) return {ColumnError::kWrongForm, i, 0, 0};
    const bool tooShort = (!source.validity.empty() && source.validity.size() < (count_ + 31) / 32) ||
                          (source.form == Form::kValues && source.values.size() / fields[i].width < count_) ||
                          (source.form == Form::kPacked && source.offsets.size() < count_ + 1) ||
                          (source.form == Form::kList && source.list.size() < count_);
    if (tooShort) return {ColumnError::kTooShort, i, 0, 0};
  }
  heapLeft_ = 0;
  std::uint64_t longestRecord = 0;
  for (PayloadColumn& column : payloads_) {
    if (column.source->form == Form::kLeftOut) continue;
    std::uint64_t longest = 0;
    if (const ColumnFault fault = checkPayloads(column, longest); fault.error != ColumnError::kNone) return fault;
    longestRecord += longest + column.elementSize - 1;
  }
  return longestRecord > writer_->header().geometry.heapCapacity ? checkRecords() : ColumnFault{};
}

HeapRing::Need ColumnBatch::need(std::uint64_t record) const noexcept {
  const std::uint64_t heapStart = writer_->header().geometry.heapStart;
  std::uint64_t end = heapStart;
  std::uint64_t slack = 0;
  for (const PayloadColumn& column : payloads_) {
    if (!present(*column.source, record)) continue;
    end = layout::alignUp(end, column.elementSize) + payloadOf(*column.source, column.elementSize, record).size();
    slack += column.elementSize - 1;
  }
  return {end - heapStart + slack, end - heapStart};
}

Status ColumnBatch::step() noexcept {
  if (count_ == 0) return writer_->state();
  while (next_ < count_) {
    StrandWriter::Run run;
    const Status status = writer_->reserve({count_ - next_, need(next_), heapLeft_}, run);
    if (status != Status::kOk) return status;
    const std::uint32_t filled = fill(run);
    // The run has room for the next record's payloads: it was asked for.
    if (filled == 0) return Status::kHeapTooSmall;
    next_ += filled;
  }
  return writer_->publish();
}

std::uint32_t ColumnBatch::fill(const StrandWriter::Run& run) noexcept {
  const std::uint32_t block = std::clamp(kBlockBytes / writer_->schema().recordStride(), 64U, kMaxBlock);
  std::uint32_t count =
      static_cast<std::uint32_t>(std::min<std::uint64_t>({run.slotCount, count_ - next_, std::uint64_t{block}}));
  std::byte* const slots = writer_->data() + run.slotOffset;
  if (payloads_.empty()) {
    fillBitmaps(slots, count);
    fillValues(slots, count);
    writer_->advance(count);
    return count;
  }
  ends_.resize(count);
  count = fillPayloads(run, count);
  fillBitmaps(slots, count);
  fillValues(slots, count);
  if (count != 0) heapLeft_ -= std::min<std::uint64_t>(heapLeft_, ends_[count - 1]);
  writer_->advance(std::span(ends_).first(count));
  return count;
}

std::uint32_t ColumnBatch::fillPayloads(const StrandWriter::Run& run, std::uint32_t count) noexcept {
  const PayloadColumn* only = nullptr;
  std::size_t given = 0;
  for (const PayloadColumn& column : payloads_) {
    if (column.source->form == Form::kLeftOut) continue;
    only = &column;
    ++given;
  }
  const std::size_t stride = writer_->schema().recordStride();
  std::byte* const slots = writer_->data() + run.slotOffset;
  if (given <= 1) {
    for (const PayloadColumn& column : payloads_) {
      if (&column == only) continue;
      for (std::uint32_t i = 0; i < count; ++i) {
        storePointer(slots + i * stride + column.offset, column.wide, layout::kAbsentOffset, 0);
      }
    }
    if (only == nullptr) {
      std::fill_n(ends_.begin(), count, 0U);
      return count;
    }
    if (only->contiguous) return fillContiguous(*only, run, count);
  }

  std::byte* const data = writer_->data();
  const std::uint64_t heapStart = writer_->header().geometry.heapStart;
  const std::uint64_t heapEnd = run.heapOffset + run.heapBytes;
  std::uint64_t end = run.heapOffset;
  for (std::uint32_t i = 0; i < count; ++i) {
    for (const PayloadColumn& column : payloads_) {
      std::byte* const at = slots + i * stride + column.offset;
      if (!present(*column.source, next_ + i)) {
        storePointer(at, column.wide, layout::kAbsentOffset, 0);
        continue;
      }
      const std::span<const std::byte> payload = payloadOf(*column.source, column.elementSize, next_ + i);
      const std::uint64_t begin = layout::alignUp(end, column.elementSize);
      if (begin + payload.size() > heapEnd) return i;
      copyPayload(data + begin, payload);
      storePointer(at, column.wide, begin - heapStart, payload.size());
      end = begin + payload.size();
    }
    ends_[i] = static_cast<std::uint32_t>(end - run.heapOffset);
  }
  return count;
}

std::uint32_t ColumnBatch::fillContiguous(const PayloadColumn& column, const StrandWriter::Run& run,
                                          std::uint32_t count) noexcept {
  const ColumnSource& source = *column.source;
  const std::span<const std::int32_t> offsets = source.offsets.subspan(next_, std::size_t{count} + 1);
  const auto bytesTo = [&](std::size_t i) {
    return static_cast<std::uint64_t>(offsets[i] - offsets[0]) * column.elementSize;
  };
  const std::uint64_t begin = layout::alignUp(run.heapOffset, column.elementSize);
  const std::uint64_t heapEnd = run.heapOffset + run.heapBytes;
  const std::uint64_t room = heapEnd - std::min(begin, heapEnd);
  if (bytesTo(count) > room) {
    const auto most = static_cast<std::int64_t>(room / column.elementSize) + offsets[0];
    const auto behind = std::upper_bound(offsets.begin() + 1, offsets.end(), most);
    count = static_cast<std::uint32_t>(behind - offsets.begin() - 1);
  }
  if (count == 0) return 0;
  std::byte* const data = writer_->data();
  if (const std::uint64_t bytes = bytesTo(count); bytes != 0) {
    std::memcpy(data + begin, source.values.data() + static_cast<std::size_t>(offsets[0]) * column.elementSize, bytes);
  }
  const std::size_t stride = writer_->schema().recordStride();
  const std::uint64_t inHeap = begin - writer_->header().geometry.heapStart;
  const auto inRun = begin - run.heapOffset;
  std::byte* at = data + run.slotOffset + column.offset;
  std::uint64_t before = 0;
  for (std::uint32_t i = 0; i < count; ++i, at += stride) {
    const std::uint64_t end = bytesTo(i + 1);
    const bool absent = end == before && !present(source, next_ + i);
    storePointer(at, column.wide, absent ? layout::kAbsentOffset : inHeap + before, end - before);
    ends_[i] = static_cast<std::uint32_t>(inRun + end);
    before = end;
  }
  return count;
}

void ColumnBatch::fillValues(std::byte* slots, std::uint32_t count) const noexcept {
  const Schema& schema = writer_->schema();
  const std::size_t stride = schema.recordStride();
  for (std::size_t k = 0; k < schema.fields().size(); ++k) {
    const Field& field = schema.fields()[k];
    const ColumnSource& source = columns_[k];
    std::byte* const at = slots + field.offset;
    if (field.info().inHeap()) continue;
    if (source.form == Form::kLeftOut) {
      for (std::uint32_t i = 0; i < count; ++i) std::memset(at + i * stride, 0, field.width);
      continue;
    }
    kernels::scatterNumbers(source.values.data() + next_ * field.width, count, field.width, at, stride);
    if (field.info().kind == FieldKind::kBool) kernels::normalizeBooleans(at, stride, count);
    if (!source.validity.empty()) kernels::clearAbsent(at, stride, count, field.width, source.validity, next_);
  }
}

void ColumnBatch::fillBitmaps(std::byte* slots, std::uint32_t count) const noexcept {
  if (bitmap_.empty()) return;
  const Schema& schema = writer_->schema();
  const std::size_t stride = schema.recordStride();
  for (std::uint32_t i = 0; i < count; ++i) std::memcpy(slots + i * stride, bitmap_.data(), bitmap_.size());
  for (std::size_t k = 0; k < schema.fields().size(); ++k) {
    const Field& field = schema.fields()[k];
    const ColumnSource& source = columns_[k];
    if (field.nullableBit < 0 || source.form == Form::kLeftOut || source.validity.empty()) continue;
    const auto bit = static_cast<std::uint32_t>(field.nullableBit);
    std::byte* const at = slots + bit / 8;
    for (std::uint32_t i = 0; i < count; ++i) {
      at[i * stride] |= std::byte{kernels::bitAt(source.validity, next_ + i)} << (bit % 8);
    }
  }
}

Status writeColumns(StrandWriter& writer, std::span<const ColumnSource> columns, std::uint64_t count,
                    std::uint64_t& written, ColumnFault& fault) noexcept {
  written = 0;
  fault = {};
  if (const Status status = writer.state(); status != Status::kOk) return status;
  if (writer.batchOpen()) return Status::kBatchOpen;
  ColumnBatch batch(writer, columns, count);
  fault = batch.check();
  if (fault.error != ColumnError::kNone) return Status::kBadField;
  for (;;) {
    Status status = batch.step();
    // Where not even a run was given, the writer still tells of the batch before.
    if (count != 0 && (status == Status::kOk || writer.batchOpen())) written = writer.publishedInBatch();
    if (status == Status::kOk) return status;
    if (status == Status::kWouldBlock) {
      (void)writer.awaitSpace(wait::kShutdownSlice);
      if (!wait::shuttingDown()) continue;
      status = Status::kClosed;
    }
    writer.abandon();
    return status;
  }
}

}  // namespace strand
