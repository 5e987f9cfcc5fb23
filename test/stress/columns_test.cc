#include "support/columns.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "ring/column_writer.h"
#include "support/jitter.h"
#include "support/random.h"
#include "support/test_strand.h"

namespace strand {
namespace {

using test::GatheredColumn;
using test::Random;
using test::TestStrand;

std::size_t lengthOf(std::uint64_t seq) { return static_cast<std::size_t>(seq * 7 % 23); }
char letterOf(std::uint64_t seq) { return static_cast<char>('a' + seq % 26); }

void writeAll(StrandWriter& writer, std::uint64_t count, Random random) {
  for (std::uint64_t seq = 0; seq < count;) {
    const std::uint64_t batch = std::min(random.between(1, 100), count - seq);
    std::vector<std::uint64_t> numbers;
    std::vector<std::int32_t> offsets{0};
    std::string text;
    for (std::uint64_t i = 0; i < batch; ++i, ++seq) {
      numbers.push_back(seq);
      text.append(lengthOf(seq), letterOf(seq));
      offsets.push_back(static_cast<std::int32_t>(text.size()));
    }
    const ColumnSource sources[] = {
        {ColumnSource::Form::kValues, std::as_bytes(std::span(numbers)), {}, {}, {}},
        {ColumnSource::Form::kPacked, std::as_bytes(std::span(text.data(), text.size())), offsets, {}, {}}};
    std::uint64_t written = 0;
    ColumnFault fault;
    ASSERT_EQ(writeColumns(writer, sources, batch, written, fault), Status::kOk);
    ASSERT_EQ(written, batch);
    test::jitter(random);
  }
}

::testing::AssertionResult holds(const std::vector<GatheredColumn>& columns, std::uint64_t from, std::uint64_t to) {
  const GatheredColumn& texts = columns[test::kPayload];
  for (std::uint64_t seq = from; seq < to; ++seq) {
    const auto i = static_cast<std::size_t>(seq - from);
    std::uint64_t number = 0;
    std::memcpy(&number, columns[test::kSequence].values.data() + 8 * i, 8);
    const std::string text(reinterpret_cast<const char*>(texts.values.data()) + texts.offsets[i],
                           static_cast<std::size_t>(texts.offsets[i + 1] - texts.offsets[i]));
    if (number != seq || text != std::string(lengthOf(seq), letterOf(seq))) {
      return ::testing::AssertionFailure() << "record " << seq << " reads " << number << ", " << text;
    }
  }
  return ::testing::AssertionSuccess();
}

// Gathers behind the gate meet the producer again and again: what they give is whole, or refused.
TEST(ColumnsStress, gathersBehindTheGateAreWholeOrRefused) {
  const Random random;
  constexpr std::uint64_t kRecords = 40000;
  const TestStrand strand(64, 1024);
  StrandWriter writer = strand.writer();
  std::thread consumer([&] {
    Random mine = random.fork(1);
    StrandView view = strand.view();
    std::vector<GatheredColumn> columns;
    std::uint64_t whole = 0;
    for (std::uint64_t next = 0; next < kRecords;) {
      next = view.wait(next, wait::kForever).committed;
      // Released first, then read.
      ASSERT_EQ(view.acknowledge(next), Status::kOk);
      test::jitter(mine);
      const std::uint64_t from = next - std::min(next, mine.between(1, 64));
      const Status status = test::gatherAll(view, from, next, columns);
      if (status == Status::kOk) {
        ASSERT_TRUE(holds(columns, from, next));
        ++whole;
      } else {
        ASSERT_EQ(status, Status::kBehind);
      }
    }
    EXPECT_GT(whole, 0U);
  });
  writeAll(writer, kRecords, random.fork(2));
  EXPECT_EQ(writer.finalize(), Status::kOk);
  consumer.join();
}

TEST(ColumnsStress, columnsArriveWholeAndInOrder) {
  const Random random;
  constexpr std::uint64_t kRecords = 6000;
  for (const std::uint64_t capacity : {1U, 4U, 256U}) {
    const TestStrand strand(capacity, 333);
    StrandWriter writer = strand.writer();
    std::thread consumer([&] {
      StrandView view = strand.view();
      std::vector<GatheredColumn> columns;
      for (std::uint64_t next = 0; next < kRecords;) {
        const std::uint64_t committed = view.wait(next, wait::kForever).committed;
        ASSERT_EQ(test::gatherAll(view, next, committed, columns), Status::kOk);
        ASSERT_TRUE(holds(columns, next, committed));
        ASSERT_EQ(view.acknowledge(committed), Status::kOk);
        next = committed;
      }
    });
    writeAll(writer, kRecords, random.fork(capacity));
    consumer.join();
  }
}

}  // namespace
}  // namespace strand
