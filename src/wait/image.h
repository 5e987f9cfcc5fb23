#pragma once

#include <cstdint>

#include "memory/atomic_word.h"

/// Two copies of the package in one process are two images of this code, each with its own `AsyncTable`. A strand
/// names the image whose event loops wait for it, so that a waker knows whether its own table is enough.
///
/// The IMAGE word of a strand only moves forward:
///
///     kNoImage ──join──▶ an image's id ──join by another──▶ kImagesMixed
///
/// Images find each other by an exported function, never by a pointer in shared memory.

#if defined(_WIN32)
#define STRAND_EXPORT __declspec(dllexport)
#else
#define STRAND_EXPORT __attribute__((visibility("default")))
#endif

/// Signals this image's table. The name is the agreement between images, also of other versions of the package:
/// who changes what it does, changes the name. A program that contains the core itself takes part if its symbols
/// are exported (CMake: ENABLE_EXPORTS).
// NOLINTNEXTLINE(readability-identifier-naming): a C symbol
extern "C" STRAND_EXPORT void strand_signal_async_v1(const std::uint32_t* counter);

namespace strand::wait {

inline constexpr std::uint64_t kNoImage = 0;
inline constexpr std::uint64_t kImagesMixed = ~std::uint64_t{0};

/// This image's id: random, neither 0 nor `kImagesMixed`, below 2^63.
[[nodiscard]] std::uint64_t imageId() noexcept;

/// Enters this image into a strand's IMAGE word. To be called before an asynchronous waiter raises its flag; the
/// waker reads the word after it has taken the flag.
void joinImage(Word64 image) noexcept;

inline constexpr const char* kSignalAsyncSymbol = "strand_signal_async_v1";

/// Signals the tables of all other images in this process. Defined by one of image_peers_*.cc.
void signalOtherImages(const std::uint32_t* counter) noexcept;

}  // namespace strand::wait
