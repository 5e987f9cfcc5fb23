#include "log/log_header.h"

#include <algorithm>

#include "memory/little_endian.h"
#include "record/crc32.h"

namespace strand {

using namespace layout;

namespace {

std::uint32_t extensionCrc(std::span<const std::byte> bytes) noexcept {
  return crc32(bytes.subspan(kLogOffsetMagic, kLogOffsetExtensionCrc - kLogOffsetMagic));
}

bool decodeExtension(std::span<const std::byte> bytes, const std::string& path, LogHeader& out, Fault& fault) noexcept {
  const std::byte* base = bytes.data();
  const auto refuse = [&](const std::string& why) {
    fault = Fault::format("'" + path + "' is no log that this version reads: " + why);
    return false;
  };
  const auto version = loadLittle<std::uint32_t>(base + kLogOffsetVersion);
  if (version != kLogVersion) {
    return refuse("its version is " + std::to_string(version) + ", known is " + std::to_string(kLogVersion));
  }
  if (loadLittle<std::uint32_t>(base + kLogOffsetExtensionCrc) != extensionCrc(bytes)) {
    return refuse("the CRC of its header does not fit");
  }
  out.extended = true;
  out.format.width = loadLittle<std::uint32_t>(base + kLogOffsetFrameWidth);
  const auto flags = loadLittle<std::uint32_t>(base + kLogOffsetFlags);
  out.format.checked = (flags & kLogFlagChecksum) != 0;
  if ((out.format.width != 2 && out.format.width != 4) || (flags & ~kLogFlagChecksum) != 0 ||
      (out.format.checked && out.format.width != 4)) {
    return refuse("its frames are of an unknown kind");
  }
  out.capacity = loadLittle<std::uint64_t>(base + kLogOffsetCapacity);
  out.maxCapacity = loadLittle<std::uint64_t>(base + kLogOffsetMaxCapacity);
  out.identity = loadLittle<std::uint64_t>(base + kLogOffsetIdentity);
  constexpr std::uint64_t kMost = std::uint64_t{1} << 53U;
  if (out.capacity < out.dataOffset || out.maxCapacity < out.capacity || out.maxCapacity > kMost) {
    return refuse("its capacities contradict each other");
  }
  return true;
}

}  // namespace

LogHeader planLogHeader(std::uint64_t capacity, std::uint64_t maxCapacity, FrameFormat format) noexcept {
  LogHeader header;
  header.format = format;
  header.capacity = capacity;
  header.maxCapacity = std::max(capacity, maxCapacity);
  header.extended = capacity >= kLogHeaderSize + format.overhead();
  if (header.extended) header.headerSize = header.dataOffset = kLogHeaderSize;
  return header;
}

void encodeLogHeader(const LogHeader& header, LogHeaderBytes& out) noexcept {
  out.fill(std::byte{0});
  std::byte* base = out.data();
  storeLittle(base + kLogOffsetHeaderSize, header.headerSize);
  storeLittle(base + kLogOffsetDataOffset, header.dataOffset);
  storeLittle(base + kLogOffsetSize, header.dataOffset);
  if (!header.extended) return;
  storeLittle(base + kLogOffsetMagic, kLogMagic);
  storeLittle(base + kLogOffsetVersion, kLogVersion);
  storeLittle(base + kLogOffsetFrameWidth, header.format.width);
  storeLittle(base + kLogOffsetFlags, header.format.checked ? kLogFlagChecksum : 0U);
  storeLittle(base + kLogOffsetCapacity, header.capacity);
  storeLittle(base + kLogOffsetMaxCapacity, header.maxCapacity);
  storeLittle(base + kLogOffsetExtensionCrc, extensionCrc(out));
  storeLittle(base + kLogOffsetIdentity, header.identity);
  storeLittle(base + kLogOffsetReserved, header.dataOffset);
  storeLittle(base + kLogOffsetDurable, header.dataOffset);
}

bool decodeLogHeader(std::span<const std::byte> bytes, std::uint64_t fileSize, const std::string& path, LogHeader& out,
                     std::uint64_t& committed, Fault& fault) noexcept {
  const auto refuse = [&](const std::string& why) {
    fault = Fault::format("'" + path + "' is no log: " + why);
    return false;
  };
  if (bytes.size() < kPlainLogHeaderSize) {
    return refuse("it has " + std::to_string(fileSize) + " bytes, a log's header alone has " +
                  std::to_string(kPlainLogHeaderSize));
  }
  const std::byte* base = bytes.data();
  out = {};
  out.headerSize = loadLittle<std::uint64_t>(base + kLogOffsetHeaderSize);
  out.dataOffset = loadLittle<std::uint64_t>(base + kLogOffsetDataOffset);
  committed = loadLittle<std::uint64_t>(base + kLogOffsetSize);
  if (out.headerSize < kPlainLogHeaderSize || out.headerSize > kMaxLogHeaderSize || out.dataOffset < out.headerSize ||
      out.dataOffset > kMaxLogHeaderSize) {
    return refuse("its first bytes are no header");
  }
  if (out.headerSize >= kLogHeaderSize && bytes.size() >= kLogHeaderSize &&
      loadLittle<std::uint32_t>(base + kLogOffsetMagic) == kLogMagic) {
    if (!decodeExtension(bytes, path, out, fault)) return false;
  } else {
    out.capacity = out.maxCapacity = fileSize;
  }
  if (committed < out.dataOffset || committed > fileSize) {
    return refuse("its committed size of " + std::to_string(committed) + " lies outside of " +
                  std::to_string(out.dataOffset) + " to " + std::to_string(fileSize) +
                  ", the file's data: was it truncated?");
  }
  return true;
}

}  // namespace strand
