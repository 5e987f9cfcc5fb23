#include "column_binding.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "handle.h"
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

}  // namespace strand::binding
