#pragma once

#include <memory>

#include "memory/region.h"
#include "ring/strand_header.h"
#include "wait/event_count.h"

namespace strand {

/// What a process does for a strand that it shares with others, for all of its writers and views of it together. Ends with
/// the last of them.
///
/// One thread looks four times a second for what the dead have left behind, and for a file that was cut: a writer that
/// died without letting go becomes an error of its stream, and slots of consumers that died are given back. Every process
/// that uses the strand does so, whoever comes first.
///
/// The table of asynchronous waiters knows this process only. So once an event loop waits here, a thread sleeps on the
/// event like any other sleeper, and passes each wake-up on to the table.
class RingMonitor {
  /// Only of() makes one.
  struct Key {};
  struct State;

 public:
  /// The one of this process for a strand in a file.
  static std::shared_ptr<RingMonitor> of(const Region& region,
                                         const std::shared_ptr<const StrandHeader>& header) noexcept;

  RingMonitor(Key key, const Region& region, const std::shared_ptr<const StrandHeader>& header) noexcept;
  RingMonitor(const RingMonitor&) = delete;
  RingMonitor& operator=(const RingMonitor&) = delete;
  ~RingMonitor();

  /// Sees to it that whoever is in the table for one of the strand's events is signalled from now on. Announce the wait
  /// behind it.
  void relay(const wait::EventCount& event) noexcept;

 private:
  static void look(const std::shared_ptr<State>& state) noexcept;
  static void passOn(const std::shared_ptr<State>& state, const wait::EventCount& event, std::uint32_t key) noexcept;

  std::shared_ptr<State> state_;
};

/// Announces the wait of an event loop that is in the table. @param monitor of a strand in a file
inline void announceAsync(const wait::EventCount& event, RingMonitor* monitor) noexcept {
  if (monitor == nullptr) {
    event.raise(wait::kAsync);
    return;
  }
  monitor->relay(event);
  event.raise(wait::kAsync | wait::kSleeper);
}

}  // namespace strand
