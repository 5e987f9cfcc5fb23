#include "wait/image.h"

#include "memory/random_word.h"
#include "wait/async_table.h"

namespace strand::wait {
namespace {

std::uint64_t randomId() noexcept {
  const std::uint64_t id = randomWord() >> 1U;
  return id == kNoImage ? 1 : id;
}

}  // namespace

std::uint64_t imageId() noexcept {
  static const std::uint64_t kId = randomId();
  return kId;
}

void joinImage(Word64 image) noexcept {
  std::uint64_t seen = kNoImage;
  if (image.compareExchange(seen, imageId())) {
    return;
  }
  if (seen != imageId()) {
    image.storeRelease(kImagesMixed);
  }
}

}  // namespace strand::wait

extern "C" void strand_signal_async_v1(const std::uint32_t* counter) {
  strand::wait::AsyncTable::instance().signal(counter);
}
