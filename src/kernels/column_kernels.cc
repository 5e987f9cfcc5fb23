#include "kernels/column_kernels.h"

#include <array>
#include <cstdlib>

namespace strand::kernels {
namespace {

struct Supported {
  std::array<const ColumnKernels*, 3> list{};
  std::size_t count = 0;

  void add(const ColumnKernels& kernels) noexcept { list[count++] = &kernels; }
};

Supported detect() noexcept {
  Supported supported;
  supported.add(kGenericKernels);
#if defined(STRAND_X86_KERNELS)
  // Asks for the operating system's support of the wide registers, too.
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") != 0) {
    supported.add(kAvx2Kernels);
    if (__builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512vl") != 0) {
      supported.add(kAvx512Kernels);
    }
  }
#endif
  return supported;
}

}  // namespace

std::span<const ColumnKernels* const> supportedKernels() noexcept {
  static const Supported kSupported = detect();
  return {kSupported.list.data(), kSupported.count};
}

const ColumnKernels& chooseKernels(const char* wanted) noexcept {
  const std::span<const ColumnKernels* const> supported = supportedKernels();
  for (const ColumnKernels* kernels : supported) {
    if (wanted != nullptr && kernels->name == wanted) return *kernels;
  }
  return *supported.back();
}

const ColumnKernels& columnKernels() noexcept {
  // Read once, by the first thread that scans.
  static const ColumnKernels& chosen = chooseKernels(std::getenv("STRAND_KERNELS"));  // NOLINT(concurrency-mt-unsafe)
  return chosen;
}

}  // namespace strand::kernels
