#include "memory/mapped_file.h"

namespace strand {

// Sharing, locking and growing a file under open mappings works differently there; logs are for Linux and macOS.
OpenFile OpenFile::open(const std::string& path, Access /*access*/, Fault& fault) noexcept {
  fault = Fault::file("cannot open '" + path + "': files in shared memory need Linux or macOS");
  return {};
}

OpenFile::OpenFile(OpenFile&& /*other*/) noexcept = default;
OpenFile& OpenFile::operator=(OpenFile&& /*other*/) noexcept = default;
OpenFile::~OpenFile() = default;
std::uint64_t OpenFile::size() const noexcept { return 0; }
bool OpenFile::read(std::uint64_t, void*, std::size_t) const noexcept { return false; }
bool OpenFile::write(std::uint64_t, const void*, std::size_t, Fault&) const noexcept { return false; }
bool OpenFile::allocate(std::uint64_t, Fault&) const noexcept { return false; }
bool OpenFile::clear(std::uint64_t, std::uint64_t, Fault&) const noexcept { return false; }
bool OpenFile::truncate(std::uint64_t) const noexcept { return false; }
bool OpenFile::isNamed() const noexcept { return false; }
void OpenFile::unlink() const noexcept {}
OpenFile::Identity OpenFile::identity() const noexcept { return {}; }
const bool OpenFile::kHasLockNumbers = false;
bool OpenFile::lock(std::uint64_t) const noexcept { return false; }
bool OpenFile::lock(std::uint64_t, Fault&) const noexcept { return false; }
bool OpenFile::lockShared(std::uint64_t) const noexcept { return false; }
void OpenFile::unlock(std::uint64_t) const noexcept {}
bool OpenFile::lockedElsewhere(std::uint64_t) const noexcept { return false; }

std::shared_ptr<MappedFile> MappedFile::map(OpenFile, const Options&, Fault&) noexcept { return nullptr; }
MappedPages::~MappedPages() = default;
MappedFile::~MappedFile() = default;
bool MappedFile::reaches(std::uint64_t) noexcept { return false; }
void MappedFile::prefault(std::uint64_t, std::uint64_t) const noexcept {}
bool MappedFile::grow(std::uint64_t, Fault&) noexcept { return false; }
bool MappedFile::flush(std::uint64_t, std::uint64_t, Fault&) noexcept { return false; }

}  // namespace strand
