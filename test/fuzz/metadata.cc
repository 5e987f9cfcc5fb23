#include "record/metadata.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

/// Input: metadata. Names that were read from it are the ones that come back when they are written again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> names;
  if (!strand::parseColumnNames({reinterpret_cast<const char*>(data), size}, names).ok()) return 0;
  std::vector<strand::FieldSpec> specs;
  for (const std::string& name : names) specs.push_back({name, strand::FieldType::kU8});
  strand::Schema schema;
  // Names may be empty or occur twice, which is the schema's to refuse.
  if (!strand::Schema::build(specs, schema).ok()) return 0;
  std::vector<std::string> again;
  if (!strand::parseColumnNames(strand::composeMetadata(schema, {}), again).ok() || again != names) std::abort();
  return 0;
}
