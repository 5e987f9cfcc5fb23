#pragma once

#include <napi.h>

namespace strand::binding {

/// The core's numbers under the names by which TypeScript asks for them.
void addConstants(Napi::Object exports) noexcept;

}  // namespace strand::binding
