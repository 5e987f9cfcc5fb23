#include "record/schema.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "record/metadata.h"

/// A schema that is accepted encodes to the bytes it came from; metadata that is accepted names columns.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::uint32_t stride = (data[0] | (std::uint32_t{data[1]} << 8)) & ~3U;
  const std::span<const std::byte> rest(reinterpret_cast<const std::byte*>(data) + 2, size - 2);
  strand::Schema schema;
  if (strand::Schema::decode(rest, stride, schema).ok()) {
    const std::vector<std::byte> again = schema.encode();
    if (!std::equal(again.begin(), again.end(), rest.begin(), rest.end())) std::abort();
  }
  std::vector<std::string> names;
  (void)strand::parseColumnNames(std::string_view(reinterpret_cast<const char*>(data), size), names);
  return 0;
}
