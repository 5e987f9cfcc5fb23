#pragma once

#include <napi.h>

namespace strand::binding {

/// openWriter(buffer, millis) → writer | fault | status
Napi::Value openWriter(const Napi::CallbackInfo& info);

}  // namespace strand::binding
