#include "ring/heap_ring.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>

namespace strand {
namespace {

using Need = HeapRing::Need;

/// Every place byte by byte: contiguous, below the lap's end and below freeEnd; `position` itself first.
std::optional<std::uint64_t> slowFind(std::uint64_t capacity, std::uint64_t position, std::uint64_t freeEnd,
                                      Need need) {
  const auto fits = [&](std::uint64_t at) {
    const std::uint64_t bytes = at % capacity == 0 ? need.atStart : need.anywhere;
    return at + bytes <= freeEnd && at % capacity + bytes <= capacity;
  };
  if (position <= freeEnd && fits(position)) return position;
  for (std::uint64_t lap = position + 1; lap <= freeEnd; ++lap) {
    if (lap % capacity == 0) {
      if (fits(lap)) return lap;
      return std::nullopt;
    }
  }
  return std::nullopt;
}

/// Calls visit(ring, position, freeEnd, need) for every state of every small heap.
template <class Visit>
void everySmallState(Visit visit) {
  for (std::uint64_t capacity = 1; capacity <= 12; ++capacity) {
    const HeapRing ring(capacity);
    for (std::uint64_t position = 2 * capacity; position < 3 * capacity; ++position) {
      for (std::uint64_t freeEnd = position; freeEnd <= position + capacity; ++freeEnd) {
        for (std::uint64_t atStart = 0; atStart <= capacity; ++atStart) {
          for (std::uint64_t padding = 0; padding <= 3; ++padding) {
            visit(ring, position, freeEnd, Need{atStart + padding, atStart});
          }
        }
      }
    }
  }
}

TEST(HeapRing, findsThePlaceThatASearchByByteFindsForEverySmallHeap) {
  everySmallState([](const HeapRing& ring, std::uint64_t position, std::uint64_t freeEnd, Need need) {
    const auto expected = slowFind(ring.capacity(), position, freeEnd, need);
    const auto found = ring.find(position, freeEnd, need);
    ASSERT_EQ(found.has_value(), expected.has_value())
        << ring.capacity() << ' ' << position << ' ' << freeEnd << ' ' << need.anywhere;
    if (found) {
      ASSERT_EQ(found->position, *expected);
    }
  });
}

TEST(HeapRing, givesSpaceThatIsFreeAndContiguousToItsLastByte) {
  everySmallState([](const HeapRing& ring, std::uint64_t position, std::uint64_t freeEnd, Need need) {
    const auto found = ring.find(position, freeEnd, need);
    if (!found) return;
    ASSERT_GE(found->position, position);
    ASSERT_LE(found->position + found->bytes, freeEnd);
    ASSERT_LE(ring.offset(found->position) + found->bytes, ring.capacity());
    const bool more =
        found->position + found->bytes < freeEnd && ring.offset(found->position) + found->bytes < ring.capacity();
    ASSERT_FALSE(more) << "there was more contiguous space";
  });
}

TEST(HeapRing, namesTheLowestEndOfFreeSpaceWithWhichItSucceeds) {
  everySmallState([](const HeapRing& ring, std::uint64_t position, std::uint64_t, Need need) {
    const std::uint64_t required = ring.requiredEnd(position, need);
    ASSERT_TRUE(ring.find(position, required, need));
    for (std::uint64_t freeEnd = position; freeEnd < required; ++freeEnd) {
      ASSERT_FALSE(ring.find(position, freeEnd, need))
          << ring.capacity() << ' ' << position << ' ' << freeEnd << ' ' << need.anywhere;
    }
  });
}

TEST(HeapRing, restartsOnTheFirstByteOfALap) {
  const HeapRing ring(100);
  EXPECT_EQ(ring.restart(0), 0U);
  EXPECT_EQ(ring.restart(200), 200U);
  EXPECT_EQ(ring.restart(201), 300U);
  EXPECT_EQ(ring.restart(299), 300U);
  EXPECT_EQ(ring.nextLap(200), 300U);
  EXPECT_EQ(ring.nextLap(299), 300U);
}

TEST(HeapRing, countsPositionsPast32Bits) {
  const HeapRing ring(0xFFFFFFFE);
  const std::uint64_t position = std::uint64_t{0xFFFFFFFE} * 1'000'000 - 10;
  EXPECT_EQ(ring.offset(position), 0xFFFFFFFEU - 10);
  const auto found = ring.find(position, position + 0xFFFFFFFE, {11, 11});
  ASSERT_TRUE(found);
  EXPECT_EQ(ring.offset(found->position), 0U);
}

}  // namespace
}  // namespace strand
