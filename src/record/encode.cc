#include "record/encode.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

#include "layout/strand_layout.h"
#include "memory/little_endian.h"

namespace strand {
namespace {

using Payload = std::span<const std::byte>;

template <typename T>
EncodeError storeInteger(const Value& value, std::byte* at) noexcept {
  const auto put = [at](auto number) {
    if (!std::in_range<T>(number)) return EncodeError::kOutOfRange;
    storeLittle<T>(at, static_cast<T>(number));
    return EncodeError::kNone;
  };
  if (const auto* flag = std::get_if<bool>(&value)) {
    storeLittle<T>(at, *flag ? T{1} : T{0});
    return EncodeError::kNone;
  }
  if (const auto* number = std::get_if<std::int64_t>(&value)) return put(*number);
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return put(*number);
  if (const auto* number = std::get_if<double>(&value)) {
    // 2^63 and 2^64 are exact doubles; everything below them converts.
    if (std::trunc(*number) != *number) return EncodeError::kOutOfRange;
    if (*number >= -9223372036854775808.0 && *number < 9223372036854775808.0) {
      return put(static_cast<std::int64_t>(*number));
    }
    if (*number >= 0 && *number < 18446744073709551616.0) return put(static_cast<std::uint64_t>(*number));
    return EncodeError::kOutOfRange;
  }
  return EncodeError::kWrongType;
}

EncodeError storeInteger(FieldType type, const Value& value, std::byte* at) noexcept {
  switch (type) {
    case FieldType::kU8:
      return storeInteger<std::uint8_t>(value, at);
    case FieldType::kU16:
      return storeInteger<std::uint16_t>(value, at);
    case FieldType::kU32:
    case FieldType::kUtf8Ref:
      return storeInteger<std::uint32_t>(value, at);
    case FieldType::kU64:
      return storeInteger<std::uint64_t>(value, at);
    case FieldType::kI8:
      return storeInteger<std::int8_t>(value, at);
    case FieldType::kI16:
      return storeInteger<std::int16_t>(value, at);
    case FieldType::kI32:
      return storeInteger<std::int32_t>(value, at);
    default:
      return storeInteger<std::int64_t>(value, at);
  }
}

EncodeError storeFloat(FieldType type, const Value& value, std::byte* at) noexcept {
  double number = 0;
  if (const auto* real = std::get_if<double>(&value)) {
    number = *real;
  } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    number = static_cast<double>(*integer);
  } else if (const auto* natural = std::get_if<std::uint64_t>(&value)) {
    number = static_cast<double>(*natural);
  } else {
    return EncodeError::kWrongType;
  }
  if (type == FieldType::kF32) {
    storeLittle(at, static_cast<float>(number));
  } else {
    storeLittle(at, number);
  }
  return EncodeError::kNone;
}

EncodeError storeBool(const Value& value, std::byte* at) noexcept {
  bool flag = false;
  if (const auto* boolean = std::get_if<bool>(&value)) {
    flag = *boolean;
  } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    flag = *integer != 0;
  } else if (const auto* natural = std::get_if<std::uint64_t>(&value)) {
    flag = *natural != 0;
  } else {
    return EncodeError::kWrongType;
  }
  *at = std::byte{flag};
  return EncodeError::kNone;
}

template <typename T>
std::optional<Payload> spanOf(const Value& value) noexcept {
  const auto* elements = std::get_if<std::span<const T>>(&value);
  if (elements == nullptr) return std::nullopt;
  return std::as_bytes(*elements);
}

std::optional<Payload> payloadOf(const FieldTypeInfo& info, const Value& value) noexcept {
  switch (info.type) {
    case FieldType::kI32Array:
      return spanOf<std::int32_t>(value);
    case FieldType::kU32Array:
      return spanOf<std::uint32_t>(value);
    case FieldType::kI64Array:
      return spanOf<std::int64_t>(value);
    case FieldType::kF32Array:
      return spanOf<float>(value);
    case FieldType::kF64Array:
      return spanOf<double>(value);
    case FieldType::kBytes:
    case FieldType::kLargeBytes:
    case FieldType::kFixedBytes:
      return spanOf<std::byte>(value);
    default:
      if (const auto* text = std::get_if<std::string_view>(&value)) {
        return std::as_bytes(std::span(text->data(), text->size()));
      }
      return std::nullopt;
  }
}

void storePointer(const FieldTypeInfo& info, std::byte* at, std::uint32_t offset, std::uint32_t length) noexcept {
  storeLittle(at, offset);
  if (info.wide()) {
    storeLittle(at + 4, length);
  } else {
    storeLittle(at + 4, static_cast<std::uint16_t>(length));
  }
}

EncodeError storePayload(const FieldTypeInfo& info, const Value& value, const HeapPlacement& placement, std::byte* at,
                         RecordImage& image) noexcept {
  const std::optional<Payload> payload = payloadOf(info, value);
  if (!payload) return EncodeError::kWrongType;
  if (payload->size() > info.maxPayload()) return EncodeError::kTooLong;
  const std::uint64_t end = placement.startAddress + image.heap.size();
  const std::uint64_t offset = layout::alignUp(end, info.elementSize) - placement.startAddress;
  if (offset + payload->size() > placement.capacity) return EncodeError::kTooLong;
  image.heap.resize(offset);
  image.heap.insert(image.heap.end(), payload->begin(), payload->end());
  image.alignment = std::max<std::uint32_t>(image.alignment, info.elementSize);
  storePointer(info, at, static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(payload->size()));
  return EncodeError::kNone;
}

EncodeError storeFixed(const Field& field, const Value& value, std::byte* at) noexcept {
  const std::optional<Payload> bytes = payloadOf(field.info(), value);
  if (!bytes) return EncodeError::kWrongType;
  if (bytes->size() != field.width) return EncodeError::kOutOfRange;
  std::copy(bytes->begin(), bytes->end(), at);
  return EncodeError::kNone;
}

EncodeError storeValue(const Field& field, const Value& value, const HeapPlacement& placement, std::byte* at,
                       RecordImage& image) noexcept {
  switch (field.info().kind) {
    case FieldKind::kUnsigned:
    case FieldKind::kSigned:
    case FieldKind::kRef:
      return storeInteger(field.type, value, at);
    case FieldKind::kFloat:
      return storeFloat(field.type, value, at);
    case FieldKind::kBool:
      return storeBool(value, at);
    case FieldKind::kFixed:
      return storeFixed(field, value, at);
    case FieldKind::kText:
    case FieldKind::kJson:
    case FieldKind::kArray:
      return storePayload(field.info(), value, placement, at, image);
  }
  return EncodeError::kWrongType;
}

}  // namespace

EncodeFault encodeRecord(const Schema& schema, std::span<const Value> row, const HeapPlacement& placement,
                         RecordImage& image) noexcept {
  image.slot.assign(schema.recordStride(), std::byte{0});
  image.heap.clear();
  image.alignment = 1;
  const std::span<const Field> fields = schema.fields();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const Field& field = fields[i];
    std::byte* const at = image.slot.data() + field.offset;
    const Value absent;
    const Value& value = i < row.size() ? row[i] : absent;
    if (std::holds_alternative<std::monostate>(value)) {
      if (field.info().inHeap()) storePointer(field.info(), at, layout::kAbsentOffset, 0);
      continue;
    }
    const EncodeError error = storeValue(field, value, placement, at, image);
    if (error != EncodeError::kNone) return {error, 0, i};
    if (field.nullableBit >= 0) {
      const auto bit = static_cast<std::uint32_t>(field.nullableBit);
      image.slot[bit / 8] |= std::byte{1} << (bit % 8);
    }
  }
  return {};
}

void relocatePointers(std::span<const std::uint16_t> pointers, std::byte* slot, std::uint32_t delta) noexcept {
  for (const std::uint16_t pointer : pointers) {
    std::byte* const at = slot + pointer;
    const auto offset = loadLittle<std::uint32_t>(at);
    if (offset != layout::kAbsentOffset) storeLittle(at, offset + delta);
  }
}

}  // namespace strand
