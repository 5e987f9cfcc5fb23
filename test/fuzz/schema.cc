#include "record/schema.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

/// Input: stride u16, then a binary schema. One that is accepted keeps its fields inside the record and apart, and
/// encodes to the bytes it came from.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::uint32_t stride = data[0] | (std::uint32_t{data[1]} << 8);
  const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(data) + 2, size - 2);
  strand::Schema schema;
  if (!strand::Schema::decode(bytes, stride, schema).ok()) return 0;
  const std::vector<std::byte> again = schema.encode();
  if (!std::equal(again.begin(), again.end(), bytes.begin(), bytes.end())) std::abort();
  std::vector<bool> taken(stride, false);
  std::fill_n(taken.begin(), schema.bitmapBytes(), true);
  for (const strand::Field& field : schema.fields()) {
    for (std::uint32_t i = 0; i < field.width; ++i) {
      if (field.offset + i >= stride || taken[field.offset + i]) std::abort();
      taken[field.offset + i] = true;
    }
  }
  return 0;
}
