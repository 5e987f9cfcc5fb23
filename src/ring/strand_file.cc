#include "ring/strand_file.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "layout/strand_layout.h"
#include "memory/atomic_word.h"
#include "memory/boot_id.h"
#include "memory/little_endian.h"
#include "memory/shared_file.h"

namespace strand {
namespace {

using namespace layout;

/// Making a file takes as long as the system needs to find the space.
constexpr std::chrono::seconds kSetupPatience{1};
constexpr std::chrono::milliseconds kSetupPoll{1};

/// @param file an OpenFile or a SharedFile
template <class File>
bool lockSetup(File& file, Fault& fault) noexcept {
  const auto deadline = std::chrono::steady_clock::now() + kSetupPatience;
  while (!file.lock(kLockSetup)) {
    if (std::chrono::steady_clock::now() >= deadline) {
      fault = Fault::busy("another process has been opening '" + file.path() + "' for a second: try again");
      return false;
    }
    std::this_thread::sleep_for(kSetupPoll);
  }
  return true;
}

bool makeStrand(const OpenFile& file, const StrandPlan& plan, Fault& fault) noexcept {
  std::vector<std::byte> header;
  fault = encodeHeader(plan.schema, plan.geometry, plan.metadata, header);
  if (fault.ok()) {
    storeLittle(header.data() + kOffsetEpoch, kFirstFileEpoch);
    storeLittle(header.data() + kOffsetBoot, currentBootId());
    const std::uint64_t bytes = totalBytes(plan.geometry.indexCapacity, plan.geometry.recordStride,
                                           plan.geometry.heapCapacity, plan.geometry.headerSize);
    if (file.write(0, header.data(), header.size(), fault) && file.allocate(bytes, fault)) return true;
  }
  (void)file.truncate(0);
  if (file.created()) file.unlink();
  return false;
}

/// A file shorter than its strand: one whose making was interrupted, or that was cut.
bool finishMaking(const OpenFile& file, std::uint64_t wanted, const StrandPlan* plan, Fault& fault) noexcept {
  std::array<std::byte, kOffsetSchema> words{};
  const std::uint64_t size = file.size();
  const bool whole = file.read(0, words.data(), std::min<std::uint64_t>(size, words.size()));
  const std::uint64_t headerSize = loadLittle<std::uint32_t>(words.data() + kOffsetHeaderSize);
  const auto isUsed = [&](std::uint32_t offset) { return loadLittle<std::uint64_t>(words.data() + offset) != 0; };
  if (!whole || isUsed(kOffsetOwner) || isUsed(kOffsetWriteSeq) || isUsed(kOffsetCommitSeq) || isUsed(kOffsetBase)) {
    fault = Fault::header("'" + file.path() + "' has " + std::to_string(size) + " bytes, and its strand needs " +
                          std::to_string(wanted) + ": it was cut. Remove it and begin another");
    return false;
  }
  if (size >= headerSize) return file.allocate(wanted, fault);
  if (plan == nullptr) {
    fault = Fault::header("the making of '" + file.path() + "' was interrupted: open it with a schema");
    return false;
  }
  return file.truncate(0) && makeStrand(file, *plan, fault);
}

/// Makes sure that the file is as long as its strand.
bool complete(const OpenFile& file, const StrandPlan* plan, Fault& fault) noexcept {
  if (file.size() == 0) {
    if (plan != nullptr) return makeStrand(file, *plan, fault);
    fault = Fault::header("'" + file.path() + "' is empty: open it with a schema");
    return false;
  }
  std::array<std::byte, kOffsetEpoch> start{};
  const std::uint64_t size = file.size();
  const std::uint64_t wanted =
      size >= start.size() && file.read(0, start.data(), start.size()) ? statedBytes(start) : 0;
  if (wanted == 0) {
    fault = Fault::header("'" + file.path() + "' holds no strand, and is left as it is: choose another path");
    return false;
  }
  return size >= wanted || finishMaking(file, wanted, plan, fault);
}

/// Words of another boot belong to nobody. Whoever opens the file first in this one clears them.
void leaveOlderBoot(const Region& region, Fault& fault) noexcept {
  const Word64 boot(region.data(), kOffsetBoot);
  const std::uint64_t current = currentBootId();
  if (boot.loadAcquire() == current) return;
  // In front of the header's reading, which refuses words that contradict each other.
  clearControlWords(region);
  StrandHeader header;
  fault = readHeader(region, header);
  if (!fault.ok()) return;
  clearHeapBegin(region, header.geometry);
  Word32(region.data(), kOffsetEpoch).storeRelease(kFirstFileEpoch);
  boot.storeRelease(current);
}

}  // namespace

Region openStrandFile(const std::string& path, const StrandPlan* plan, Fault& fault) noexcept {
  if (!OpenFile::kHasLockNumbers) {
    fault =
        Fault::file("a strand in a file needs Linux: here are no locks by which processes could tell that they live");
    return {};
  }
  OpenFile file =
      OpenFile::open(path, plan != nullptr ? OpenFile::Access::kCreate : OpenFile::Access::kReadWrite, fault);
  // What is no file to a log is no strand either.
  if (fault.code == FaultCode::kFormat) fault = Fault::header(std::move(fault.message));
  if (!fault.ok() || !lockSetup(file, fault) || !complete(file, plan, fault)) return {};
  // The mapping would keep the lock.
  file.unlock(kLockSetup);
  std::shared_ptr<SharedFile> shared = SharedFile::map(std::move(file), fault);
  if (shared == nullptr || !lockSetup(*shared, fault)) return {};
  const Region region(shared);
  leaveOlderBoot(region, fault);
  shared->unlock(kLockSetup);
  return fault.ok() ? region : Region();
}

}  // namespace strand
