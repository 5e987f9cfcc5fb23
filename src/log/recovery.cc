#include "log/recovery.h"

#include <algorithm>

namespace strand {

using namespace layout;

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
