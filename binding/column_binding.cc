#include "column_binding.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "handle.h"
#include "kernels/text_pieces.h"
#include "typed_array.h"

namespace strand::binding {
namespace {

napi_value elementAt(napi_env env, napi_value list, std::size_t index) noexcept {
  napi_value value = nullptr;
  if (napi_get_element(env, list, static_cast<std::uint32_t>(index), &value) != napi_ok) return nullptr;
  return value;
}

napi_value answer(napi_env env, Status status, const StrandView& view, Mailbox& box) noexcept {
  if (status == Status::kBehind) box.set(Box::kOutSeq, oldestIntact(view));
  return toValue(env, status);
}

}  // namespace

napi_value ColumnReads::gatherColumns(napi_env env, napi_callback_info info, const StrandView& view,
                                      Mailbox& box) noexcept {
  const Arguments<6> arguments(env, info);
  const std::uint64_t from = arguments.position(0);
  const std::uint64_t to = arguments.position(1);
  const std::span<const std::uint32_t> fields = elementsOf<std::uint32_t>(env, arguments[2]);
  const std::span<const Field> known = view.schema().fields();
  std::vector<ColumnTarget> targets(fields.size());
  for (std::size_t k = 0; k < fields.size(); ++k) {
    ColumnTarget& target = targets[k];
    target.field = fields[k];
    const napi_value values = elementAt(env, arguments[3], k);
    if (target.field < known.size() && known[target.field].info().inHeap()) {
      target.offsets = elementsOf<std::int32_t>(env, values);
    } else {
      target.values = rawBytesOf(env, values);
    }
    target.validity = elementsOf<std::uint32_t>(env, elementAt(env, arguments[4], k));
  }
  const Status status = gather_.gather(view, from, to, targets);
  const std::span<double> summaries = elementsOf<double>(env, arguments[5]);
  for (std::size_t k = 0; k < fields.size() && 2 * k + 1 < summaries.size(); ++k) {
    const ColumnSummary summary = gather_.summary(k);
    summaries[2 * k] = static_cast<double>(summary.payloadBytes);
    summaries[2 * k + 1] = static_cast<double>(summary.absent);
  }
  return answer(env, status, view, box);
}

napi_value ColumnReads::gatherPayloads(napi_env env, napi_callback_info info, const StrandView& view,
                                       Mailbox& box) noexcept {
  const Arguments<2> arguments(env, info);
  const Status status = gather_.copyPayloads(view, arguments.number(0), rawBytesOf(env, arguments[1]));
  return answer(env, status, view, box);
}

napi_value ColumnWrites::openColumns(napi_env env, napi_callback_info info, StrandWriter& writer,
                                     Mailbox& box) noexcept {
  const Arguments<5> arguments(env, info);
  constexpr std::uint8_t kFormBits = 3;
  constexpr std::uint8_t kHasValidity = 4;
  closeColumns();
  const std::span<const std::uint8_t> forms = elementsOf<std::uint8_t>(env, arguments[0]);
  const std::size_t fields = writer.schema().fields().size();
  sources_.assign(fields, {});
  lists_.resize(fields);
  for (std::size_t k = 0; k < std::min(fields, forms.size()); ++k) {
    ColumnSource& source = sources_[k];
    source.form = static_cast<ColumnSource::Form>(forms[k] & kFormBits);
    if (source.form == ColumnSource::Form::kLeftOut) continue;
    const napi_value values = elementAt(env, arguments[1], k);
    if (source.form == ColumnSource::Form::kList) {
      std::uint32_t length = 0;
      napi_get_array_length(env, values, &length);
      lists_[k].resize(length);
      // A scope for each would cost as much as the rest, and one for all would hold as many handles.
      constexpr std::uint32_t kPerScope = 256;
      for (std::uint32_t from = 0; from < length; from += kPerScope) {
        napi_handle_scope scope = nullptr;
        napi_open_handle_scope(env, &scope);
        for (std::uint32_t i = from; i < std::min(length, from + kPerScope); ++i) {
          lists_[k][i] = rawBytesOf(env, elementAt(env, values, i));
        }
        napi_close_handle_scope(env, scope);
      }
      source.list = lists_[k];
    } else {
      source.values = rawBytesOf(env, values);
      if (source.form == ColumnSource::Form::kPacked) {
        source.offsets = elementsOf<std::int32_t>(env, elementAt(env, arguments[2], k));
      }
    }
    if ((forms[k] & kHasValidity) != 0) {
      source.validity = elementsOf<std::uint32_t>(env, elementAt(env, arguments[3], k));
    }
  }
  batch_.emplace(writer, sources_, arguments.position(4));
  const ColumnFault fault = batch_->check();
  box.set(Box::kOutCount, std::uint64_t{fault.field});
  box.set(Box::kOutSeq, fault.record);
  box.set(Box::kOutBytes, fault.bytes);
  return toValue(env, fault.error);
}

napi_value ColumnWrites::stepColumns(napi_env env, StrandWriter& writer, Mailbox& box) noexcept {
  if (!batch_) return toValue(env, Status::kClosed);
  const Status status = batch_->step();
  if (status == Status::kOk || writer.batchOpen()) box.set(Box::kOutPublished, writer.publishedInBatch());
  return toValue(env, status);
}

void ColumnWrites::closeColumns() noexcept {
  batch_.reset();
  sources_.clear();
  for (auto& list : lists_) list = {};
}

napi_value ColumnWrites::encodeTexts(napi_env env, napi_callback_info info) noexcept {
  const Arguments<6> arguments(env, info);
  constexpr std::size_t kKeptUnits = std::size_t{64} * 1024;
  std::size_t units = 0;
  if (napi_get_value_string_utf16(env, arguments[0], nullptr, 0, &units) != napi_ok) return toValue(env, 0U);
  // The engine ends the text with a zero of its own.
  if (text_.size() < units + 1) text_.resize(units + 1);
  napi_get_value_string_utf16(env, arguments[0], text_.data(), text_.size(), &units);
  const std::span<std::int32_t> ends = elementsOf<std::int32_t>(env, arguments[1]);
  const std::span<std::byte> target = rawBytesOf(env, arguments[4]);
  const std::uint64_t first = std::min<std::uint64_t>(arguments.position(2), ends.size());
  const std::uint64_t count = std::min<std::uint64_t>(arguments.position(3), ends.size() - first);
  const std::uint64_t at = std::min<std::uint64_t>(arguments.position(5), target.size());
  const std::span<char> room(reinterpret_cast<char*>(target.data()) + at, target.size() - at);
  std::size_t written = 0;
  if (room.size() >= 3 * units) {
    written = kernels::encodePieces(std::u16string_view(text_).substr(0, units), ends.subspan(first, count),
                                    static_cast<std::int32_t>(at), room);
  }
  if (text_.size() > kKeptUnits) text_ = {};
  return toNumber(env, written);
}

}  // namespace strand::binding
