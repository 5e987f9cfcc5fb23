#include "scan_binding.h"

#include <algorithm>
#include <vector>

#include "convert.h"
#include "handle.h"
#include "kernels/bits.h"
#include "kernels/bounds.h"
#include "kernels/column_kernels.h"
#include "ring/window_ranges.h"

namespace strand::binding {
namespace {

napi_value elementOf(napi_env env, napi_value array, std::uint32_t index) noexcept {
  napi_value element = nullptr;
  napi_get_element(env, array, index, &element);
  return element;
}

/// Field index of a condition; one that does not exist for nonsense.
std::uint32_t fieldOf(napi_env env, napi_value condition) noexcept {
  std::uint32_t field = UINT32_MAX;
  napi_get_value_uint32(env, elementOf(env, condition, 0), &field);
  return field;
}

Status addCondition(napi_env env, WindowFilter& filter, napi_value condition) noexcept {
  std::uint32_t length = 0;
  if (napi_get_array_length(env, condition, &length) != napi_ok) return Status::kBadField;
  const std::uint32_t field = fieldOf(env, condition);
  const napi_value second = elementOf(env, condition, 1);
  if (length == 2) return filter.addHandles(field, wordsOf(env, second));
  return filter.addBetween(field, numberOf(env, second), numberOf(env, elementOf(env, condition, 2)));
}

napi_value toNapi(napi_env env, const Field& field, const Value& value) noexcept {
  constexpr std::uint32_t kLongBytes = 8;
  napi_value result = nullptr;
  if (const auto* real = std::get_if<double>(&value)) {
    napi_create_double(env, *real, &result);
  } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    if (field.width == kLongBytes) {
      napi_create_bigint_int64(env, *integer, &result);
    } else {
      napi_create_int64(env, *integer, &result);
    }
  } else if (const auto* natural = std::get_if<std::uint64_t>(&value)) {
    if (field.width == kLongBytes) {
      napi_create_bigint_uint64(env, *natural, &result);
    } else {
      napi_create_double(env, static_cast<double>(*natural), &result);
    }
  }
  return result;
}

Napi::Value countBits(const Napi::CallbackInfo& info) {
  const std::uint64_t count = kernels::columnKernels().countBits(wordsOf(info.Env(), info[0]));
  return {info.Env(), toNumber(info.Env(), count)};
}

void intersectBits(const Napi::CallbackInfo& info) {
  kernels::intersectBits(wordsOf(info.Env(), info[0]), wordsOf(info.Env(), info[1]));
}

void uniteBits(const Napi::CallbackInfo& info) {
  kernels::uniteBits(wordsOf(info.Env(), info[0]), wordsOf(info.Env(), info[1]));
}

Napi::Value allBelow(const Napi::CallbackInfo& info) {
  const bool below = kernels::allBelow(wordsOf(info.Env(), info[0]), info[1].As<Napi::Number>().Uint32Value());
  return Napi::Boolean::New(info.Env(), below);
}

}  // namespace

napi_value filterWindow(napi_env env, const StrandView& view, napi_value conditions, Mailbox& box) noexcept {
  WindowFilter filter(view);
  std::uint32_t count = 0;
  napi_get_array_length(env, conditions, &count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const Status status = addCondition(env, filter, elementOf(env, conditions, i));
    if (status != Status::kOk) return toValue(env, status);
  }
  const RecordRange range = filter.look();
  const Napi::Uint32Array bits = Napi::Uint32Array::New(env, static_cast<std::size_t>(halvesFor(range.count)));
  // A thread that is being terminated gets no array.
  if (bits.IsEmpty()) return nullptr;
  const Status status = filter.apply(range, wordsOf(env, bits));
  if (status != Status::kOk) return toValue(env, status);
  box.set(Box::kOutSeq, range.start);
  box.set(Box::kOutCount, range.count);
  return bits;
}

napi_value rangesOf(napi_env env, const StrandView& view, const RecordRange& range,
                    std::span<const std::uint32_t> bits) noexcept {
  std::vector<FieldRange> ranges;
  const Status status = computeRanges(view, range, bits, ranges);
  if (status != Status::kOk) return toValue(env, status);
  napi_value result = nullptr;
  napi_create_array(env, &result);
  std::uint32_t at = 0;
  for (const FieldRange& found : ranges) {
    const Field& field = view.schema().fields()[found.field];
    napi_set_element(env, result, at++, toValue(env, static_cast<std::uint32_t>(found.field)));
    napi_set_element(env, result, at++, toNapi(env, field, found.low));
    napi_set_element(env, result, at++, toNapi(env, field, found.high));
  }
  return result;
}

void addWordFunctions(Napi::Object exports) noexcept {
  const Napi::Env env = exports.Env();
  exports.Set("countBits", Napi::Function::New<countBits>(env));
  exports.Set("intersectBits", Napi::Function::New<intersectBits>(env));
  exports.Set("uniteBits", Napi::Function::New<uniteBits>(env));
  exports.Set("allBelow", Napi::Function::New<allBelow>(env));
}

}  // namespace strand::binding
