#pragma once

#include <cstdlib>
#include <string_view>

namespace strand::test {

/// Whether tests run in their long form: STRAND_LONG=1 in the environment.
inline bool longForm() {
  const char* const given = std::getenv("STRAND_LONG");
  return given != nullptr && std::string_view(given) == "1";
}

}  // namespace strand::test
