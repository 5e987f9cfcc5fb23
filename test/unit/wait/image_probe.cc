#include "image_probe.h"

#include <atomic>
#include <optional>

#include "wait/async_table.h"
#include "wait/event_count.h"
#include "wait/image.h"

namespace {

using namespace strand;

class CountingSink final : public wait::AsyncSink {
 public:
  void wake() noexcept override { wakes.fetch_add(1); }
  std::atomic<int> wakes{0};
};

CountingSink sink;
std::optional<wait::AsyncWaiter> waiter;

void forget() {
  if (waiter) {
    wait::AsyncTable::instance().remove(*waiter);
    waiter.reset();
  }
}

void listen(const std::uint32_t* counter) {
  forget();
  wait::AsyncTable::instance().add(waiter.emplace(sink, counter));
}

void notify(std::uint32_t* counter, std::uint32_t* waiters, std::uint64_t* image) {
  wait::EventCount(Word32(counter), Word32(waiters), wait::Scope::kProcess, Word64(image)).notify();
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const StrandImageProbe strandImageProbe;
extern "C" const StrandImageProbe strandImageProbe{
    [] { return wait::imageId(); },
    [](std::uint64_t* image) { wait::joinImage(Word64(image)); },
    listen,
    forget,
    [] { return sink.wakes.load(); },
    notify,
};
