#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "record/fault.h"
#include "record/schema.h"

namespace strand {

/// The metadata of a header: one JSON object (RFC 8259) whose member "columns" lists the field names in
/// order; the other members ("query", "estimated_records", "meta") belong to the facade.

/// Writes the object. `members` is the text of further members without braces, possibly empty.
std::string composeMetadata(const Schema& schema, std::string_view members) noexcept;

/// Checks the grammar of the whole text and takes the names out of it.
Fault parseColumnNames(std::string_view json, std::vector<std::string>& names) noexcept;

}  // namespace strand
