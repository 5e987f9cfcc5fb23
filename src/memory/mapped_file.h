#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "memory/bus_guard.h"
#include "record/fault.h"

namespace strand {

/// An open regular file, before it is known what it holds. Closed with the object.
class OpenFile {
 public:
  enum class Access : std::uint8_t {
    kRead,       ///< for reading, with write access to the descriptor where the system grants it
    kReadWrite,  ///< must exist
    kCreate,     ///< is created where it does not exist
  };

  /// Follows symbolic links; refuses everything but regular files, and waits for none of them.
  /// @return an object that is not open, with a fault that names the path and the system's reason
  static OpenFile open(const std::string& path, Access access, Fault& fault) noexcept;

  OpenFile() noexcept = default;
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  OpenFile(OpenFile&& other) noexcept;
  OpenFile& operator=(OpenFile&& other) noexcept;
  ~OpenFile();

  [[nodiscard]] bool isOpen() const noexcept { return descriptor_ >= 0; }
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// Whether this call has made the file.
  [[nodiscard]] bool created() const noexcept { return created_; }
  /// Whether the descriptor may write.
  [[nodiscard]] bool writable() const noexcept { return writable_; }

  /// Bytes of the file, at this moment; 0 where the system does not say.
  [[nodiscard]] std::uint64_t size() const noexcept;
  /// Whether all of the bytes could be read.
  [[nodiscard]] bool read(std::uint64_t offset, void* to, std::size_t bytes) const noexcept;
  [[nodiscard]] bool write(std::uint64_t offset, const void* from, std::size_t bytes, Fault& fault) const noexcept;
  /// Gives the file disk space up to `bytes`, holes included, and makes it so long. Behind it a store to a mapped page
  /// cannot find the disk full. A failure leaves the file as long as it was.
  [[nodiscard]] bool allocate(std::uint64_t bytes, Fault& fault) const noexcept;
  /// Makes bytes zero, up to the end of file, and gives them disk space again.
  [[nodiscard]] bool clear(std::uint64_t from, std::uint64_t to, Fault& fault) const noexcept;
  [[nodiscard]] bool truncate(std::uint64_t bytes) const noexcept;
  /// Whether the file's name still stands for this file.
  [[nodiscard]] bool isNamed() const noexcept;
  /// Removes the file's name if it does.
  void unlink() const noexcept;

  /// Which file it is, whatever names it has, and in which process: a forked one has nobody else's locks.
  struct Identity {
    std::uint64_t device = 0;
    std::uint64_t file = 0;
    std::uint64_t process = 0;
    friend bool operator==(const Identity&, const Identity&) noexcept = default;
  };
  [[nodiscard]] Identity identity() const noexcept;

  /// Lock numbers go up to this.
  static constexpr std::uint64_t kMaxLock = std::uint64_t{1} << 60U;
  /// Whether locks have numbers here. Otherwise a file has one lock, whatever number is given.
  static const bool kHasLockNumbers;
  /// Takes a lock on one of the file's lock numbers without waiting. The kernel drops it with the last descriptor of
  /// this opening, however the process ends; it excludes other openings in this process too.
  [[nodiscard]] bool lock(std::uint64_t number) const noexcept;
  /// The same. @param fault set where it was not somebody else who kept it from that, but the system
  [[nodiscard]] bool lock(std::uint64_t number, Fault& fault) const noexcept;
  /// The same, together with others who take it so. Either kind is turned into the other by this opening's own call.
  [[nodiscard]] bool lockShared(std::uint64_t number) const noexcept;
  void unlock(std::uint64_t number) const noexcept;
  /// Whether another opening has it locked.
  [[nodiscard]] bool lockedElsewhere(std::uint64_t number) const noexcept;

 private:
  std::string path_;
  int descriptor_ = -1;
  bool created_ = false;
  bool writable_ = false;
};

/// Pages of a file, guarded against its truncation. Kept by whoever points into them, also when the file is closed;
/// unmapped with the last.
class MappedPages {
 public:
  MappedPages(std::byte* data, std::uint64_t bytes, bool writable, BusGuard::Loses loses) noexcept
      : data_(data), bytes_(bytes), guard_(BusGuard::over(data, bytes, writable, loses)) {}
  MappedPages(const MappedPages&) = delete;
  MappedPages& operator=(const MappedPages&) = delete;
  ~MappedPages();

  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] bool gone() const noexcept { return guard_.tripped(); }
  /// Gives the pages up, as an access to what is no longer there does.
  void lose() const noexcept { guard_.trip(); }

 private:
  std::byte* data_;
  std::uint64_t bytes_;
  BusGuard guard_;
};

/// An open file in memory, shared with everybody who maps it.
class MappedFile {
  /// Only map() makes one.
  struct Key {};

 public:
  /// Told of every flush, once it is done: the bytes have reached the disk.
  using FlushObserver = std::function<void(std::uint64_t offset, std::uint64_t bytes)>;

  struct Options {
    /// Stores go to the file. Otherwise the pages are read-only.
    bool writable = false;
    /// Bytes of address space, which the file may grow into. At least the file's size.
    std::uint64_t reserve = 0;
    /// Of a mapping that is read-only: bytes at the start, of which a writable mapping is made where the descriptor
    /// may write.
    std::uint64_t sharedBytes = 0;
    /// What is gone once an access has met a cut.
    BusGuard::Loses loses = BusGuard::Loses::kTheRest;
    FlushObserver onFlush;
  };

  static std::shared_ptr<MappedFile> map(OpenFile file, const Options& options, Fault& fault) noexcept;

  MappedFile(Key key, OpenFile file, const Options& options) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] const std::shared_ptr<MappedPages>& pages() const noexcept { return pages_; }
  /// Of the first bytes, where stores reach the file; null where the file may not be written.
  [[nodiscard]] std::byte* shared() const noexcept { return shared_; }
  [[nodiscard]] std::uint64_t reserved() const noexcept { return reserved_; }
  [[nodiscard]] bool writable() const noexcept { return writable_; }
  [[nodiscard]] const OpenFile& file() const noexcept { return file_; }

  /// Whether the file reaches `bytes`: asks the system only if it did not when it was asked last.
  [[nodiscard]] bool reaches(std::uint64_t bytes) noexcept;
  /// Whether the file was truncated under us, as far as anybody has noticed. Check it behind every access.
  [[nodiscard]] bool gone() const noexcept { return pages_->gone() || sharedGuard_.tripped(); }

  /// Makes the pages of a range present for writing, in one call instead of a fault for each. Where the system has no such
  /// call they fault one by one.
  void prefault(std::uint64_t offset, std::uint64_t bytes) const noexcept;
  /// See OpenFile::allocate.
  [[nodiscard]] bool grow(std::uint64_t bytes, Fault& fault) noexcept;
  /// Returns once the pages of a range are on the disk.
  [[nodiscard]] bool flush(std::uint64_t offset, std::uint64_t bytes, Fault& fault) noexcept;

 private:
  bool mapAll(const Options& options, Fault& fault) noexcept;

  OpenFile file_;
  std::shared_ptr<MappedPages> pages_;
  std::byte* data_ = nullptr;
  std::byte* shared_ = nullptr;
  std::uint64_t reserved_ = 0;
  std::uint64_t sharedBytes_ = 0;
  std::atomic<std::uint64_t> known_{0};
  bool writable_ = false;
  FlushObserver onFlush_;
  BusGuard sharedGuard_;
};

}  // namespace strand
