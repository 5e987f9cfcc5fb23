#pragma once

#include <napi.h>

namespace strand::binding {

/// takeFileLock(path) → lock, undefined where somebody else has it, or a fault
Napi::Value takeFileLock(const Napi::CallbackInfo& info);

}  // namespace strand::binding
