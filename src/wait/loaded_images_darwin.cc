#include "wait/loaded_images.h"

#if defined(__APPLE__)

// Compiled and run on no Mac so far.
#include <mach-o/dyld.h>

namespace strand::wait {

std::uint64_t loadedImagesGeneration() noexcept {
  // FNV-1a over the images' addresses: dyld tells how many there are, not how often that changed.
  std::uint64_t hash = 0xCBF29CE484222325U;
  const std::uint32_t count = _dyld_image_count();
  for (std::uint32_t i = 0; i < count; ++i) {
    hash = (hash ^ reinterpret_cast<std::uintptr_t>(_dyld_get_image_header(i))) * 0x100000001B3U;
  }
  return hash;
}

std::vector<std::string> loadedImagePaths() {
  std::vector<std::string> paths;
  const std::uint32_t count = _dyld_image_count();
  for (std::uint32_t i = 0; i < count; ++i) {
    // Null where an image went away meanwhile.
    if (const char* const path = _dyld_get_image_name(i); path != nullptr) {
      paths.emplace_back(path);
    }
  }
  return paths;
}

}  // namespace strand::wait

#endif
