#include "image_probe.h"

#include <optional>

#include "support/counting_sink.h"
#include "wait/async_table.h"
#include "wait/event_count.h"
#include "wait/image.h"

namespace {

using namespace strand;

test::CountingSink sink;
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
