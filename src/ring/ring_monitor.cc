#include "ring/ring_monitor.h"

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "memory/immortal.h"
#include "ring/consumer_slots.h"
#include "ring/strand_words.h"
#include "ring/strand_writer.h"
#include "wait/async_table.h"
#include "wait/shutdown.h"

namespace strand {
namespace {

constexpr std::chrono::milliseconds kLook{250};

/// Those of this process.
struct Monitors {
  std::mutex mutex;
  std::vector<std::pair<const SharedFile*, std::weak_ptr<RingMonitor>>> all;
};

Monitors& monitors() noexcept {
  static Immortal<Monitors> monitors;
  return *monitors;
}

/// → false where the system gives no thread
bool startThread(std::function<void()> body) noexcept {
  try {
    std::thread(std::move(body)).detach();
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

}  // namespace

/// What the threads keep, which end a moment after the monitor.
struct RingMonitor::State {
  State(Region memory, std::shared_ptr<const StrandHeader> known) noexcept
      : region(std::move(memory)), header(std::move(known)), words(region, header->geometry) {}

  Region region;
  std::shared_ptr<const StrandHeader> header;
  StrandWords words;
  std::atomic<bool> over{false};
  std::mutex mutex;
  std::condition_variable ended;
  bool looking = false;
  struct Relay {
    bool wanted = false;
    bool running = false;
  };
  /// Of the data and of the space event.
  std::array<Relay, 2> relays;

  [[nodiscard]] std::array<wait::EventCount, 2> events() const noexcept {
    return {words.dataEvent(), words.spaceEvent()};
  }
  /// Wakes the event loops that wait for the event here.
  static void signal(const wait::EventCount& event) noexcept {
    wait::AsyncTable::instance().signal(event.counter().address());
  }
};

std::shared_ptr<RingMonitor> RingMonitor::of(const Region& region,
                                             const std::shared_ptr<const StrandHeader>& header) noexcept {
  Monitors& known = monitors();
  const std::lock_guard lock(known.mutex);
  std::erase_if(known.all, [](const auto& entry) { return entry.second.expired(); });
  for (const auto& [file, weak] : known.all) {
    if (file != region.file()) continue;
    if (std::shared_ptr<RingMonitor> monitor = weak.lock()) return monitor;
  }
  auto monitor = std::make_shared<RingMonitor>(Key{}, region, header);
  known.all.emplace_back(region.file(), monitor);
  return monitor;
}

RingMonitor::RingMonitor(Key /*key*/, const Region& region, const std::shared_ptr<const StrandHeader>& header) noexcept
    : state_(std::make_shared<State>(region, header)) {
  state_->looking = startThread([state = state_] { look(state); });
}

RingMonitor::~RingMonitor() {
  const std::lock_guard lock(state_->mutex);
  state_->over.store(true, std::memory_order_relaxed);
  state_->ended.notify_one();
  for (std::size_t i = 0; i < state_->relays.size(); ++i) {
    if (!state_->relays[i].running) continue;
    // Others who sleep on it wake for nothing.
    const wait::EventCount event = state_->events()[i];
    event.counter().fetchAddRelease(1);
    wait::PlatformParker::unparkAll(event.counter(), event.scope());
  }
}

void RingMonitor::relay(const wait::EventCount& event) noexcept {
  const std::lock_guard lock(state_->mutex);
  // A thread that was refused before may be given now.
  if (!state_->looking) state_->looking = startThread([state = state_] { look(state); });
  State::Relay& relay =
      state_->relays[event.counter().address() == state_->words.dataEvent().counter().address() ? 0 : 1];
  relay.wanted = true;
  if (relay.running) return;
  // Loaded before the caller announces its wait: whoever takes the announcement moves the counter on.
  relay.running = startThread([state = state_, event, key = event.key()] { passOn(state, event, key); });
}

void RingMonitor::look(const std::shared_ptr<State>& state) noexcept {
  std::unique_lock lock(state->mutex);
  while (!state->over.load(std::memory_order_relaxed) && !wait::shuttingDown()) {
    const std::array<State::Relay, 2> relays = state->relays;
    lock.unlock();
    const bool gone = state->region.file()->findTruncation();
    if (!gone) {
      (void)StrandWriter::endDead(state->region, state->header);
      if (ConsumerSlots(state->words).removeDead() != 0) state->words.spaceEvent().notify();
    }
    for (std::size_t i = 0; i < relays.size(); ++i) {
      // Words that are gone wake nobody, and without a thread for it this one passes on.
      if (relays[i].wanted && (gone || !relays[i].running)) State::signal(state->events()[i]);
    }
    lock.lock();
    state->ended.wait_for(lock, kLook, [&] { return state->over.load(std::memory_order_relaxed); });
  }
}

void RingMonitor::passOn(const std::shared_ptr<State>& state, const wait::EventCount& event,
                         std::uint32_t key) noexcept {
  while (!state->over.load(std::memory_order_relaxed) && !wait::shuttingDown()) {
    (void)event.sleep(key, wait::EventCount::kSystemSlice);
    key = event.key();
    // Also when the time is over: a process that was killed may have taken the announcement and woken nobody.
    State::signal(event);
  }
}

}  // namespace strand
