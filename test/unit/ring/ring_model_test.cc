#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "memory/little_endian.h"
#include "ring/record_cursor.h"
#include "ring/strand_view.h"
#include "ring/strand_writer.h"
#include "support/payload.h"
#include "support/random.h"
#include "support/test_strand.h"

// A writer and up to eight consumers on one thread, driven at random, beside a model that says what each call answers
// and what every record holds: a plain deque and a few numbers.
namespace strand {
namespace {

using test::Random;
using test::TestStrand;

struct Record {
  std::uint64_t key = 0;
  std::size_t payload = 0;
  std::optional<std::size_t> array;  ///< elements
};

struct Consumer {
  StrandView view;
  std::optional<ConsumerToken> token;
  std::uint64_t cursor = 0;
};

std::vector<FieldSpec> fieldsFor(std::uint64_t heap) {
  if (heap == 0) return {{"key", FieldType::kU64}};
  return {
      {"key", FieldType::kU64}, {"payload", FieldType::kLargeBytes}, {"array", FieldType::kF64Array, kFieldNullable}};
}

class RingModel {
 public:
  explicit RingModel(Random random)
      : random_(std::move(random)),
        capacity_(std::uint64_t{1} << random_.below(4)),
        heap_(random_.percent(10) ? 0 : random_.between(1, 200)),
        strand_(capacity_, heap_, fieldsFor(heap_)) {
    if (random_.percent(30)) {
      const std::uint64_t base = random_.below(1000) * capacity_;
      strand_.startAt(base, random_.below(1000), base);
    }
    writer_ = strand_.writer();
    main_ = strand_.view();
  }

  void run(int steps) {
    for (int step = 0; step < steps && !::testing::Test::HasFatalFailure(); ++step) {
      act();
      if (::testing::Test::HasFatalFailure()) return;
      verify();
    }
  }

  std::string describe() const {
    return "capacity " + std::to_string(capacity_) + ", heap " + std::to_string(heap_) + "; " + trace_;
  }

 private:
  void act() {
    const std::uint64_t choice = random_.below(100);
    if (choice < 25) return writeOne();
    if (choice < 35) return writeBatch();
    if (choice < 40) return abandonRun();
    if (choice < 48) return claim();
    if (choice < 56) return enroll();
    if (choice < 60) return release();
    if (choice < 80) return acknowledgeToken();
    if (choice < 92) return acknowledge();
    if (choice < 95) return takeOver();
    if (choice < 97) return finalizeAndGoOn();
    return reset();
  }

  void note(const std::string& what) {
    trace_ += what;
    trace_ += ' ';
  }

  // --- the model ---

  std::uint64_t committed() const { return records_.size(); }
  bool anyRegistered() const {
    return std::any_of(consumers_.begin(), consumers_.end(), [](const auto& one) { return one->token.has_value(); });
  }
  std::uint64_t gate() const {
    if (!anyRegistered()) return tokenless_;
    std::uint64_t slowest = committed();
    for (const auto& consumer : consumers_) {
      if (consumer->token) slowest = std::min(slowest, consumer->cursor);
    }
    return slowest;
  }

  /// Whether a record of this size may be told to wait: no slot, or no contiguous room before unread payloads.
  bool mayWait(std::size_t bytes, std::uint32_t alignment) const {
    if (committed() - gate() == capacity_) return true;
    if (gate() == committed() || bytes == 0) return false;
    const StrandWords words = strand_.words();
    const std::uint64_t base = words.base().loadAcquire();
    const std::uint64_t freeEnd = words.heapBegin(base + gate()).loadAcquire() + heap_;
    const std::uint64_t begin = words.heapCommit().loadAcquire();
    for (std::uint64_t at = begin; at < freeEnd; ++at) {
      if (at != begin && at % heap_ != 0) continue;
      const std::uint64_t need = at % heap_ == 0 ? bytes : bytes + alignment - 1;
      if (at + need <= freeEnd && at % heap_ + need <= heap_) return false;
    }
    return true;
  }

  Record next() {
    Record record{++keys_, 0, std::nullopt};
    if (heap_ == 0) return record;
    record.payload = random_.percent(20) ? random_.between(0, heap_) : random_.between(0, heap_ / 4);
    if (random_.percent(30)) record.array = random_.between(0, 3);
    return record;
  }

  /// nullopt where it never fits.
  std::optional<RecordImage> imageOf(const Record& record) const {
    const std::vector<std::byte> payload = test::makePayload(record.key, record.payload);
    std::vector<double> array;
    for (std::size_t i = 0; i < record.array.value_or(0); ++i)
      array.push_back(static_cast<double>(record.key * 10 + i));
    std::vector<Value> row{record.key};
    if (heap_ != 0) {
      row.emplace_back(std::span<const std::byte>(payload));
      row.emplace_back(record.array ? Value(std::span<const double>(array)) : Value());
    }
    RecordImage image;
    const EncodeFault fault = encodeRecord(strand_.schema, row, {strand_.geometry.heapStart, heap_}, image);
    if (fault.error != EncodeError::kNone) return std::nullopt;
    return image;
  }

  // --- what may happen ---

  void writeOne() {
    const Record record = next();
    const auto image = imageOf(record);
    if (!image) return;
    const Status status = writer_.publishRecord(image->slot, image->heap, image->alignment);
    note("write(" + std::to_string(image->heap.size()) + ")=" + ::testing::PrintToString(status));
    if (status == Status::kOk) {
      records_.push_back(record);
    } else {
      ASSERT_EQ(status, Status::kWouldBlock);
      ASSERT_TRUE(mayWait(image->heap.size(), image->alignment)) << "there was room";
    }
  }

  void writeBatch() {
    std::vector<Record> records;
    std::vector<RecordImage> images;
    for (std::uint64_t n = random_.between(1, 12); n > 0; --n) {
      const Record record = next();
      if (auto image = imageOf(record)) {
        records.push_back(record);
        images.push_back(*std::move(image));
      }
    }
    if (images.empty()) return;
    const test::BatchResult result = test::tryWriteBatch(writer_, images);
    note("batch(" + std::to_string(images.size()) + ")=" + std::to_string(result.visible));
    ASSERT_LE(result.visible, images.size());
    records_.insert(records_.end(), records.begin(), records.begin() + static_cast<std::ptrdiff_t>(result.visible));
    if (result.visible < images.size()) {
      const RecordImage& refused = images[result.visible];
      ASSERT_EQ(result.status, Status::kWouldBlock);
      ASSERT_TRUE(mayWait(refused.heap.size(), refused.alignment)) << "there was room";
    } else {
      ASSERT_EQ(result.status, Status::kOk);
    }
  }

  void scribble(const StrandWriter::Run& run) const {
    std::fill_n(writer_.data() + run.slotOffset, run.slotCount * strand_.geometry.recordStride, std::byte{0xEE});
    std::fill_n(writer_.data() + run.heapOffset, run.heapBytes, std::byte{0xEE});
  }

  void abandonRun() {
    note("abandon");
    const std::uint64_t bytes = heap_ == 0 ? 0 : random_.between(0, heap_);
    StrandWriter::Run run;
    const Status status = writer_.reserve({random_.between(1, 4), {bytes, bytes}, heap_, true}, run);
    if (status == Status::kOk) {
      scribble(run);
      if (heap_ != 0 && random_.percent(50)) {
        const std::vector<std::uint32_t> ends{static_cast<std::uint32_t>(bytes)};
        writer_.advance(ends);
      }
    }
    if (random_.percent(30)) {
      writer_.detach();
      writer_ = strand_.writer();
    } else {
      writer_.abandon();
    }
  }

  void claim() {
    const auto count = static_cast<std::uint32_t>(random_.between(1, capacity_ + 1));
    std::uint64_t first = 0;
    const Status status = writer_.claimSlots(count, first);
    note("claim(" + std::to_string(count) + ")=" + ::testing::PrintToString(status));
    if (count > capacity_) {
      ASSERT_EQ(status, Status::kUnsatisfiable);
      return;
    }
    if (committed() + count - gate() > capacity_) {
      ASSERT_EQ(status, Status::kWouldBlock);
      return;
    }
    ASSERT_EQ(status, Status::kOk);
    ASSERT_EQ(first, committed());
    for (std::uint32_t i = 0; i < count; ++i) {
      if (random_.percent(15)) {
        // The rest is dropped with the writer.
        note("drop");
        writer_.detach();
        writer_ = strand_.writer();
        return;
      }
      Record record{++keys_, 0, std::nullopt};
      std::byte* const slot = writer_.data() + writer_.slotOffset(committed());
      storeLittle(slot + strand_.schema.fields()[0].offset, record.key);
      if (heap_ != 0) {
        std::byte* const pointer = slot + strand_.schema.fields()[1].offset;
        std::uint64_t offset = 0;
        const std::size_t bytes = random_.between(0, heap_);
        const Status heap = writer_.claimHeap(bytes, 1, offset);
        note("heap(" + std::to_string(bytes) + ")=" + ::testing::PrintToString(heap));
        if (heap == Status::kOk) {
          record.payload = bytes;
          test::fillPayload(record.key, {writer_.data() + strand_.geometry.heapStart + offset, bytes});
        } else {
          ASSERT_EQ(heap, Status::kWouldBlock);
          ASSERT_LT(gate(), committed()) << "nothing is unread";
          offset = 0;
        }
        storeLittle(pointer, static_cast<std::uint32_t>(offset));
        storeLittle(pointer + 4, static_cast<std::uint32_t>(record.payload));
      }
      ASSERT_EQ(writer_.commitSlots(committed(), 1), Status::kOk);
      records_.push_back(record);
    }
  }

  void enroll() {
    if (consumers_.size() == 8) {
      Consumer& oldest = *consumers_.front();
      oldest.view.close();
      if (oldest.token) gone(oldest);
      consumers_.pop_front();
    }
    auto consumer = std::make_unique<Consumer>();
    consumer->view = strand_.view();
    ConsumerToken token;
    const std::uint64_t oldest = gate();
    const auto start = static_cast<StartAt>(random_.below(3));
    const std::uint64_t seq = random_.below(committed() + 2);
    const Status status = consumer->view.registerConsumer(start, seq, token);
    note("register=" + ::testing::PrintToString(status));
    if (start == StartAt::kSeq && seq < oldest) {
      ASSERT_EQ(status, Status::kBehind);
    } else if (start == StartAt::kSeq && seq > committed()) {
      ASSERT_EQ(status, Status::kPastCommitted);
    } else {
      ASSERT_EQ(status, Status::kOk);
      consumer->token = token;
      consumer->cursor = start == StartAt::kOldest ? oldest : start == StartAt::kLatest ? committed() : seq;
      consumers_.push_back(std::move(consumer));
    }
  }

  void gone(Consumer& consumer) {
    consumer.token.reset();
    if (!anyRegistered()) tokenless_ = std::max(tokenless_, consumer.cursor);
  }

  void release() {
    if (consumers_.empty()) return;
    Consumer& consumer = *consumers_[random_.below(consumers_.size())];
    if (!consumer.token) return;
    note("release");
    if (random_.percent(50)) {
      ASSERT_EQ(consumer.view.releaseConsumer(*consumer.token), Status::kOk);
      ASSERT_EQ(consumer.view.acknowledge(consumer.cursor, *consumer.token), Status::kBadToken);
    } else {
      consumer.view.close();
    }
    gone(consumer);
  }

  void acknowledgeToken() {
    if (consumers_.empty()) return;
    Consumer& consumer = *consumers_[random_.below(consumers_.size())];
    if (!consumer.token) return;
    const std::uint64_t upTo = random_.below(committed() + 2);
    const Status status = consumer.view.acknowledge(upTo, *consumer.token);
    note("ack(" + std::to_string(upTo) + ")");
    if (upTo > committed()) {
      ASSERT_EQ(status, Status::kPastCommitted);
    } else if (upTo < consumer.cursor) {
      ASSERT_EQ(status, Status::kBehind);
    } else {
      ASSERT_EQ(status, Status::kOk);
      consumer.cursor = upTo;
    }
  }

  void acknowledge() {
    const std::uint64_t upTo = random_.below(committed() + 2);
    const Status status = main_.acknowledge(upTo);
    note("ack0(" + std::to_string(upTo) + ")");
    if (anyRegistered()) {
      ASSERT_EQ(status, Status::kTokenRequired);
    } else if (upTo > committed()) {
      ASSERT_EQ(status, Status::kPastCommitted);
    } else if (upTo < mainAcknowledged_) {
      ASSERT_EQ(status, Status::kBehind);
    } else {
      ASSERT_EQ(status, Status::kOk);
      mainAcknowledged_ = upTo;
      tokenless_ = std::max(tokenless_, upTo);
    }
  }

  void takeOver() {
    note("takeover");
    StrandWriter newer = strand_.writer();
    std::uint64_t first = 0;
    ASSERT_EQ(writer_.claimSlots(1, first), Status::kFenced);
    writer_ = std::move(newer);
  }

  void finalizeAndGoOn() {
    note("finalize");
    ASSERT_EQ(writer_.finalize(), Status::kOk);
    const WaitResult result = main_.check(committed());
    ASSERT_EQ(result.progress, Progress::kEnded);
    ASSERT_EQ(result.committed, committed());
    ASSERT_EQ(main_.status(), StreamState::kEos);
    writer_ = strand_.writer();
    ASSERT_EQ(main_.check(committed()).progress, Progress::kPending);
  }

  void reset() {
    note("reset");
    ASSERT_EQ(writer_.reset(), Status::kOk);
    records_.clear();
    tokenless_ = 0;
    mainAcknowledged_ = 0;
    ASSERT_EQ(main_.acknowledge(0), Status::kReset);
    main_.enter();
    for (const auto& consumer : consumers_) {
      if (!consumer->token) continue;
      ASSERT_EQ(consumer->view.acknowledge(consumer->cursor, *consumer->token), Status::kReset);
    }
    consumers_.clear();
  }

  // --- what must hold after each ---

  void verify() {
    ASSERT_EQ(writer_.committed(), committed());
    ASSERT_EQ(main_.committed(), committed());
    ASSERT_EQ(main_.effectiveReadCursor(), gate());
    ASSERT_EQ(main_.stats().queueDepth, committed() - gate());
    RecordCursor cursor(main_);
    ASSERT_EQ(cursor.seek(committed()), Status::kNotCommitted);
    const Window window = main_.window();
    ASSERT_LE(window.start, gate());
    const std::uint64_t oldest = committed() - std::min(committed(), 2 * capacity_);
    for (std::uint64_t seq = oldest; seq < committed(); ++seq) {
      const Status status = cursor.seek(seq);
      if (seq >= gate()) {
        ASSERT_EQ(status, Status::kOk) << "record " << seq << " is unread";
      }
      if (status == Status::kOk) {
        ASSERT_GE(seq, window.start);
        expectRecord(cursor, records_[seq]);
      } else {
        ASSERT_EQ(status, Status::kBehind);
      }
      if (seq >= window.start) {
        ASSERT_EQ(RecordReader(main_.slot(seq), {}).number<std::uint64_t>(strand_.schema.fields()[0]),
                  records_[seq].key);
      }
    }
  }

  void expectRecord(const RecordCursor& cursor, const Record& record) const {
    ASSERT_EQ(cursor.getU64(0), record.key);
    if (heap_ == 0) return;
    const auto payload = cursor.getBytes(1);
    ASSERT_TRUE(payload);
    ASSERT_EQ(payload->size(), record.payload);
    ASSERT_TRUE(test::isPayload(record.key, *payload));
    const auto array = cursor.getF64Array(2);
    ASSERT_EQ(array.has_value(), record.array.has_value());
    for (std::size_t i = 0; i < record.array.value_or(0); ++i) {
      ASSERT_EQ((*array)[i], static_cast<double>(record.key * 10 + i));
    }
  }

  Random random_;
  std::uint64_t capacity_;
  std::uint64_t heap_;
  TestStrand strand_;
  StrandWriter writer_;
  StrandView main_;

  std::deque<Record> records_;
  std::deque<std::unique_ptr<Consumer>> consumers_;
  std::uint64_t tokenless_ = 0;
  std::uint64_t mainAcknowledged_ = 0;
  std::uint64_t keys_ = 0;
  std::string trace_;
};

TEST(RingModel, everyCallAnswersAndEveryRecordReadsAsTheModelSays) {
  const Random random;
  for (std::uint64_t round = 0; round < 4000; ++round) {
    RingModel model(random.fork(round));
    model.run(80);
    ASSERT_FALSE(HasFatalFailure()) << "round " << round << ", " << model.describe();
  }
}

}  // namespace
}  // namespace strand
