#include "wait/image.h"

#if defined(_WIN32)

#define WIN32_LEAN_AND_MEAN
#if !defined(NOMINMAX)
#define NOMINMAX
#endif
#include <windows.h>
// after windows.h
#include <psapi.h>

#include <vector>

namespace strand::wait {
namespace {

using SignalAsync = void (*)(const std::uint32_t*);

HMODULE ownModule() noexcept {
  static const char kHere = 0;
  HMODULE module = nullptr;
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                     reinterpret_cast<LPCWSTR>(&kHere), &module);
  return module;
}

std::vector<HMODULE> loadedModules() {
  std::vector<HMODULE> modules(256);
  for (;;) {
    const auto room = static_cast<DWORD>(modules.size() * sizeof(HMODULE));
    DWORD needed = 0;
    if (K32EnumProcessModules(GetCurrentProcess(), modules.data(), room, &needed) == FALSE) {
      return {};
    }
    modules.resize(needed / sizeof(HMODULE));
    if (needed <= room) {
      return modules;
    }
  }
}

}  // namespace

// Windows does not tell cheaply whether a module was loaded or unloaded, so every call looks afresh; only strands
// that two copies of the package wait on asynchronously pay for it.
void signalOtherImages(const std::uint32_t* counter) noexcept {
  const HMODULE self = ownModule();
  for (const HMODULE module : loadedModules()) {
    if (module == self) {
      continue;
    }
    // Taken by address, the module is held for the call; it may be gone by now, then there is nobody to wake.
    HMODULE held = nullptr;
    if (GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, reinterpret_cast<LPCWSTR>(module), &held) == FALSE) {
      continue;
    }
    if (const FARPROC function = GetProcAddress(held, kSignalAsyncSymbol); function != nullptr) {
      // Through void*: the types of the two functions have nothing in common for the compiler.
      reinterpret_cast<SignalAsync>(reinterpret_cast<void*>(function))(counter);
    }
    FreeLibrary(held);
  }
}

}  // namespace strand::wait

#endif
