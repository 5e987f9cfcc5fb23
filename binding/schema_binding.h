#pragma once

#include <napi.h>

namespace strand::binding {

/// Schemas, geometry and headers: buildSchema … computeTotalBytes.
void addSchemaFunctions(Napi::Object exports) noexcept;

}  // namespace strand::binding
