#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>
#include <variant>

#include "record/encode.h"

namespace strand {

/// A search key in the domain of a field: `none` where no value of the field can qualify.
template <typename T>
struct Key {
  bool none = false;
  T value{};
};

/// Bound of an integer field from a double: the first integer on the qualifying side.
template <typename T>
Key<T> integerKey(double key, bool ascending) noexcept {
  if (std::isnan(key)) return {true};
  const double bound = ascending ? std::ceil(key) : std::floor(key);
  // Both limits are exact as doubles, or round up to a power of two that is out of range.
  const auto lowest = static_cast<double>(std::numeric_limits<T>::min());
  const double beyond = std::ldexp(1.0, std::numeric_limits<T>::digits);
  if (bound >= beyond) return ascending ? Key<T>{true} : Key<T>{false, std::numeric_limits<T>::max()};
  if (bound < lowest) return ascending ? Key<T>{false, std::numeric_limits<T>::min()} : Key<T>{true};
  return {false, static_cast<T>(bound)};
}

template <typename T, typename Integer>
Key<T> clampKey(Integer key, bool ascending) noexcept {
  if (std::in_range<T>(key)) return {false, static_cast<T>(key)};
  const bool above = std::cmp_greater(key, std::numeric_limits<T>::max());
  if (above == ascending) return {true};
  return {false, above ? std::numeric_limits<T>::max() : std::numeric_limits<T>::min()};
}

/// Bound of a double field from an integer, which need not be a double: the first double on the qualifying side.
template <typename Integer>
double realKey(Integer key, bool ascending) noexcept {
  const auto nearest = static_cast<double>(key);
  const bool beyond = nearest >= std::ldexp(1.0, std::numeric_limits<Integer>::digits);
  const Integer back = beyond ? 0 : static_cast<Integer>(nearest);
  if (ascending && !beyond && back < key) return std::nextafter(nearest, std::numeric_limits<double>::infinity());
  if (!ascending && (beyond || back > key)) return std::nextafter(nearest, -std::numeric_limits<double>::infinity());
  return nearest;
}

/// The bound of a field in T, exactly as mathematics says: with `ascending` the least T at or above the value, otherwise
/// the greatest at or below it. `key.none` where there is none, and for NaN.
/// @return false for a value that is no number
template <typename T>
bool makeKey(const Value& value, bool ascending, Key<T>& key) noexcept {
  if constexpr (std::is_floating_point_v<T>) {
    if (const auto* real = std::get_if<double>(&value)) {
      key = {std::isnan(*real), *real};
    } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      key = {false, realKey(*integer, ascending)};
    } else if (const auto* natural = std::get_if<std::uint64_t>(&value)) {
      key = {false, realKey(*natural, ascending)};
    } else {
      return false;
    }
  } else {
    if (const auto* real = std::get_if<double>(&value)) {
      key = integerKey<T>(*real, ascending);
    } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      key = clampKey<T>(*integer, ascending);
    } else if (const auto* natural = std::get_if<std::uint64_t>(&value)) {
      key = clampKey<T>(*natural, ascending);
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace strand
