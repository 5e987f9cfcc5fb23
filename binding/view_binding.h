#pragma once

#include <napi.h>

namespace strand::binding {

/// openView(buffer) → view | fault
Napi::Value openView(const Napi::CallbackInfo& info);

}  // namespace strand::binding
