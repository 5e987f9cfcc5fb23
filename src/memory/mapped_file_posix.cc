#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include "memory/mapped_file.h"

namespace strand {
namespace {

/// Locks lie on bytes that no file reaches.
constexpr off_t kLockBase = off_t{1} << 62U;

std::uint64_t pageBytes() noexcept {
  static const auto kBytes = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return kBytes;
}

std::uint64_t wholePages(std::uint64_t bytes) noexcept { return (bytes + pageBytes() - 1) / pageBytes() * pageBytes(); }

Fault systemFault(const char* action, const std::string& path, int error) noexcept {
  return Fault::file(std::string(action) + " '" + path + "': " + std::generic_category().message(error));
}

#if defined(__APPLE__)
int allocateRange(int descriptor, off_t from, off_t to) noexcept {
  fstore_t store{F_ALLOCATEALL, F_PEOFPOSMODE, 0, to - from, 0};
  if (fcntl(descriptor, F_PREALLOCATE, &store) != 0) return errno;
  return ftruncate(descriptor, to) == 0 ? 0 : errno;
}
#else
int allocateRange(int descriptor, off_t from, off_t to) noexcept {
  int error = EINTR;
  while (error == EINTR) error = posix_fallocate(descriptor, from, to - from);
  return error;
}
#endif

#if defined(F_OFD_SETLK)
struct flock rangeOf(std::uint64_t number, short type) noexcept {
  struct flock range {};
  range.l_type = type;
  range.l_whence = SEEK_SET;
  range.l_start = kLockBase + static_cast<off_t>(number);
  range.l_len = 1;
  return range;
}
bool setLock(int descriptor, std::uint64_t number, short type) noexcept {
  struct flock range = rangeOf(number, type);
  return fcntl(descriptor, F_OFD_SETLK, &range) == 0;
}
#else
/// One lock for the whole file: whoever needs several numbers needs open file description locks.
bool setLock(int descriptor, std::uint64_t /*number*/, short type) noexcept {
  if (type == F_UNLCK) return flock(descriptor, LOCK_UN) == 0;
  return flock(descriptor, (type == F_WRLCK ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0;
}
#endif

}  // namespace

OpenFile OpenFile::open(const std::string& path, Access access, Fault& fault) noexcept {
  constexpr mode_t kMode = 0666;
  // Without O_NONBLOCK opening a pipe would wait for its other end.
  constexpr int kCommon = O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  OpenFile file;
  file.path_ = path;
  file.writable_ = true;
  if (path.find('\0') != std::string::npos) {
    fault = Fault::file("a path must not hold a zero byte");
    return file;
  }
  do {
    file.descriptor_ = ::open(path.c_str(), O_RDWR | kCommon);
  } while (file.descriptor_ < 0 && errno == EINTR);
  if (file.descriptor_ < 0 && access == Access::kCreate && errno == ENOENT) {
    file.descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | kCommon, kMode);
    file.created_ = file.descriptor_ >= 0;
    // Somebody else was faster, or the name is a link that leads nowhere yet.
    if (file.descriptor_ < 0 && errno == EEXIST)
      file.descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | kCommon, kMode);
  }
  if (file.descriptor_ < 0 && access == Access::kRead && (errno == EACCES || errno == EPERM || errno == EROFS)) {
    file.descriptor_ = ::open(path.c_str(), O_RDONLY | kCommon);
    file.writable_ = false;
  }
  if (file.descriptor_ < 0) {
    fault = systemFault("cannot open", path, errno);
    return file;
  }
  struct stat status {};
  if (fstat(file.descriptor_, &status) != 0) {
    fault = systemFault("cannot examine", path, errno);
    return {};
  }
  if (!S_ISREG(status.st_mode)) {
    fault = Fault::format("'" + path + "' is no regular file: choose another path");
    return {};
  }
  return file;
}

OpenFile::OpenFile(OpenFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      created_(other.created_),
      writable_(other.writable_) {}

OpenFile& OpenFile::operator=(OpenFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(created_, other.created_);
  std::swap(writable_, other.writable_);
  return *this;
}

OpenFile::~OpenFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::uint64_t OpenFile::size() const noexcept {
  struct stat status {};
  return fstat(descriptor_, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

bool OpenFile::read(std::uint64_t offset, void* to, std::size_t bytes) const noexcept {
  auto* out = static_cast<std::byte*>(to);
  while (bytes > 0) {
    const ssize_t count = pread(descriptor_, out, bytes, static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    out += count;
    offset += static_cast<std::uint64_t>(count);
    bytes -= static_cast<std::size_t>(count);
  }
  return true;
}

bool OpenFile::write(std::uint64_t offset, const void* from, std::size_t bytes, Fault& fault) const noexcept {
  const auto* in = static_cast<const std::byte*>(from);
  while (bytes > 0) {
    const ssize_t count = pwrite(descriptor_, in, bytes, static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      fault = systemFault("cannot write to", path_, count < 0 ? errno : ENOSPC);
      return false;
    }
    in += count;
    offset += static_cast<std::uint64_t>(count);
    bytes -= static_cast<std::size_t>(count);
  }
  return true;
}

bool OpenFile::allocate(std::uint64_t bytes, Fault& fault) const noexcept {
  const std::uint64_t before = size();
  const int error = allocateRange(descriptor_, 0, static_cast<off_t>(bytes));
  if (error == 0) return true;
  if (size() > before) (void)truncate(before);
  fault = systemFault(("cannot give " + std::to_string(bytes) + " bytes of disk space to").c_str(), path_, error);
  return false;
}

bool OpenFile::clear(std::uint64_t from, std::uint64_t to, Fault& fault) const noexcept {
  to = std::min(to, size());
  if (from >= to) return true;
#if defined(FALLOC_FL_PUNCH_HOLE)
  constexpr std::uint64_t kWorthAHole = std::uint64_t{1} << 20U;
  if (to - from >= kWorthAHole && fallocate(descriptor_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                            static_cast<off_t>(from), static_cast<off_t>(to - from)) == 0) {
    return allocate(size(), fault);
  }
#endif
  constexpr std::uint64_t kPiece = std::uint64_t{1} << 18U;
  const std::vector<std::byte> zeros(static_cast<std::size_t>(std::min(kPiece, to - from)));
  for (std::uint64_t at = from; at < to; at += kPiece) {
    if (!write(at, zeros.data(), static_cast<std::size_t>(std::min(kPiece, to - at)), fault)) return false;
  }
  return true;
}

bool OpenFile::truncate(std::uint64_t bytes) const noexcept {
  return ftruncate(descriptor_, static_cast<off_t>(bytes)) == 0;
}

bool OpenFile::isNamed() const noexcept {
  struct stat named {};
  struct stat opened {};
  return stat(path_.c_str(), &named) == 0 && fstat(descriptor_, &opened) == 0 && named.st_dev == opened.st_dev &&
         named.st_ino == opened.st_ino;
}

void OpenFile::unlink() const noexcept {
  if (isNamed()) (void)::unlink(path_.c_str());
}

OpenFile::Identity OpenFile::identity() const noexcept {
  struct stat status {};
  if (fstat(descriptor_, &status) != 0) return {};
  return {static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino),
          static_cast<std::uint64_t>(getpid())};
}

bool OpenFile::lock(std::uint64_t number) const noexcept { return setLock(descriptor_, number, F_WRLCK); }

bool OpenFile::lock(std::uint64_t number, Fault& fault) const noexcept {
  if (lock(number)) return true;
  const int error = errno;
  const bool isTaken = error == EAGAIN || error == EACCES || error == EWOULDBLOCK;
  if (!isTaken) fault = systemFault("cannot lock", path_, error);
  return false;
}

bool OpenFile::lockShared(std::uint64_t number) const noexcept { return setLock(descriptor_, number, F_RDLCK); }

void OpenFile::unlock(std::uint64_t number) const noexcept { (void)setLock(descriptor_, number, F_UNLCK); }

#if defined(F_OFD_SETLK)
const bool OpenFile::kHasLockNumbers = true;
bool OpenFile::lockedElsewhere(std::uint64_t number) const noexcept {
  struct flock range = rangeOf(number, F_WRLCK);
  return fcntl(descriptor_, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
}
#else
const bool OpenFile::kHasLockNumbers = false;
bool OpenFile::lockedElsewhere(std::uint64_t /*number*/) const noexcept { return false; }
#endif

MappedFile::MappedFile(Key /*key*/, OpenFile file, const Options& options) noexcept
    : file_(std::move(file)), writable_(options.writable), onFlush_(options.onFlush) {}

std::shared_ptr<MappedFile> MappedFile::map(OpenFile file, const Options& options, Fault& fault) noexcept {
  auto mapped = std::make_shared<MappedFile>(Key{}, std::move(file), options);
  if (mapped->mapAll(options, fault)) return mapped;
  // Nobody could ever map it.
  if (mapped->file_.created()) mapped->file_.unlink();
  return nullptr;
}

bool MappedFile::mapAll(const Options& options, Fault& fault) noexcept {
  const auto mapPages = [&](std::uint64_t bytes, int protection) -> std::byte* {
    void* mapped = mmap(nullptr, bytes, protection, MAP_SHARED | MAP_NORESERVE, file_.descriptor(), 0);
    return mapped == MAP_FAILED ? nullptr : static_cast<std::byte*>(mapped);
  };
  reserved_ = wholePages(std::max<std::uint64_t>(options.reserve, 1));
  data_ = mapPages(reserved_, writable_ ? PROT_READ | PROT_WRITE : PROT_READ);
  if (data_ == nullptr) {
    fault = systemFault(("cannot map " + std::to_string(reserved_) + " bytes of").c_str(), file_.path(), errno);
    return false;
  }
  pages_ = std::make_shared<MappedPages>(data_, reserved_, writable_, options.loses);
  if (writable_) {
    shared_ = data_;
  } else if (file_.writable() && options.sharedBytes > 0) {
    sharedBytes_ = wholePages(options.sharedBytes);
    shared_ = mapPages(sharedBytes_, PROT_READ | PROT_WRITE);
    if (shared_ != nullptr) sharedGuard_ = BusGuard::over(shared_, sharedBytes_, true);
  }
  known_.store(std::min(file_.size(), reserved_), std::memory_order_relaxed);
  return true;
}

MappedPages::~MappedPages() {
  guard_ = BusGuard();
  munmap(data_, bytes_);
}

MappedFile::~MappedFile() {
  sharedGuard_ = BusGuard();
  if (shared_ != nullptr && shared_ != data_) munmap(shared_, sharedBytes_);
}

bool MappedFile::reaches(std::uint64_t bytes) noexcept {
  if (bytes <= known_.load(std::memory_order_relaxed)) return true;
  const std::uint64_t now = std::min(file_.size(), reserved_);
  known_.store(now, std::memory_order_relaxed);
  return bytes <= now;
}

void MappedFile::prefault(std::uint64_t offset, std::uint64_t bytes) const noexcept {
#if defined(MADV_POPULATE_WRITE)
  const std::uint64_t from = offset / pageBytes() * pageBytes();
  (void)madvise(data_ + from, wholePages(offset + bytes) - from, MADV_POPULATE_WRITE);
#else
  (void)offset;
  (void)bytes;
#endif
}

bool MappedFile::grow(std::uint64_t bytes, Fault& fault) noexcept {
  if (!file_.allocate(bytes, fault)) return false;
  known_.store(bytes, std::memory_order_relaxed);
  return true;
}

bool MappedFile::flush(std::uint64_t offset, std::uint64_t bytes, Fault& fault) noexcept {
  const std::uint64_t from = offset / pageBytes() * pageBytes();
  const std::uint64_t to = std::min(wholePages(offset + bytes), reserved_);
  if (from >= to) return true;
  if (msync(data_ + from, to - from, MS_SYNC) != 0) {
    fault = systemFault("cannot flush", file_.path(), errno);
    return false;
  }
  if (onFlush_) onFlush_(from, to - from);
  return true;
}

}  // namespace strand
