#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "ring/strand_view.h"
#include "ring/strand_writer.h"
#include "support/random.h"
#include "support/test_strand.h"

namespace strand {
namespace {

using test::TestStrand;

constexpr std::int64_t kMin64 = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax64 = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t kMaxU64 = std::numeric_limits<std::uint64_t>::max();

/// A sorted column in a strand, possibly after the ring has wrapped.
class Column {
 public:
  /// @param released how many records go first, and are released
  Column(FieldType type, bool ascending, const std::vector<Value>& values, std::uint64_t capacity = 64)
      : strand_(
            capacity, 0,
            std::vector<FieldSpec>{{"before", FieldType::kU8},
                                   {"x", type,
                                    static_cast<std::uint8_t>(kFieldNullable | (ascending ? kFieldSortedAscending
                                                                                          : kFieldSortedDescending))}}),
        writer_(strand_.writer()),
        view_(strand_.view()) {
    EncodeFault fault;
    for (const Value& value : values) {
      const Value row[] = {Value(), value};
      if (writer_.committed() - view_.effectiveReadCursor() == capacity) {
        EXPECT_EQ(view_.acknowledge(writer_.committed()), Status::kOk);
      }
      EXPECT_EQ(writer_.write(row, fault), Status::kOk);
    }
  }

  std::int64_t find(const Value& key) {
    std::int64_t found = -2;
    EXPECT_EQ(view_.findFirst(1, key, found), Status::kOk);
    return found;
  }
  StrandView& view() { return view_; }
  StrandWriter& writer() { return writer_; }

 private:
  TestStrand strand_;
  StrandWriter writer_;
  StrandView view_;
};

std::vector<Value> naturals(std::initializer_list<std::uint64_t> numbers) { return {numbers.begin(), numbers.end()}; }
std::vector<Value> integers(std::initializer_list<std::int64_t> numbers) { return {numbers.begin(), numbers.end()}; }
std::vector<Value> reals(std::initializer_list<double> numbers) { return {numbers.begin(), numbers.end()}; }

TEST(FindFirst, isTheLowerBoundAscending) {
  Column column(FieldType::kU32, true, naturals({2, 4, 4, 4, 9}));
  EXPECT_EQ(column.find(std::int64_t{0}), 0);
  EXPECT_EQ(column.find(std::int64_t{2}), 0);
  EXPECT_EQ(column.find(std::int64_t{3}), 1);
  EXPECT_EQ(column.find(std::int64_t{4}), 1);
  EXPECT_EQ(column.find(std::int64_t{5}), 4);
  EXPECT_EQ(column.find(std::int64_t{9}), 4);
  EXPECT_EQ(column.find(std::int64_t{10}), -1);
  EXPECT_EQ(column.find(3.5), 1);
  EXPECT_EQ(column.find(4.5), 4);
}

TEST(FindFirst, isTheFirstNotAboveDescending) {
  Column column(FieldType::kI32, false, integers({9, 4, 4, -1, -7}));
  EXPECT_EQ(column.find(std::int64_t{10}), 0);
  EXPECT_EQ(column.find(std::int64_t{9}), 0);
  EXPECT_EQ(column.find(std::int64_t{8}), 1);
  EXPECT_EQ(column.find(std::int64_t{4}), 1);
  EXPECT_EQ(column.find(3.9), 3);
  EXPECT_EQ(column.find(std::int64_t{-1}), 3);
  EXPECT_EQ(column.find(-0.5), 3);
  EXPECT_EQ(column.find(-1.5), 4);
  EXPECT_EQ(column.find(std::int64_t{-8}), -1);
}

TEST(FindFirst, anEmptyStrandHoldsNothing) {
  Column column(FieldType::kF64, true, {});
  EXPECT_EQ(column.find(0.0), -1);
}

TEST(FindFirst, nullsCountAsLessThanEveryNumber) {
  Column ascending(FieldType::kI64, true, {Value(), Value(), std::int64_t{kMin64}, std::int64_t{5}});
  EXPECT_EQ(ascending.find(std::int64_t{kMin64}), 2);
  EXPECT_EQ(ascending.find(-std::numeric_limits<double>::infinity()), 2);
  EXPECT_EQ(ascending.find(std::int64_t{6}), -1);
  Column descending(FieldType::kI64, false, {std::int64_t{5}, std::int64_t{kMin64}, Value(), Value()});
  EXPECT_EQ(descending.find(std::int64_t{5}), 0);
  EXPECT_EQ(descending.find(std::int64_t{4}), 1);
  EXPECT_EQ(descending.find(-std::numeric_limits<double>::infinity()), -1) << "a null is no number below the key";
  Column nothing(FieldType::kF32, true, {Value(), Value()});
  EXPECT_EQ(nothing.find(0.0), -1);
  Column nothingDescending(FieldType::kF32, false, {Value(), Value()});
  EXPECT_EQ(nothingDescending.find(0.0), -1);
}

TEST(FindFirst, aNanKeyFindsNothing) {
  Column real(FieldType::kF64, true, reals({1, 2}));
  EXPECT_EQ(real.find(std::nan("")), -1);
  Column integer(FieldType::kI8, false, integers({2, 1}));
  EXPECT_EQ(integer.find(std::nan("")), -1);
}

TEST(FindFirst, keysOutsideTheFieldsDomainFindTheEdgeOrNothing) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const auto& [type, low, high] :
       std::vector<std::tuple<FieldType, std::int64_t, std::int64_t>>{{FieldType::kU8, 0, 255},
                                                                      {FieldType::kI8, -128, 127},
                                                                      {FieldType::kU16, 0, 65535},
                                                                      {FieldType::kI16, -32768, 32767},
                                                                      {FieldType::kU32, 0, 4294967295},
                                                                      {FieldType::kI32, -2147483648, 2147483647},
                                                                      {FieldType::kI64, kMin64, kMax64}}) {
    Column up(type, true, integers({low, high}));
    Column down(type, false, integers({high, low}));
    for (const Value& key : std::vector<Value>{kMaxU64, 1e300, infinity}) {
      EXPECT_EQ(up.find(key), -1) << fieldTypeInfo(type).name;
      EXPECT_EQ(down.find(key), 0) << fieldTypeInfo(type).name;
    }
    for (const Value& key : std::vector<Value>{-1e300, -infinity}) {
      EXPECT_EQ(up.find(key), 0) << fieldTypeInfo(type).name;
      EXPECT_EQ(down.find(key), -1) << fieldTypeInfo(type).name;
    }
    EXPECT_EQ(up.find(low), 0);
    EXPECT_EQ(up.find(high), 1);
    EXPECT_EQ(down.find(low), 1);
    EXPECT_EQ(down.find(high), 0);
    if (type != FieldType::kI64) {
      EXPECT_EQ(up.find(high + 1), -1);
      EXPECT_EQ(up.find(low - 1), 0);
      EXPECT_EQ(down.find(high + 1), 0);
      EXPECT_EQ(down.find(low - 1), -1);
      EXPECT_EQ(up.find(static_cast<double>(high) + 0.5), -1);
      EXPECT_EQ(down.find(static_cast<double>(low) - 0.5), -1);
    }
  }
  Column natural(FieldType::kU64, true, naturals({0, kMaxU64}));
  EXPECT_EQ(natural.find(std::int64_t{-1}), 0);
  EXPECT_EQ(natural.find(18446744073709551616.0), -1);
  EXPECT_EQ(natural.find(kMaxU64), 1);
}

TEST(FindFirst, bigIntegersAreComparedExactly) {
  constexpr std::int64_t kBig = (std::int64_t{1} << 53) + 1;
  Column up(FieldType::kI64, true, integers({kBig - 1, kBig, kBig + 1}));
  EXPECT_EQ(up.find(kBig - 1), 0);
  EXPECT_EQ(up.find(kBig), 1);
  EXPECT_EQ(up.find(kBig + 1), 2);
  EXPECT_EQ(up.find(kBig + 2), -1);
  Column down(FieldType::kU64, false, naturals({kMaxU64, kMaxU64 - 1, kMaxU64 - 2}));
  EXPECT_EQ(down.find(kMaxU64), 0);
  EXPECT_EQ(down.find(kMaxU64 - 1), 1);
  EXPECT_EQ(down.find(kMaxU64 - 2), 2);
  EXPECT_EQ(down.find(kMaxU64 - 3), -1);
}

TEST(FindFirst, anIntegerKeyInAFloatFieldIsNotRoundedPastIt) {
  // 2^53 + 1 is no double; the doubles around it are 2^53 and 2^53 + 2.
  constexpr std::int64_t kBetween = (std::int64_t{1} << 53) + 1;
  const auto below = static_cast<double>(kBetween - 1);
  const auto above = static_cast<double>(kBetween + 1);
  Column up(FieldType::kF64, true, reals({below, above}));
  EXPECT_EQ(up.find(kBetween), 1);
  EXPECT_EQ(up.find(static_cast<std::uint64_t>(kBetween)), 1);
  EXPECT_EQ(up.find(-kBetween), 0);
  EXPECT_EQ(up.find(kBetween + 1), 1);
  EXPECT_EQ(up.find(kBetween - 1), 0);
  Column down(FieldType::kF64, false, reals({above, below}));
  EXPECT_EQ(down.find(kBetween), 1);
  EXPECT_EQ(down.find(kBetween + 1), 0);
  // 2^54 + 3 rounds up to 2^54 + 4: the other direction.
  constexpr std::int64_t kHigh = (std::int64_t{1} << 54) + 3;
  Column higher(FieldType::kF64, false, reals({static_cast<double>(kHigh + 1), static_cast<double>(kHigh - 3)}));
  EXPECT_EQ(higher.find(kHigh), 1);
  EXPECT_EQ(higher.find(-kHigh), -1);
  Column limit(FieldType::kF64, true, reals({9223372036854775807.0, 18446744073709551615.0}));
  EXPECT_EQ(limit.find(kMax64), 0);
  EXPECT_EQ(limit.find(kMaxU64), 1);
  Column limitDown(FieldType::kF64, false, reals({18446744073709551616.0, 9223372036854775808.0, 0}));
  EXPECT_EQ(limitDown.find(kMaxU64), 1);
  EXPECT_EQ(limitDown.find(kMax64), 2);
}

TEST(FindFirst, floatsCompareInDoublePrecision) {
  Column column(FieldType::kF32, true, reals({0.1, 0.25}));
  EXPECT_EQ(column.find(0.1), 0) << "float(0.1) is above 0.1";
  EXPECT_EQ(column.find(0.1000000014), 0);
  EXPECT_EQ(column.find(0.1000000016), 1);
  Column down(FieldType::kF32, false, reals({0.25, 0.1}));
  EXPECT_EQ(down.find(0.1), -1);
  Column infinite(FieldType::kF64, true,
                  reals({-std::numeric_limits<double>::infinity(), 0, std::numeric_limits<double>::infinity()}));
  EXPECT_EQ(infinite.find(1e308), 2);
  EXPECT_EQ(infinite.find(std::numeric_limits<double>::infinity()), 2);
  EXPECT_EQ(infinite.find(-std::numeric_limits<double>::infinity()), 0);
  EXPECT_EQ(infinite.find(-0.0), 1);
}

TEST(FindFirst, refusesWhatHasNoOrder) {
  const std::vector<FieldSpec> fields{{"unsorted", FieldType::kU32},
                                      {"text", FieldType::kUtf8, kFieldSortedAscending},
                                      {"flag", FieldType::kBool8, kFieldSortedAscending},
                                      {"ref", FieldType::kUtf8Ref, kFieldSortedAscending},
                                      {"sorted", FieldType::kU32, kFieldSortedAscending}};
  const TestStrand strand(4, 100, fields);
  const StrandView view = strand.view();
  std::int64_t found = 0;
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(view.findFirst(i, std::int64_t{0}, found), Status::kBadField) << i;
  EXPECT_EQ(view.findFirst(5, std::int64_t{0}, found), Status::kBadField);
  EXPECT_EQ(view.findFirst(~std::size_t{0}, std::int64_t{0}, found), Status::kBadField);
  for (const Value& key : std::vector<Value>{Value(), true, std::string_view("1")}) {
    EXPECT_EQ(view.findFirst(4, key, found), Status::kBadField);
  }
  EXPECT_EQ(view.findFirst(4, std::int64_t{0}, found), Status::kOk);
}

TEST(FindFirst, searchesTheIntactWindowOfAWrappedRing) {
  std::vector<Value> values;
  for (std::uint64_t i = 0; i < 1000; ++i) values.emplace_back(i * 2);
  Column column(FieldType::kU32, true, values, 16);
  EXPECT_EQ(column.view().window().start, 984U);
  for (std::int64_t key = 1960; key <= 2000; ++key) {
    const std::int64_t expected = std::max<std::int64_t>((key + 1) / 2, 984);
    EXPECT_EQ(column.find(key), expected < 1000 ? expected : -1) << key;
  }
}

template <typename T>
class FindFirstOf : public ::testing::Test {};
struct U8 {
  using Stored = std::uint8_t;
  static constexpr FieldType kType = FieldType::kU8;
};
struct U16 {
  using Stored = std::uint16_t;
  static constexpr FieldType kType = FieldType::kU16;
};
struct U32 {
  using Stored = std::uint32_t;
  static constexpr FieldType kType = FieldType::kU32;
};
struct U64 {
  using Stored = std::uint64_t;
  static constexpr FieldType kType = FieldType::kU64;
};
struct I8 {
  using Stored = std::int8_t;
  static constexpr FieldType kType = FieldType::kI8;
};
struct I16 {
  using Stored = std::int16_t;
  static constexpr FieldType kType = FieldType::kI16;
};
struct I32 {
  using Stored = std::int32_t;
  static constexpr FieldType kType = FieldType::kI32;
};
struct I64 {
  using Stored = std::int64_t;
  static constexpr FieldType kType = FieldType::kI64;
};
struct F32 {
  using Stored = float;
  static constexpr FieldType kType = FieldType::kF32;
};
struct F64 {
  using Stored = double;
  static constexpr FieldType kType = FieldType::kF64;
};
using Numbers = ::testing::Types<U8, U16, U32, U64, I8, I16, I32, I64, F32, F64>;
TYPED_TEST_SUITE(FindFirstOf, Numbers);

TYPED_TEST(FindFirstOf, agreesWithALinearSearch) {
  using Stored = typename TypeParam::Stored;
  test::Random random;
  const auto number = [&]() -> Stored {
    switch (random.below(4)) {
      case 0:
        return static_cast<Stored>(random.below(10));
      case 1:
        return std::numeric_limits<Stored>::max();
      case 2:
        return std::numeric_limits<Stored>::lowest();
      default:
        if constexpr (std::is_floating_point_v<Stored>) {
          return static_cast<Stored>(static_cast<double>(random.below(2000)) / 8 - 100);
        } else {
          return static_cast<Stored>(random.bits());
        }
    }
  };
  const auto asValue = [](Stored stored) -> Value {
    if constexpr (std::is_floating_point_v<Stored>) {
      return static_cast<double>(stored);
    } else if constexpr (std::is_signed_v<Stored>) {
      return static_cast<std::int64_t>(stored);
    } else {
      return static_cast<std::uint64_t>(stored);
    }
  };
  for (int round = 0; round < 150; ++round) {
    const bool ascending = random.percent(50);
    std::vector<std::optional<Stored>> numbers(random.below(60));
    for (auto& entry : numbers) {
      if (!random.percent(15)) entry = number();
    }
    std::sort(numbers.begin(), numbers.end());  // nothing is less than something
    if (!ascending) std::reverse(numbers.begin(), numbers.end());
    std::vector<Value> values;
    for (const auto& entry : numbers) values.push_back(entry ? asValue(*entry) : Value());
    Column column(TypeParam::kType, ascending, values, std::uint64_t{1} << random.below(7));
    const auto start = static_cast<std::size_t>(column.view().window().start);
    for (int search = 0; search < 20; ++search) {
      const Stored key = number();
      std::int64_t expected = -1;
      for (std::size_t i = start; i < numbers.size() && expected < 0; ++i) {
        if (numbers[i] && (ascending ? *numbers[i] >= key : *numbers[i] <= key))
          expected = static_cast<std::int64_t>(i);
      }
      ASSERT_EQ(column.find(asValue(key)), expected) << (ascending ? "ascending " : "descending ") << +key;
    }
  }
}

}  // namespace
}  // namespace strand
