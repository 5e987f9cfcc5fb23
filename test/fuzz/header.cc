#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "layout/strand_layout.h"
#include "memory/little_endian.h"
#include "record/metadata.h"
#include "ring/strand_view.h"
#include "ring/strand_writer.h"
#include "support/exercise.h"
#include "support/guarded_memory.h"
#include "support/header_words.h"

namespace {

using namespace strand;

const std::array<FieldSpec, 7> kFields{{{"id", FieldType::kU32, kFieldSortedAscending},
                                        {"text", FieldType::kUtf8, kFieldNullable},
                                        {"list", FieldType::kF64Array},
                                        {"hash", FieldType::kFixedBytes, 0, 5},
                                        {"json", FieldType::kLargeJson, kFieldNullable},
                                        {"time", FieldType::kI64, kFieldSortedDescending},
                                        {"flag", FieldType::kBool8}}};

/// A strand in the middle of its life, that inputs are laid over: without it none would come past the checksum.
const std::vector<std::byte>& healthyStrand() {
  static const std::vector<std::byte> bytes = [] {
    Schema schema;
    Geometry geometry;
    (void)Schema::build(kFields, schema);
    (void)computeGeometry(schema, 8, 200, 0, geometry);
    const Region region = Region::allocate(geometry.totalBytes);
    (void)writeHeader(region, schema, geometry, composeMetadata(schema, {}));
    StrandWriter writer;
    StrandView view;
    Fault fault;
    (void)StrandWriter::attach(region, {}, writer, fault);
    (void)StrandView::attach(region, view, fault);
    const std::array<double, 2> list{1, 2};
    for (std::uint64_t i = 0; i < 20; ++i) {
      const Value row[] = {i,       std::string_view("text"), std::span<const double>(list), Value(),
                           Value(), std::int64_t{-3}};
      EncodeFault encoded;
      (void)writer.write(row, encoded);
      if (i >= 2) (void)view.acknowledge(i - 1);
    }
    writer.detach();
    return std::vector<std::byte>(region.data(), region.data() + region.size());
  }();
  return bytes;
}

/// Calls wait up to a second for whoever seems to hold these: that is slow, and nothing else.
void letGo(std::byte* strand) {
  strand[layout::kOffsetEpoch] &= std::byte{0xFE};
  strand[layout::kOffsetActive + 3] &= std::byte{0x7F};
  storeLittle(strand + layout::kOffsetOwner + 4, std::uint32_t{0});
  storeLittle(strand + layout::kOffsetFastBusy, std::uint32_t{0});
}

}  // namespace

/// Input: groups of {offset u16, byte}, written over a valid strand whose checksums are then made right again. Nothing
/// that a producer or a consumer does with it touches memory outside it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<std::byte>& healthy = healthyStrand();
  static const test::GuardedMemory memory(healthy.size());
  std::copy(healthy.begin(), healthy.end(), memory.data());
  for (std::size_t at = 0; at + 3 <= size; at += 3) {
    const std::uint64_t offset = (data[at] | (std::uint64_t{data[at + 1]} << 8)) % healthy.size();
    memory.data()[offset] = static_cast<std::byte>(data[at + 2]);
  }
  letGo(memory.data());
  test::sealSchema(memory.region());
  (void)test::exerciseStrand(memory.region());
  return 0;
}
