#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "kernels/utf8.h"
#include "support/reference_utf8.h"

/// UTF-8 decodes as the reference does, whatever the bytes are.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const char> bytes(reinterpret_cast<const char*>(data), size);
  std::u16string decoded;
  strand::kernels::appendUtf16(bytes, decoded);
  if (decoded != strand::test::referenceUtf16(bytes)) std::abort();
  return 0;
}
