#include "record/schema.h"

#include <algorithm>
#include <limits>
#include <unordered_set>

#include "layout/strand_layout.h"
#include "memory/little_endian.h"

namespace strand {
namespace {

constexpr std::size_t kEntryBytes = 4;
constexpr std::size_t kLengthBytes = 4;
constexpr std::uint8_t kSortedBothWays = kFieldSortedAscending | kFieldSortedDescending;

std::uint32_t alignmentOf(const Field& field) noexcept {
  return field.type == FieldType::kFixedBytes ? 1 : std::min<std::uint32_t>(field.width, 4);
}

Fault checkNames(std::span<const Field> fields) noexcept {
  std::unordered_set<std::string_view> seen;
  for (const Field& field : fields) {
    if (field.name.empty()) return Fault::type("field name must be a non-empty string");
    if (!seen.insert(field.name).second) {
      return Fault::type("field '" + field.name + "' is declared twice; names must differ");
    }
  }
  return Fault::none();
}

std::string entryLabel(std::size_t index) { return "schema entry " + std::to_string(index); }

}  // namespace

std::uint32_t fnv1a(std::span<const std::byte> bytes) noexcept {
  std::uint32_t hash = 2166136261U;
  for (const std::byte byte : bytes) {
    hash = (hash ^ static_cast<std::uint32_t>(byte)) * 16777619U;
  }
  return hash;
}

Fault Schema::build(std::span<const FieldSpec> specs, Schema& out) noexcept {
  if (specs.empty()) return Fault::type("a schema needs at least one field");
  Schema schema;
  std::uint32_t nullable = 0;
  for (const FieldSpec& spec : specs) {
    Field field{spec.name, spec.type, spec.flags};
    if (!isFieldTag(static_cast<std::uint32_t>(spec.type))) {
      return Fault::type("field '" + spec.name + "' has unknown type " +
                         std::to_string(static_cast<std::uint32_t>(spec.type)));
    }
    if ((spec.flags & ~kFieldFlags) != 0) {
      return Fault::type("field '" + spec.name + "' has unknown flag bits");
    }
    if ((spec.flags & kSortedBothWays) == kSortedBothWays) {
      return Fault::type("field '" + spec.name + "' is flagged sorted both ways; choose one");
    }
    field.width = field.info().width;
    if (spec.type == FieldType::kFixedBytes) {
      if (spec.length == 0) {
        return Fault::type("fixed_bytes field '" + spec.name + "' needs a length of at least 1");
      }
      field.width = spec.length;
    }
    if (field.nullable()) field.nullableBit = static_cast<std::int32_t>(nullable++);
    schema.fields_.push_back(std::move(field));
  }
  if (Fault fault = checkNames(schema.fields_); !fault.ok()) return fault;

  std::uint64_t end = (nullable + 7) / 8;
  for (Field& field : schema.fields_) {
    end = layout::alignUp(end, alignmentOf(field));
    if (end + field.width > layout::kMaxRecordStride) {
      return Fault::range("field '" + field.name + "' ends at byte " + std::to_string(end + field.width) +
                          " of its record; records hold at most " + std::to_string(layout::kMaxRecordStride) +
                          " bytes: use a heap type instead");
    }
    field.offset = static_cast<std::uint16_t>(end);
    end += field.width;
  }
  end = layout::alignUp(end, 4);
  if (end > layout::kMaxRecordStride) {
    return Fault::range("records of " + std::to_string(end) + " bytes are past the limit of " +
                        std::to_string(layout::kMaxRecordStride));
  }
  schema.stride_ = static_cast<std::uint32_t>(end);
  schema.summarize();
  out = std::move(schema);
  return Fault::none();
}

Fault Schema::decode(std::span<const std::byte> bytes, std::uint32_t stride, Schema& out) noexcept {
  if (stride == 0 || stride > layout::kMaxRecordStride || stride % 4 != 0) {
    return Fault::header("record stride " + std::to_string(stride) + " is not a multiple of 4 between 4 and 65,532");
  }
  Schema schema;
  std::size_t at = 0;
  std::int32_t nullable = 0;
  while (at < bytes.size()) {
    const std::string label = entryLabel(schema.fields_.size());
    if (bytes.size() - at < kEntryBytes) return Fault::header(label + " is cut short");
    const auto tag = static_cast<std::uint32_t>(bytes[at]);
    if (!isFieldTag(tag)) return Fault::header(label + " has unknown type " + std::to_string(tag));
    Field field;
    field.type = static_cast<FieldType>(tag);
    field.flags = static_cast<std::uint8_t>(bytes[at + 1]);
    field.offset = loadLittle<std::uint16_t>(bytes.data() + at + 2);
    at += kEntryBytes;
    if ((field.flags & ~kFieldFlags) != 0) return Fault::header(label + " has unknown flags");
    if ((field.flags & kSortedBothWays) == kSortedBothWays) {
      return Fault::header(label + " is flagged sorted both ways");
    }
    field.width = field.info().width;
    if (field.type == FieldType::kFixedBytes) {
      if (bytes.size() - at < kLengthBytes) return Fault::header(label + " is cut short");
      field.width = loadLittle<std::uint32_t>(bytes.data() + at);
      at += kLengthBytes;
      if (field.width == 0) return Fault::header(label + " has length 0");
    }
    if (field.nullable()) field.nullableBit = nullable++;
    // Each takes a byte at least. More are refused before they take memory.
    if (schema.fields_.size() == stride)
      return Fault::header(label + " is past the record stride of " + std::to_string(stride));
    schema.fields_.push_back(std::move(field));
  }
  if (schema.fields_.empty()) return Fault::header("the schema has no fields");

  schema.stride_ = stride;
  schema.summarize();
  std::vector<bool> taken(stride, false);
  if (schema.bitmapBytes_ > stride) return Fault::header("the validity bitmap is past the stride");
  std::fill_n(taken.begin(), schema.bitmapBytes_, true);
  for (std::size_t i = 0; i < schema.fields_.size(); ++i) {
    const Field& field = schema.fields_[i];
    if (field.offset % alignmentOf(field) != 0) {
      return Fault::header(entryLabel(i) + " is not aligned");
    }
    if (std::uint64_t{field.offset} + field.width > stride) {
      return Fault::header(entryLabel(i) + " is past the record stride of " + std::to_string(stride));
    }
    const auto begin = taken.begin() + field.offset;
    const auto end = begin + static_cast<std::ptrdiff_t>(field.width);
    if (std::find(begin, end, true) != end) {
      return Fault::header(entryLabel(i) + " overlaps another field");
    }
    std::fill(begin, end, true);
  }
  out = std::move(schema);
  return Fault::none();
}

std::vector<std::byte> Schema::encode() const noexcept {
  std::vector<std::byte> bytes;
  bytes.reserve(fields_.size() * (kEntryBytes + kLengthBytes));
  for (const Field& field : fields_) {
    bytes.push_back(static_cast<std::byte>(field.type));
    bytes.push_back(static_cast<std::byte>(field.flags));
    bytes.push_back(static_cast<std::byte>(field.offset & 0xFF));
    bytes.push_back(static_cast<std::byte>(field.offset >> 8));
    if (field.type == FieldType::kFixedBytes) {
      for (std::uint32_t shift = 0; shift < 32; shift += 8) {
        bytes.push_back(static_cast<std::byte>((field.width >> shift) & 0xFF));
      }
    }
  }
  return bytes;
}

std::uint32_t Schema::fingerprint() const noexcept { return fnv1a(encode()); }

Fault Schema::setNames(std::vector<std::string> names) noexcept {
  if (names.size() != fields_.size()) {
    return Fault::header("the metadata names " + std::to_string(names.size()) + " columns for " +
                         std::to_string(fields_.size()) + " fields");
  }
  for (std::size_t i = 0; i < names.size(); ++i) fields_[i].name = std::move(names[i]);
  Fault fault = checkNames(fields_);
  if (!fault.ok()) fault.code = FaultCode::kHeader;
  return fault;
}

std::optional<std::size_t> Schema::indexOf(std::string_view name) const noexcept {
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (fields_[i].name == name) return i;
  }
  return std::nullopt;
}

void Schema::summarize() noexcept {
  const auto nullable =
      std::count_if(fields_.begin(), fields_.end(), [](const Field& field) { return field.nullable(); });
  bitmapBytes_ = static_cast<std::uint32_t>((nullable + 7) / 8);
  heapPointers_.clear();
  for (const Field& field : fields_) {
    if (field.info().inHeap()) heapPointers_.push_back(field.offset);
  }
}

}  // namespace strand
