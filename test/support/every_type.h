#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "record/encode.h"
#include "record/schema.h"

namespace strand::test {

/// One field of every type, in the order of their tags, named as the type; then the same, nullable, "nullable_…".
inline std::vector<FieldSpec> everyType() {
  std::vector<FieldSpec> specs;
  for (const std::uint8_t flags : {std::uint8_t{0}, kFieldNullable}) {
    for (const FieldTypeInfo& info : kFieldTypes) {
      FieldSpec spec;
      spec.name = flags == 0 ? "" : "nullable_";
      spec.name += info.name;
      spec.type = info.type;
      spec.flags = flags;
      spec.length = info.type == FieldType::kFixedBytes ? 5 : 0;
      specs.push_back(spec);
    }
  }
  return specs;
}

/// What the values below point to.
struct EveryValue {
  static constexpr std::array<std::int32_t, 3> kI32{1, -2, std::numeric_limits<std::int32_t>::min()};
  static constexpr std::array<std::uint32_t, 2> kU32{7, 0xFFFFFFFF};
  static constexpr std::array<std::int64_t, 2> kI64{-1, std::numeric_limits<std::int64_t>::max()};
  static constexpr std::array<float, 2> kF32{0.5F, -3.25F};
  static constexpr std::array<double, 3> kF64{0.1, -0.0, 1e300};
  static constexpr std::array<std::byte, 4> kBytes{std::byte{0}, std::byte{1}, std::byte{254}, std::byte{255}};
  static constexpr std::array<std::byte, 5> kFixed{std::byte{5}, std::byte{4}, std::byte{3}, std::byte{2},
                                                   std::byte{1}};
  static constexpr std::string_view kText = "gr\xC3\xBC\xC3\x9F \xF0\x9F\x8D\x95";
  static constexpr std::string_view kJson = R"({"a":[1,null,"x"]})";

  /// A value for each field of everyType(), in order.
  static std::vector<Value> row() {
    const std::vector<Value> once{
        std::uint64_t{200},
        std::uint64_t{60000},
        std::uint64_t{4000000000},
        std::int64_t{-2000000000},
        std::int64_t{-9000000000000000000},
        1.5,
        -0.1,
        true,
        std::uint64_t{3},
        kText,
        kJson,
        std::span<const std::byte>(kBytes),
        std::span<const std::int32_t>(kI32),
        std::span<const float>(kF32),
        std::int64_t{-100},
        std::int64_t{-30000},
        std::uint64_t{18000000000000000000U},
        std::span<const std::byte>(kFixed),
        kText,
        kJson,
        std::span<const std::byte>(kBytes),
        std::span<const double>(kF64),
        std::span<const std::int64_t>(kI64),
        std::span<const std::uint32_t>(kU32),
    };
    std::vector<Value> twice = once;
    twice.insert(twice.end(), once.begin(), once.end());
    return twice;
  }
};

}  // namespace strand::test
