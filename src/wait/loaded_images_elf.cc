#include "wait/loaded_images.h"

#if !defined(_WIN32) && !defined(__APPLE__)

#include <link.h>

#include <cstddef>

namespace strand::wait {
namespace {

int readGeneration(dl_phdr_info* info, std::size_t /*size*/, void* out) noexcept {
  // Two counts that only grow, so their sum is never seen twice (musl never unloads, and counts loads alone).
  *static_cast<std::uint64_t*>(out) = info->dlpi_adds + info->dlpi_subs;
  return 1;  // the first image has told it
}

int collectPath(dl_phdr_info* info, std::size_t /*size*/, void* out) {
  static_cast<std::vector<std::string>*>(out)->emplace_back(info->dlpi_name != nullptr ? info->dlpi_name : "");
  return 0;
}

}  // namespace

std::uint64_t loadedImagesGeneration() noexcept {
  std::uint64_t generation = 0;
  dl_iterate_phdr(readGeneration, &generation);
  return generation;
}

std::vector<std::string> loadedImagePaths() {
  std::vector<std::string> paths;
  dl_iterate_phdr(collectPath, &paths);
  return paths;
}

}  // namespace strand::wait

#endif
