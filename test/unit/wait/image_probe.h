#pragma once

#include <cstdint>

/// What a test asks an image of the core to do. The build makes image_probe.cc and the core into a
/// module of their own (target strand_image_probe); the test loads copies of that file, which gives
/// as many images in one process.
struct StrandImageProbe {
  std::uint64_t (*imageId)();
  /// Enters the image into an IMAGE word.
  void (*join)(std::uint64_t* image);
  /// Adds the image's one asynchronous waiter, on `counter`, or moves it there.
  void (*listen)(const std::uint32_t* counter);
  /// Removes it.
  void (*forget)();
  /// How often the image's event loop has been woken.
  int (*wakes)();
  /// Notifies the event count over these words, from inside the image.
  void (*notify)(std::uint32_t* counter, std::uint32_t* waiters, std::uint64_t* image);
};

inline constexpr const char* kStrandImageProbe = "strandImageProbe";
