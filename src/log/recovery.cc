#include "log/recovery.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <span>

#include "kernels/crc32c.h"

#if defined(__APPLE__)
#include <sys/sysctl.h>
#endif

namespace strand {

using namespace layout;

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
  const auto bytes = std::as_bytes(std::span(text)).first(length);
  constexpr std::uint32_t kOther = 0x9E3779B9;
  return (std::uint64_t{crc32c(kOther, bytes)} << 32U) | crc32c(0, bytes);
}

std::uint64_t soundUpTo(const LogFile& log, std::uint64_t from, std::uint64_t to) noexcept {
  const FrameFormat& format = log.format();
  std::uint64_t at = from;
  while (at < to) {
    const std::uint64_t total = format.totalAt(log.data(), at, to);
    if (total == 0 || !format.sound(log.data(), at, total)) break;
    at += total;
  }
  return at;
}

bool recoverLog(LogFile& log, std::uint64_t bootId, Fault& fault) noexcept {
  const std::uint64_t committed = log.committed();
  const std::uint64_t begin = log.header().dataOffset;
  const std::string& path = log.memory().file().path();
  if (!log.header().extended) {
    const std::uint64_t end = soundUpTo(log, begin, committed);
    if (end == committed) return true;
    fault =
        Fault::format("'" + path + "' is no log, or a damaged one: there is no frame at byte " + std::to_string(end) +
                      " of its " + std::to_string(committed) + ". Open it for reading to save what comes before");
    return false;
  }

  const std::uint64_t fileSize = log.memory().file().size();
  if (bootId != 0 && bootId == log.word(kLogOffsetBoot).loadAcquire()) {
    const std::uint64_t used = std::min(log.word(kLogOffsetReserved).loadAcquire(), fileSize);
    if (used > committed) {
      // Flushed too: what was cleared may be whole frames that have reached the disk already, checksums included.
      if (!log.memory().file().clear(committed, used, fault)) return false;
      if (!log.memory().flush(committed, used - committed, fault)) return false;
    }
    log.word(kLogOffsetReserved).storeRelease(committed);
    return true;
  }
  const std::uint64_t end = soundUpTo(log, log.durable(committed), committed);
  if (end != committed) log.word(kLogOffsetSize).storeRelease(end);
  if (!log.memory().file().clear(end, fileSize, fault)) return false;
  log.word(kLogOffsetReserved).storeRelease(end);
  // Cleared pages first: behind a header that says so, nothing of the older frames may come back.
  if (!log.memory().flush(end, fileSize - end, fault)) return false;
  if (!log.memory().flush(begin, end - begin, fault)) return false;
  log.word(kLogOffsetDurable).storeRelease(end);
  log.word(kLogOffsetBoot).storeRelease(bootId);
  return log.memory().flush(0, log.header().headerSize, fault);
}

}  // namespace strand
