#include "ring/field_column.h"

#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

#include "ring/search_key.h"

namespace strand {
namespace {

using kernels::Column;
using kernels::KeyRange;
using kernels::Lane;

constexpr std::uint32_t kWordBytes = 4;
constexpr std::uint32_t kWordBits = 32;

/// Calls `visit` with a value of the C++ type that a numeric field holds.
template <typename Visit>
auto withNumber(FieldType type, Visit visit) noexcept {
  switch (type) {
    case FieldType::kU8:
    case FieldType::kBool8:
      return visit(std::uint8_t{});
    case FieldType::kU16:
      return visit(std::uint16_t{});
    case FieldType::kU64:
      return visit(std::uint64_t{});
    case FieldType::kI8:
      return visit(std::int8_t{});
    case FieldType::kI16:
      return visit(std::int16_t{});
    case FieldType::kI32:
      return visit(std::int32_t{});
    case FieldType::kI64:
      return visit(std::int64_t{});
    case FieldType::kF32:
      return visit(float{});
    case FieldType::kF64:
      return visit(double{});
    default:
      return visit(std::uint32_t{});
  }
}

/// Places by which a value is above the lowest of its key's word.
template <typename T>
constexpr unsigned kRoom = sizeof(T) < kWordBytes ? kWordBits - 8 * sizeof(T) : 0;

/// Signed integer as wide as a value's key.
template <typename T>
using KeyType = std::conditional_t<sizeof(T) == 8, std::int64_t, std::int32_t>;

template <typename T>
KeyType<T> keyOf(T value) noexcept {
  using Key = KeyType<T>;
  using Bits = std::make_unsigned_t<Key>;
  constexpr unsigned kSignBit = sizeof(Key) * 8 - 1;
  if constexpr (std::is_floating_point_v<T>) {
    const auto bits = std::bit_cast<Bits>(value);
    return static_cast<Key>(bits ^ static_cast<Bits>(static_cast<Key>(bits) >> kSignBit) >> 1);
  } else {
    const Bits bits = static_cast<Bits>(value) << kRoom<T>;
    return static_cast<Key>(std::is_unsigned_v<T> ? bits ^ Bits{1} << kSignBit : bits);
  }
}

/// The first float at or above a double, or the last one at or below it.
float roundTo(double value, bool up) noexcept {
  const auto nearest = static_cast<float>(value);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  if (up && nearest < value) return std::nextafter(nearest, kInfinity);
  if (!up && nearest > value) return std::nextafter(nearest, -kInfinity);
  return nearest;
}

/// Integers from low to high.
template <typename T>
KeyRange keysBetween(T low, T high) noexcept {
  constexpr std::int32_t kBelow = (std::int32_t{1} << kRoom<T>)-1;
  return {keyOf(low), keyOf(high) | kBelow};
}

template <typename T>
KeyRange realKeysBetween(double low, double high) noexcept {
  // Zeros of both signs.
  const double from = low == 0 ? -0.0 : low;
  const double to = high == 0 ? 0.0 : high;
  if constexpr (std::is_same_v<T, float>) {
    return {keyOf(roundTo(from, true)), keyOf(roundTo(to, false))};
  } else {
    return {keyOf(from), keyOf(to)};
  }
}

template <typename T>
Bounds rangeOf(const Value& low, const Value& high, KeyRange& range) noexcept {
  using Domain = std::conditional_t<std::is_floating_point_v<T>, double, T>;
  Key<Domain> from;
  Key<Domain> to;
  if (!makeKey(low, true, from) || !makeKey(high, false, to)) return Bounds::kNotNumeric;
  if (from.none || to.none || from.value > to.value) return Bounds::kNone;
  if constexpr (std::is_floating_point_v<T>) {
    range = realKeysBetween<T>(from.value, to.value);
  } else {
    range = keysBetween(from.value, to.value);
  }
  // No float between two doubles.
  return range.low <= range.high ? Bounds::kSome : Bounds::kNone;
}

/// A stored boolean is true for any byte but 0.
Bounds booleanRangeOf(const Value& low, const Value& high, KeyRange& range) noexcept {
  Key<std::uint8_t> from;
  Key<std::uint8_t> to;
  if (!makeKey(low, true, from) || !makeKey(high, false, to)) return Bounds::kNotNumeric;
  if (from.none || to.none || from.value > to.value || from.value > 1) return Bounds::kNone;
  constexpr std::uint8_t kLastTrue = std::numeric_limits<std::uint8_t>::max();
  range = keysBetween<std::uint8_t>(from.value, to.value >= 1 ? kLastTrue : 0);
  return Bounds::kSome;
}

Value asInteger(const Value& value) noexcept {
  const auto* truth = std::get_if<bool>(&value);
  return truth == nullptr ? value : Value(std::int64_t{*truth ? 1 : 0});
}

}  // namespace

bool hasColumn(const Field& field) noexcept {
  const FieldTypeInfo& info = field.info();
  return info.orderable() || info.kind == FieldKind::kBool || info.kind == FieldKind::kRef;
}

Column columnOf(const Field& field, const std::byte* firstSlot, std::size_t stride) noexcept {
  const bool real = field.info().kind == FieldKind::kFloat;
  Column column;
  column.stride = stride;
  column.isUnsigned = field.info().kind != FieldKind::kSigned;
  if (field.width >= kWordBytes) {
    column.first = firstSlot + field.offset;
    column.lane = field.width == kWordBytes ? (real ? Lane::kFloat : Lane::kWord) : real ? Lane::kDouble : Lane::kLong;
  } else {
    const std::uint32_t inWord = field.offset % kWordBytes;
    column.first = firstSlot + (field.offset - inWord);
    column.shift = static_cast<std::uint8_t>(kWordBits - 8 * (field.width + inWord));
  }
  return column;
}

Column validityOf(const Field& field, const std::byte* firstSlot, std::size_t stride) noexcept {
  const auto bit = static_cast<std::uint32_t>(field.nullableBit);
  Column column;
  column.first = firstSlot + std::size_t{bit / kWordBits} * kWordBytes;
  column.stride = stride;
  column.shift = static_cast<std::uint8_t>(kWordBits - 1 - bit % kWordBits);
  // The bit, moved to the sign's place and flipped, makes the key of a present value positive.
  column.isUnsigned = true;
  return column;
}

Bounds keyRangeOf(const Field& field, const Value& low, const Value& high, KeyRange& range) noexcept {
  const Value from = asInteger(low);
  const Value to = asInteger(high);
  if (field.info().kind == FieldKind::kBool) return booleanRangeOf(from, to, range);
  if (!field.info().orderable()) return Bounds::kNotNumeric;
  return withNumber(field.type, [&](auto number) { return rangeOf<decltype(number)>(from, to, range); });
}

KeyRange keyRangeOf(std::uint32_t handle) noexcept { return keysBetween(handle, handle); }

KeyRange finiteKeysOf(const Field& field) noexcept {
  return withNumber(field.type, [](auto number) {
    using Limits = std::numeric_limits<decltype(number)>;
    if constexpr (Limits::is_integer) {
      return keysBetween(Limits::min(), Limits::max());
    } else {
      return KeyRange{keyOf(Limits::lowest()), keyOf(Limits::max())};
    }
  });
}

Value valueOfKey(const Field& field, std::int64_t key) noexcept {
  return withNumber(field.type, [key](auto number) -> Value {
    using T = decltype(number);
    using Narrow = KeyType<T>;
    using Bits = std::make_unsigned_t<Narrow>;
    constexpr unsigned kSignBit = sizeof(Narrow) * 8 - 1;
    const auto narrow = static_cast<Narrow>(key);
    if constexpr (std::is_floating_point_v<T>) {
      const auto bits = static_cast<Bits>(narrow) ^ static_cast<Bits>(narrow >> kSignBit) >> 1;
      return static_cast<double>(std::bit_cast<T>(bits)) + 0.0;  // -0 + 0 is 0
    } else if constexpr (std::is_unsigned_v<T>) {
      return static_cast<std::uint64_t>((static_cast<Bits>(narrow) ^ Bits{1} << kSignBit) >> kRoom<T>);
    } else {
      return static_cast<std::int64_t>(narrow >> kRoom<T>);
    }
  });
}

}  // namespace strand
