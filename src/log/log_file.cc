#include "log/log_file.h"

#include <algorithm>
#include <utility>

#include "log/recovery.h"
#include "memory/boot_id.h"
#include "memory/little_endian.h"
#include "memory/random_word.h"

namespace strand {

using namespace layout;

namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 53U;

FrameFormat formatOf(const LogOptions& options) noexcept {
  const FrameFormat narrow{2, false};
  return options.checksum ? FrameFormat{4, true}
                          : (options.maxFrameBytes > narrow.maxPayload() ? FrameFormat{4, false} : narrow);
}

bool checkSizes(const LogOptions& options, Fault& fault) noexcept {
  if (options.maxFrameBytes > kMaxWidePayload) {
    fault = Fault::range("maxFrameBytes is at most " + std::to_string(kMaxWidePayload) + ", got " +
                         std::to_string(options.maxFrameBytes));
  } else if (options.capacity > kMostBytes || options.maxCapacity > kMostBytes) {
    fault = Fault::range("a log holds at most 2^53 bytes");
  } else if (options.maxCapacity != 0 && options.maxCapacity < options.capacity) {
    fault = Fault::range("maxCapacityBytes is " + std::to_string(options.maxCapacity) +
                         ", less than the capacityBytes of " + std::to_string(options.capacity));
  }
  return fault.ok();
}

/// The header goes to the empty file in one piece, before the file gets its size: whatever interrupts the making, the
/// file is empty or a log.
bool makeLog(const OpenFile& file, const LogOptions& options, Fault& fault) noexcept {
  LogHeader header = planLogHeader(options.capacity, options.maxCapacity, formatOf(options));
  if (header.extended) header.identity = options.identity != 0 ? options.identity : randomWord();
  if (options.capacity == 0) {
    fault = Fault::range("a new log takes capacityBytes, the bytes of its file");
  } else if (options.capacity < kPlainLogHeaderSize + header.format.overhead()) {
    fault = Fault::range("capacityBytes is " + std::to_string(options.capacity) + ", a log of one empty frame takes " +
                         std::to_string(kPlainLogHeaderSize + header.format.overhead()));
  } else if (!header.extended && (header.format.width != 2 || header.format.checked)) {
    fault = Fault::range("capacityBytes is " + std::to_string(options.capacity) +
                         ", a log of large or of checked frames takes at least " +
                         std::to_string(kLogHeaderSize + header.format.overhead()));
  } else if (!header.extended && header.maxCapacity > header.capacity) {
    fault = Fault::range("a log that grows takes a capacityBytes of at least " +
                         std::to_string(kLogHeaderSize + header.format.overhead()));
  }
  LogHeaderBytes bytes;
  encodeLogHeader(header, bytes);
  if (fault.ok() && file.write(0, bytes.data(), header.headerSize, fault) && file.allocate(options.capacity, fault)) {
    return true;
  }
  (void)file.truncate(0);
  if (file.created()) file.unlink();
  return false;
}

bool checkFormat(const LogHeader& header, const LogOptions& options, Fault& fault) noexcept {
  const auto refuse = [&](const std::string& found, const std::string& asked) {
    fault = Fault::format("'" + options.path + "' has " + found + ", " + asked +
                          ": a log keeps the frames it was made with, begin another file");
    return false;
  };
  if (options.maxFrameBytes > header.format.maxPayload()) {
    return refuse("frames of at most " + std::to_string(header.format.maxPayload()) + " bytes",
                  "maxFrameBytes asks for " + std::to_string(options.maxFrameBytes));
  }
  if (options.checksum && !header.format.checked) return refuse("frames without checksums", "checksum asks for them");
  return true;
}

/// After a loss of power SIZE may be on the disk while the length of the file, which had grown, is not. What lies before
/// DURABLE was flushed together with the length that it needs; recovery finds out how far the rest goes.
bool lostItsLength(std::span<const std::byte> bytes, std::uint64_t fileSize, const std::string& path,
                   std::uint64_t bootId, LogHeader& header, std::uint64_t& committed) noexcept {
  Fault ignored;
  if (!decodeLogHeader(bytes, kMostBytes, path, header, committed, ignored) || !header.extended) return false;
  const bool sameBoot = bootId != 0 && loadLittle<std::uint64_t>(bytes.data() + kLogOffsetBoot) == bootId;
  return !sameBoot && committed > fileSize && committed <= header.maxCapacity &&
         loadLittle<std::uint64_t>(bytes.data() + kLogOffsetDurable) <= fileSize;
}

}  // namespace

std::shared_ptr<LogFile> LogFile::open(const LogOptions& options, Fault& fault) noexcept {
  if (!checkSizes(options, fault)) return nullptr;
  OpenFile file =
      OpenFile::open(options.path, options.writable ? OpenFile::Access::kCreate : OpenFile::Access::kRead, fault);
  if (!fault.ok()) return nullptr;
  if (options.writable && !file.lock(kLogWriterLock, fault)) {
    if (fault.ok())
      fault =
          Fault::locked("'" + options.path + "' has a writer already: a log has one at a time. Close that one first");
    return nullptr;
  }
  if (options.writable && file.size() == 0 && !makeLog(file, options, fault)) return nullptr;

  LogHeaderBytes bytes{};
  const auto known = static_cast<std::size_t>(std::min<std::uint64_t>(file.size(), bytes.size()));
  if (!file.read(0, bytes.data(), known)) {
    fault = Fault::file("cannot read '" + options.path + "'");
    return nullptr;
  }
  // Behind the header: what a writer has committed by growing the file lies in a file that has grown.
  const std::uint64_t fileSize = file.size();
  LogHeader header;
  std::uint64_t committed = 0;
  const auto start = std::span(bytes).first(known);
  const std::uint64_t bootId = options.bootId != 0 ? options.bootId : currentBootId();
  if (!decodeLogHeader(start, fileSize, options.path, header, committed, fault)) {
    if (!options.writable || !lostItsLength(start, fileSize, options.path, bootId, header, committed)) return nullptr;
    fault = {};
  }
  if (!checkFormat(header, options, fault)) return nullptr;
  // Fills holes, and the rest of a file whose making was interrupted.
  if (options.writable && !file.allocate(std::max({fileSize, header.capacity, committed}), fault)) return nullptr;

  auto memory = MappedFile::map(std::move(file),
                                {.writable = options.writable,
                                 .reserve = std::max(fileSize, header.maxCapacity),
                                 .sharedBytes = header.extended ? kLogHeaderSize : 0,
                                 // A writer that commits without a call sees it by the header.
                                 .loses = options.writable ? BusGuard::Loses::kAll : BusGuard::Loses::kTheRest,
                                 .onFlush = options.onFlush},
                                fault);
  if (memory == nullptr) return nullptr;
  auto log = std::make_shared<LogFile>(std::move(memory), header);
  if (options.writable && !recoverLog(*log, bootId, fault)) return nullptr;
  return log;
}

LogFile::LogFile(std::shared_ptr<MappedFile> memory, const LogHeader& header) noexcept
    : memory_(std::move(memory)), header_(header) {}

LogFile::~LogFile() {
  if (memory_->writable()) memory_->file().unlock(kLogWriterLock);
}

std::optional<wait::EventCount> LogFile::event() const noexcept {
  if (!header_.extended || memory_->shared() == nullptr) return std::nullopt;
  return wait::EventCount(Word32(memory_->shared(), kLogOffsetEvent), Word32(memory_->shared(), kLogOffsetEvent + 4),
                          wait::Scope::kSystem);
}

bool LogFile::findTruncation(std::uint64_t bytes) noexcept {
  // SIZE itself may be among what was cut off.
  const std::uint64_t least = std::max({bytes, header_.dataOffset, std::min(committed(), memory_->reserved())});
  if (!gone() && memory_->file().size() < least) lost_.store(true, std::memory_order_relaxed);
  return gone();
}

std::uint64_t LogFile::durable(std::uint64_t committed) const noexcept {
  const std::uint64_t durable = word(kLogOffsetDurable).loadAcquire();
  return durable >= header_.dataOffset && durable <= committed ? durable : header_.dataOffset;
}

}  // namespace strand
