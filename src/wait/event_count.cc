#include "wait/event_count.h"

#include "wait/async_table.h"
#include "wait/image.h"

namespace strand::wait {

void detail::signalAsync(Word32 counter, const std::optional<Word64>& image) noexcept {
  AsyncTable::instance().signal(counter.address());
  // An image joins before it raises kAsync, and we took that flag: its joining is visible here.
  if (image && image->loadAcquire() != imageId()) {
    signalOtherImages(counter.address());
  }
}

template class BasicEventCount<PlatformParker>;

}  // namespace strand::wait
