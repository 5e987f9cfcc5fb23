#pragma once

#include <cstdint>

namespace strand {

/// Answer of the hot calls. Anything but kOk has changed nothing that others can see.
enum class Status : std::uint32_t {
  kOk = 0,
  kWouldBlock,     ///< no room yet: wait for space and call again
  kAborted,        ///< a consumer signalled an abort
  kFenced,         ///< a newer writer has taken the strand over
  kClosed,         ///< this writer or view has been closed
  kEnded,          ///< the stream has ended; reset() starts a new one
  kClaimsOpen,     ///< claimed slots or heap bytes wait for their commit
  kBatchOpen,      ///< a batch is being written
  kOutOfOrder,     ///< a commit that does not follow the claims
  kUnsatisfiable,  ///< own uncommitted claims stand in the way
  kHeapTooSmall,   ///< more than the heap can ever hold
  kPositionLimit,  ///< positions would pass 2^53
  kBusy,           ///< another thread holds the owner word or the slot table
  kReset,          ///< the view's stream was reset
  kPastCommitted,  ///< a position that is not committed
  kBehind,         ///< a position below what was acknowledged, or no longer intact
  kNotCommitted,   ///< no such record yet
  kBadToken,       ///< a token that is not live in this thread
  kTokenRequired,  ///< registered consumers exist; an acknowledgement names its token
  kNoVacantSlot,   ///< all consumer slots are taken
  kBadField,       ///< no such field, or not of this kind
  kGone,           ///< the file behind the strand was cut
};

/// Status word of a stream, as consumers see it.
enum class StreamState : std::uint32_t { kInitializing = 0, kStreaming = 1, kEos = 2, kError = 3 };

}  // namespace strand
