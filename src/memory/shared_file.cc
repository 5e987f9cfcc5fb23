#include "memory/shared_file.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "memory/immortal.h"

namespace strand {
namespace {

/// What this process has mapped.
struct Mapped {
  std::mutex mutex;
  std::vector<std::weak_ptr<SharedFile>> files;

  /// Under the mutex: the first one that `wanted` says yes to. Forgets those that are gone.
  template <class Wanted>
  std::shared_ptr<SharedFile> find(Wanted wanted) noexcept {
    std::erase_if(files, [](const std::weak_ptr<SharedFile>& file) { return file.expired(); });
    for (const std::weak_ptr<SharedFile>& weak : files) {
      if (std::shared_ptr<SharedFile> file = weak.lock(); file != nullptr && wanted(*file)) return file;
    }
    return nullptr;
  }
};

Mapped& mapped() noexcept {
  static Immortal<Mapped> all;
  return *all;
}

}  // namespace

SharedFile::SharedFile(Key /*key*/, std::shared_ptr<MappedFile> memory) noexcept
    : memory_(std::move(memory)), identity_(memory_->file().identity()), size_(memory_->file().size()) {}

std::shared_ptr<SharedFile> SharedFile::map(OpenFile file, Fault& fault) noexcept {
  const OpenFile::Identity identity = file.identity();
  Mapped& all = mapped();
  const std::lock_guard guard(all.mutex);
  // One that was cut is of no use any more, whatever became of the file.
  auto found = all.find([&](const SharedFile& other) { return other.identity_ == identity && !other.gone(); });
  if (found != nullptr) return found;
  const std::uint64_t bytes = file.size();
  auto memory = MappedFile::map(
      std::move(file), {.writable = true, .reserve = bytes, .loses = BusGuard::Loses::kAll, .onFlush = {}}, fault);
  if (memory == nullptr) return nullptr;
  found = std::make_shared<SharedFile>(Key{}, std::move(memory));
  all.files.push_back(found);
  return found;
}

std::shared_ptr<SharedFile> SharedFile::mappedAt(const std::byte* data) noexcept {
  Mapped& all = mapped();
  const std::lock_guard guard(all.mutex);
  return all.find([data](const SharedFile& file) { return file.data() == data; });
}

bool SharedFile::lock(std::uint64_t number) noexcept {
  const std::lock_guard guard(mutex_);
  if (ours_.contains(number) || !memory_->file().lock(number)) return false;
  ours_.insert(number);
  return true;
}

void SharedFile::unlock(std::uint64_t number) noexcept {
  const std::lock_guard guard(mutex_);
  if (ours_.erase(number) != 0) memory_->file().unlock(number);
}

bool SharedFile::locked(std::uint64_t number) const noexcept {
  const std::lock_guard guard(mutex_);
  return ours_.contains(number) || memory_->file().lockedElsewhere(number);
}

bool SharedFile::findTruncation() const noexcept {
  if (!gone() && memory_->file().size() < size_) memory_->pages()->lose();
  return gone();
}

}  // namespace strand
