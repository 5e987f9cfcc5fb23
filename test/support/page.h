#pragma once

#include <unistd.h>

#include <cstddef>

namespace strand::test {

/// Bytes of a page of memory.
inline const std::size_t kPage = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));

}  // namespace strand::test
