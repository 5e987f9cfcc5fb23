#pragma once

#include "memory/region.h"

namespace strand::test {

/// Does to a strand whatever a producer and a consumer may do without blocking: attaches both, writes, claims,
/// reads every field of every record in the window, searches, registers, acknowledges, resets and closes. Whether the
/// calls succeed is not asked: none may touch memory outside the region, whatever its bytes are.
/// @return whether the header was accepted
bool exerciseStrand(const Region& region);

}  // namespace strand::test
