#include "ring/strand_file.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "layout/strand_layout.h"
#include "memory/boot_id.h"
#include "memory/little_endian.h"
#include "memory/shared_file.h"

namespace strand {
namespace {

using namespace layout;

/// Making a file takes as long as the system needs to find the space.
constexpr std::chrono::seconds kSetupPatience{1};
constexpr std::chrono::milliseconds kSetupPoll{1};
/// How often a file may be removed between its opening and its lock.
constexpr int kTries = 100;

bool lockSetup(const OpenFile& file, Fault& fault) noexcept {
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

/// The words of a new strand in a file, which differ from those of one in memory.
void markAsFiles(std::span<std::byte> header) noexcept {
  storeLittle(header.data() + kOffsetEpoch, kFirstFileEpoch);
  storeLittle(header.data() + kOffsetBoot, currentBootId());
}

/// A file on its way to being mapped, under the setup lock. Nothing is changed before all that never changes in a header
/// was found sound, and nobody else has the file.
class Setup {
 public:
  Setup(const OpenFile& file, const StrandPlan* plan, Fault& fault) noexcept
      : file_(file), plan_(plan), fault_(fault), size_(file.size()) {}

  bool run() noexcept {
    if (size_ == 0) return begin();
    std::array<std::byte, kOffsetEpoch> start{};
    if (!read(start) || !beginsHeader(start)) {
      return refuse("holds no strand of this version, and is left as it is: choose another path");
    }
    const std::uint64_t headerSize = loadLittle<std::uint32_t>(start.data() + kOffsetHeaderSize);
    if (size_ < headerSize) return isUntouched() ? goOn() : refuseCut();
    bytes_.resize(static_cast<std::size_t>(std::min<std::uint64_t>({size_, headerSize, kMaxHeaderSize})));
    if (!read(bytes_)) return refuse("cannot be read");
    // How long the strand is said to be is another question.
    constexpr std::uint64_t kAnyLength = std::numeric_limits<std::uint64_t>::max();
    const Fault unsound = readLayout({bytes_.data(), bytes_.size()}, kAnyLength, header_);
    if (!unsound.ok()) return refuse("holds no strand, and is left as it is: " + unsound.message);
    if (size_ < header_.geometry.totalBytes) return isUntouched() ? lengthen() : refuseCut();
    return isOfThisBoot() || beginAnew();
  }

 private:
  bool refuse(const std::string& problem) noexcept {
    fault_ = Fault::header("'" + file_.path() + "' " + problem);
    return false;
  }
  bool refuseCut() noexcept { return refuse("was cut: remove it, and begin another"); }

  [[nodiscard]] bool read(std::span<std::byte> to) const noexcept {
    return size_ >= to.size() && file_.read(0, to.data(), to.size());
  }
  /// Whether nobody else has the file, and nobody gets it before we are through.
  [[nodiscard]] bool isAlone() const noexcept { return file_.lock(kLockInUse); }

  /// Whether a strand that is too short has not been used yet.
  [[nodiscard]] bool isUntouched() const noexcept {
    std::array<std::byte, kOffsetSchema> words{};
    if (!read(words)) return false;
    const auto isZero = [&](std::uint32_t at) { return loadLittle<std::uint64_t>(words.data() + at) == 0; };
    return isZero(kOffsetOwner) && isZero(kOffsetWriteSeq) && isZero(kOffsetCommitSeq) && isZero(kOffsetBase);
  }

  /// A file that is empty.
  bool begin() noexcept {
    if (plan_ == nullptr) return refuse("is empty: open it with a schema");
    return isAlone() ? make() : refuseCut();
  }

  /// One whose header was being written.
  bool goOn() noexcept {
    if (plan_ == nullptr) return refuse("was being made, which was interrupted: open it with a schema");
    return isAlone() && file_.truncate(0) ? make() : refuseCut();
  }

  /// One that was to get its length.
  bool lengthen() noexcept { return isAlone() ? file_.allocate(header_.geometry.totalBytes, fault_) : refuseCut(); }

  bool make() noexcept {
    fault_ = encodeHeader(plan_->schema, plan_->geometry, plan_->metadata, bytes_);
    if (fault_.ok()) {
      markAsFiles(bytes_);
      const Geometry& geometry = plan_->geometry;
      const std::uint64_t bytes =
          totalBytes(geometry.indexCapacity, geometry.recordStride, geometry.heapCapacity, geometry.headerSize);
      if (file_.write(0, bytes_.data(), bytes_.size(), fault_) && file_.allocate(bytes, fault_)) return true;
    }
    (void)file_.truncate(0);
    if (file_.created()) file_.unlink();
    return false;
  }

  [[nodiscard]] bool isOfThisBoot() const noexcept {
    const auto boot = loadLittle<std::uint64_t>(bytes_.data() + kOffsetBoot);
    // 0 is a boot that nobody could tell.
    return boot == currentBootId() || boot == 0 || currentBootId() == 0;
  }

  /// Its pages reached the disk in any order, or belong to a process that sees another number for this boot: that one
  /// has it open.
  bool beginAnew() noexcept {
    if (plan_ != nullptr && plan_->schema.encode() != header_.schema.encode()) return true;
    if (!isAlone()) return true;
    std::vector<std::byte> fresh;
    fault_ = encodeHeader(header_.schema, header_.geometry, header_.metadata, fresh);
    if (!fault_.ok()) return false;
    markAsFiles(fresh);
    const std::vector<std::byte> zeros(
        static_cast<std::size_t>(header_.geometry.totalBytes - header_.geometry.heapBeginStart) *
        (header_.geometry.heapCapacity == 0 ? 0 : 1));
    const auto words = std::span(fresh).first(kOffsetSchema);
    return file_.write(header_.geometry.heapBeginStart, zeros.data(), zeros.size(), fault_) &&
           file_.write(0, words.data(), words.size(), fault_);
  }

  const OpenFile& file_;
  const StrandPlan* plan_;
  Fault& fault_;
  std::uint64_t size_;
  std::vector<std::byte> bytes_;
  StrandHeader header_;
};

/// Opens a file and locks it for setup, whoever removes or replaces it meanwhile.
OpenFile openForSetup(const std::string& path, OpenFile::Access access, Fault& fault) noexcept {
  for (int tries = 0; tries < kTries; ++tries) {
    OpenFile file = OpenFile::open(path, access, fault);
    // What is no file to a log is no strand either.
    if (fault.code == FaultCode::kFormat) fault = Fault::header(std::move(fault.message));
    if (!fault.ok() || !lockSetup(file, fault)) return {};
    if (file.isNamed()) return file;
  }
  fault = Fault::busy("'" + path + "' is being removed and made again all the time: try again");
  return {};
}

}  // namespace

Region openStrandFile(const std::string& path, const StrandPlan* plan, Fault& fault) noexcept {
  if (!OpenFile::kHasLockNumbers) {
    fault =
        Fault::file("a strand in a file needs Linux: here are no locks by which processes could tell that they live");
    return {};
  }
  OpenFile file = openForSetup(path, plan != nullptr ? OpenFile::Access::kCreate : OpenFile::Access::kReadWrite, fault);
  if (!file.isOpen() || !Setup(file, plan, fault).run()) return {};
  // From here on until it is unmapped; the mapping keeps it.
  if (!file.lockShared(kLockInUse)) {
    fault = Fault::file("cannot lock '" + path + "'");
    return {};
  }
  file.unlock(kLockSetup);
  std::shared_ptr<SharedFile> shared = SharedFile::map(std::move(file), fault);
  return shared == nullptr ? Region() : Region(std::move(shared));
}

}  // namespace strand
