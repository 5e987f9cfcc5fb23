#pragma once

#include <string>
#include <string_view>

namespace strand::test {

/// "f" and 7: "f7". (Adding strings trips a false -Wrestrict warning of GCC 12.)
inline std::string numbered(std::string_view prefix, std::size_t number) {
  std::string name(prefix);
  name += std::to_string(number);
  return name;
}

}  // namespace strand::test
