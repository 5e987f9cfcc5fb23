#pragma once

#include <napi.h>

#include <cstdint>
#include <span>

#include "mailbox.h"
#include "ring/strand_view.h"
#include "ring/window_filter.h"

namespace strand::binding {

/// @param conditions `[[field, low, high] | [field, handles], …]`
/// @return a Uint32Array, with `OUT_SEQ` its first record and `OUT_COUNT` its records; or a status
napi_value filterWindow(napi_env env, const StrandView& view, napi_value conditions, Mailbox& box) noexcept;

/// @return `[field, low, high, …]` of the fields that have values; or a status
napi_value rangesOf(napi_env env, const StrandView& view, const RecordRange& range,
                    std::span<const std::uint32_t> bits) noexcept;

/// Adds `countBits`, `intersectBits`, `uniteBits` and `allBelow`.
void addWordFunctions(Napi::Object exports) noexcept;

}  // namespace strand::binding
