#pragma once

#include <napi.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mailbox.h"
#include "ring/column_gather.h"
#include "ring/column_writer.h"
#include "ring/strand_view.h"
#include "ring/strand_writer.h"

namespace strand::binding {

/// The calls of a view that read columns.
class ColumnReads {
 public:
  napi_value gatherColumns(napi_env env, napi_callback_info info, const StrandView& view, Mailbox& box) noexcept;
  napi_value gatherPayloads(napi_env env, napi_callback_info info, const StrandView& view, Mailbox& box) noexcept;

 private:
  ColumnGather gather_;
};

/// The calls of a writer that take columns. From open to close no JavaScript of the user's runs, so that no array can be
/// detached or shrink meanwhile; the TypeScript behind it keeps all of them alive.
class ColumnWrites {
 public:
  napi_value openColumns(napi_env env, napi_callback_info info, StrandWriter& writer, Mailbox& box) noexcept;
  napi_value stepColumns(napi_env env, StrandWriter& writer, Mailbox& box) noexcept;
  void closeColumns() noexcept;
  napi_value encodeTexts(napi_env env, napi_callback_info info) noexcept;

 private:
  std::vector<ColumnSource> sources_;
  std::vector<std::vector<std::span<const std::byte>>> lists_;
  std::optional<ColumnBatch> batch_;
  std::u16string text_;
};

}  // namespace strand::binding
