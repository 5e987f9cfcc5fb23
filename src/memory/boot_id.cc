#include "memory/boot_id.h"

#include <array>
#include <cstdio>
#include <memory>
#include <span>

#if defined(__APPLE__)
#include <sys/sysctl.h>
#endif

namespace strand {
namespace {

/// What the system calls this boot. → the name's length, 0 where it has none
std::size_t readBootName(std::span<char> text) noexcept {
#if defined(__APPLE__)
  std::size_t length = text.size();
  return sysctlbyname("kern.bootsessionuuid", text.data(), &length, nullptr, 0) == 0 ? length : 0;
#else
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/proc/sys/kernel/random/boot_id", "re"),
                                                             std::fclose);
  return file != nullptr ? std::fread(text.data(), 1, text.size(), file.get()) : 0;
#endif
}

}  // namespace

std::uint64_t currentBootId() noexcept {
  std::array<char, 64> text{};
  const std::size_t length = readBootName(text);
  if (length == 0) return 0;
  // FNV-1a, 64 bits.
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char c : std::span(text).first(length)) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return hash;
}

}  // namespace strand
