#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_set>

#include "memory/mapped_file.h"
#include "record/fault.h"

namespace strand {

/// A file as memory of several processes, which tell each other by numbered locks that they live: the kernel drops the
/// locks of a process however it ends.
///
/// A process maps a file once, whoever in it asks for it: so its threads share one set of locks, and addresses by which
/// they wake each other.
class SharedFile {
  /// Only map() makes one.
  struct Key {};

 public:
  /// Maps the whole file for writing, or finds what this process has mapped of it already.
  static std::shared_ptr<SharedFile> map(OpenFile file, Fault& fault) noexcept;
  /// The one whose memory begins there; null for other memory.
  static std::shared_ptr<SharedFile> mappedAt(const std::byte* data) noexcept;

  SharedFile(Key key, std::shared_ptr<MappedFile> memory) noexcept;
  SharedFile(const SharedFile&) = delete;
  SharedFile& operator=(const SharedFile&) = delete;
  ~SharedFile() = default;

  [[nodiscard]] std::byte* data() const noexcept { return memory_->data(); }
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  [[nodiscard]] const std::string& path() const noexcept { return memory_->file().path(); }

  /// Takes a lock without waiting. @return false where anybody has it, here or in another process
  [[nodiscard]] bool lock(std::uint64_t number) noexcept;
  /// Gives a lock back. Nothing to do where this process does not have it.
  void unlock(std::uint64_t number) noexcept;
  /// Whether anybody has it, here or in another process.
  [[nodiscard]] bool locked(std::uint64_t number) const noexcept;

  /// Whether the file was truncated under us, as far as anybody has noticed: all of the memory is then private, and was
  /// zero when that was found.
  [[nodiscard]] bool gone() const noexcept { return memory_->gone(); }
  /// Asks the system. @return gone()
  bool findTruncation() const noexcept;

 private:
  std::shared_ptr<MappedFile> memory_;
  OpenFile::Identity identity_;
  std::uint64_t size_;
  mutable std::mutex mutex_;
  /// What this process has locked: the kernel does not tell us of our own.
  std::unordered_set<std::uint64_t> ours_;
};

}  // namespace strand
