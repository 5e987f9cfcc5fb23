#pragma once

#include <napi.h>

namespace strand::binding {

/// openLog({ path, writable, capacity, maxCapacity, maxFrameBytes, checksum, durability }) → log | fault
Napi::Value openLog(const Napi::CallbackInfo& info);

}  // namespace strand::binding
