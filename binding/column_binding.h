#pragma once

#include <napi.h>

#include "mailbox.h"
#include "ring/column_gather.h"
#include "ring/strand_view.h"

namespace strand::binding {

/// The calls of a view that read columns.
class ColumnReads {
 public:
  napi_value gatherColumns(napi_env env, napi_callback_info info, const StrandView& view, Mailbox& box) noexcept;
  napi_value gatherPayloads(napi_env env, napi_callback_info info, const StrandView& view, Mailbox& box) noexcept;

 private:
  ColumnGather gather_;
};

}  // namespace strand::binding
