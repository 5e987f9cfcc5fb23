#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "memory/region.h"
#include "record/fault.h"
#include "record/schema.h"
#include "ring/strand_header.h"

namespace strand {

/// What to make where there is no strand yet.
struct StrandPlan {
  Schema schema;
  Geometry geometry;
  std::string metadata;  ///< as composeMetadata makes it
};

/// Opens the strand in a file for this process, or makes it.
///
/// A new file gets its header in one piece, then its size: whatever interrupts the making, the file is empty, or the next
/// one who opens it can go on. A file from another boot of the machine keeps its schema; its stream begins anew, since
/// the pages that reached the disk need not fit each other. A file that holds something else is left untouched.
///
/// @param plan null where the strand must be there
/// @return an empty region and a fault: kFile, kHeader, kBusy where somebody else is at it for longer than a second
Region openStrandFile(const std::string& path, const StrandPlan* plan, Fault& fault) noexcept;

}  // namespace strand
