#pragma once

#include <cstdint>

namespace strand {

/// Answer of the table's calls.
enum class RegistryStatus : std::uint32_t {
  kOk = 0,
  kQueued,   ///< others come first: the ticket will be among the grants
  kGranted,  ///< the ticket was given the lock already
  kNoRoom,   ///< the memory has to grow
  kGrown,    ///< the memory has grown: say how large it is
  kJoined,   ///< somebody has joined since the version was reserved: send the value again
  kNotHeld,  ///< the ticket does not hold the lock, or its member has left
  kBusy,     ///< a lock of the table was not to be had for seconds
  kCorrupt,  ///< bytes that are no table
};

}  // namespace strand
