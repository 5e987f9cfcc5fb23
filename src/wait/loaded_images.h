#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// What the dynamic loader has loaded into this process; defined by loaded_images_{elf,darwin}.cc.
namespace strand::wait {

/// Changes whenever an image is loaded or unloaded. Cheap enough for every wake-up of another image.
[[nodiscard]] std::uint64_t loadedImagesGeneration() noexcept;

/// Paths as `dlopen` knows them; the main program's is empty.
[[nodiscard]] std::vector<std::string> loadedImagePaths();

}  // namespace strand::wait
