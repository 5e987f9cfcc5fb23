#pragma once

#include <napi.h>

namespace strand::binding {

/// registryBytes(keys), initRegistry(bytes, id), registryId(bytes), openRegistry(bytes, thread)
void addRegistryFunctions(Napi::Object exports) noexcept;

}  // namespace strand::binding
