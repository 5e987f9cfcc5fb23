#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include "record/decode.h"
#include "ring/status.h"
#include "ring/strand_view.h"

namespace strand {

/// Reads records of a view, one at a time, in place. Allocates nothing.
///
/// Accessors take a field's index (Schema::indexOf) and answer nullopt for a null, for another type and for
/// an index that does not exist. Text, bytes and arrays point into the shared heap and are valid until the
/// record is released.
///
/// A record behind the view's own position may be overwritten while it is read: what was read counts only if
/// intact() says so afterwards.
class RecordCursor {
 public:
  /// `view` must outlive the cursor.
  explicit RecordCursor(const StrandView& view) noexcept : view_(&view) {}

  /// @return kNotCommitted, kBehind for a record that may be overwritten, kReset
  Status seek(std::uint64_t seq) noexcept {
    if (view_->wasReset()) return view_->lost();
    if (seq >= view_->window().committed) return Status::kNotCommitted;
    if (!view_->intact(seq)) return view_->wasReset() ? view_->lost() : Status::kBehind;
    seq_ = seq;
    record_ = RecordReader(view_->slot(seq), view_->heap());
    return Status::kOk;
  }

  /// Whether everything that was read of the present record was the record's.
  [[nodiscard]] bool intact() const noexcept { return seq_ && view_->intact(*seq_); }
  [[nodiscard]] std::optional<std::uint64_t> seq() const noexcept { return seq_; }

  [[nodiscard]] std::optional<std::uint8_t> getU8(std::size_t i) const noexcept {
    return get<FieldType::kU8, std::uint8_t>(i);
  }
  [[nodiscard]] std::optional<std::uint16_t> getU16(std::size_t i) const noexcept {
    return get<FieldType::kU16, std::uint16_t>(i);
  }
  [[nodiscard]] std::optional<std::uint32_t> getU32(std::size_t i) const noexcept {
    return get<FieldType::kU32, std::uint32_t>(i);
  }
  [[nodiscard]] std::optional<std::uint64_t> getU64(std::size_t i) const noexcept {
    return get<FieldType::kU64, std::uint64_t>(i);
  }
  [[nodiscard]] std::optional<std::int8_t> getI8(std::size_t i) const noexcept {
    return get<FieldType::kI8, std::int8_t>(i);
  }
  [[nodiscard]] std::optional<std::int16_t> getI16(std::size_t i) const noexcept {
    return get<FieldType::kI16, std::int16_t>(i);
  }
  [[nodiscard]] std::optional<std::int32_t> getI32(std::size_t i) const noexcept {
    return get<FieldType::kI32, std::int32_t>(i);
  }
  [[nodiscard]] std::optional<std::int64_t> getI64(std::size_t i) const noexcept {
    return get<FieldType::kI64, std::int64_t>(i);
  }
  [[nodiscard]] std::optional<float> getF32(std::size_t i) const noexcept { return get<FieldType::kF32, float>(i); }
  [[nodiscard]] std::optional<double> getF64(std::size_t i) const noexcept { return get<FieldType::kF64, double>(i); }
  /// Handle of an interned string.
  [[nodiscard]] std::optional<std::uint32_t> getRef(std::size_t i) const noexcept {
    return get<FieldType::kUtf8Ref, std::uint32_t>(i);
  }

  [[nodiscard]] std::optional<bool> getBool(std::size_t i) const noexcept {
    const auto byte = get<FieldType::kBool8, std::uint8_t>(i);
    if (!byte) return std::nullopt;
    return *byte != 0;
  }

  /// utf8 and large_utf8; an absent value that is not nullable reads "".
  [[nodiscard]] std::optional<std::string_view> getString(std::size_t i) const noexcept {
    const Field* field = present(i, FieldKind::kText);
    if (field == nullptr) return std::nullopt;
    const auto pointer = record_.pointer(*field);
    return pointer ? textOf(*pointer) : std::string_view();
  }

  /// JSON text of json and large_json.
  [[nodiscard]] std::optional<std::string_view> getJson(std::size_t i) const noexcept {
    const Field* field = present(i, FieldKind::kJson);
    if (field == nullptr) return std::nullopt;
    const auto pointer = record_.pointer(*field);
    if (!pointer) return std::nullopt;
    return textOf(*pointer);
  }

  /// bytes, large_bytes and fixed_bytes.
  [[nodiscard]] std::optional<std::span<const std::byte>> getBytes(std::size_t i) const noexcept {
    if (const Field* field = present(i, FieldKind::kFixed)) return record_.fixed(*field);
    return array<std::byte>(i, {FieldType::kBytes, FieldType::kLargeBytes});
  }
  [[nodiscard]] std::optional<std::span<const std::int32_t>> getI32Array(std::size_t i) const noexcept {
    return array<std::int32_t>(i, {FieldType::kI32Array, FieldType::kI32Array});
  }
  [[nodiscard]] std::optional<std::span<const std::uint32_t>> getU32Array(std::size_t i) const noexcept {
    return array<std::uint32_t>(i, {FieldType::kU32Array, FieldType::kU32Array});
  }
  [[nodiscard]] std::optional<std::span<const std::int64_t>> getI64Array(std::size_t i) const noexcept {
    return array<std::int64_t>(i, {FieldType::kI64Array, FieldType::kI64Array});
  }
  [[nodiscard]] std::optional<std::span<const float>> getF32Array(std::size_t i) const noexcept {
    return array<float>(i, {FieldType::kF32Array, FieldType::kF32Array});
  }
  [[nodiscard]] std::optional<std::span<const double>> getF64Array(std::size_t i) const noexcept {
    return array<double>(i, {FieldType::kF64Array, FieldType::kF64Array});
  }

 private:
  struct TypePair {
    FieldType first;
    FieldType second;
  };

  [[nodiscard]] const Field* fieldAt(std::size_t i) const noexcept {
    const std::span<const Field> fields = view_->schema().fields();
    return seq_ && i < fields.size() && record_.present(fields[i]) ? &fields[i] : nullptr;
  }

  [[nodiscard]] const Field* present(std::size_t i, FieldKind kind) const noexcept {
    const Field* field = fieldAt(i);
    return field != nullptr && field->info().kind == kind ? field : nullptr;
  }

  template <FieldType kType, typename T>
  [[nodiscard]] std::optional<T> get(std::size_t i) const noexcept {
    const Field* field = fieldAt(i);
    if (field == nullptr || field->type != kType) return std::nullopt;
    return record_.number<T>(*field);
  }

  template <typename T>
  [[nodiscard]] std::optional<std::span<const T>> array(std::size_t i, TypePair types) const noexcept {
    const Field* field = fieldAt(i);
    if (field == nullptr || (field->type != types.first && field->type != types.second)) return std::nullopt;
    const auto pointer = record_.pointer(*field);
    if (!pointer) return std::nullopt;
    const std::span<const std::byte> bytes = record_.payload(*pointer);
    // A pointer that a foreign producer left unaligned names no array.
    if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(T) != 0) return std::nullopt;
    return std::span(reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T));
  }

  [[nodiscard]] std::string_view textOf(HeapPointer pointer) const noexcept {
    const std::span<const std::byte> bytes = record_.payload(pointer);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  const StrandView* view_;
  std::optional<std::uint64_t> seq_;
  RecordReader record_;
};

}  // namespace strand
