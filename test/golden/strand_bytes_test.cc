#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "record/metadata.h"
#include "ring/record_cursor.h"
#include "ring/strand_view.h"
#include "ring/strand_writer.h"
#include "support/every_type.h"
#include "support/golden_file.h"
#include "support/test_strand.h"

// The bytes of a strand are its wire format: producers and consumers in other languages, and strands in files, rely
// on them. Whoever changes one of these files changes the format and gives it a new version.
namespace strand {
namespace {

using test::EveryValue;
using test::GoldenFile;

Region makeStrand(const std::vector<FieldSpec>& fields, std::uint64_t capacity, std::uint64_t heap,
                  const std::string& members) {
  Schema schema;
  Geometry geometry;
  EXPECT_TRUE(Schema::build(fields, schema).ok());
  EXPECT_TRUE(computeGeometry(schema, capacity, heap, 0, geometry).ok());
  const Region region = Region::allocate(geometry.totalBytes);
  EXPECT_TRUE(writeHeader(region, schema, geometry, composeMetadata(schema, members)).ok());
  return region;
}

StrandWriter writerOf(const Region& region) {
  StrandWriter writer;
  Fault fault;
  EXPECT_EQ(StrandWriter::attach(region, {}, writer, fault), Status::kOk) << fault.message;
  return writer;
}

StrandView viewOf(const Region& region) {
  StrandView view;
  Fault fault;
  EXPECT_EQ(StrandView::attach(region, view, fault), Status::kOk) << fault.message;
  return view;
}

void expectPinned(const std::string& name, const Region& region, const std::string& comment) {
  const std::vector<std::byte> bytes(region.data(), region.data() + region.size());
  const GoldenFile golden(name);
  if (GoldenFile::updating()) golden.write(bytes, comment);
  EXPECT_EQ(golden.difference(bytes), "");
}

Region pinned(const std::string& name) {
  const std::vector<std::byte> bytes = GoldenFile(name).read();
  Region region = Region::allocate(bytes.size());
  std::copy(bytes.begin(), bytes.end(), region.data());
  return region;
}

TEST(GoldenBytes, ofASmallStrand) {
  const std::vector<FieldSpec> fields{{"id", FieldType::kU32, kFieldSortedAscending},
                                      {"score", FieldType::kF64, kFieldNullable},
                                      {"name", FieldType::kUtf8}};
  const Region region = makeStrand(fields, 4, 64, {});
  {
    StrandWriter writer = writerOf(region);
    ASSERT_EQ(writer.begin(), Status::kOk);
    EncodeFault fault;
    for (const auto& [id, score, name] : std::vector<std::tuple<std::uint64_t, Value, std::string_view>>{
             {1, 0.5, "ada"}, {2, Value(), ""}, {7, -2.0, "grace"}}) {
      const Value row[] = {id, score, name};
      ASSERT_EQ(writer.write(row, fault), Status::kOk);
    }
    ASSERT_EQ(viewOf(region).acknowledge(1), Status::kOk);
    writer.detach();
  }
  expectPinned("small", region,
               "A strand of { id: u32 ascending, score: f64 nullable, name: utf8 }, 4 records, 64 bytes of heap, with "
               "{1, 0.5, \"ada\"} {2, null, \"\"} {7, -2, \"grace\"}, the first of them acknowledged.");
}

TEST(GoldenBytes, ofAStrandWithEveryFieldType) {
  const Region region = makeStrand(test::everyType(), 4, 1024, R"("estimated_records":3,"meta":{"a":[1,"x"]})");
  {
    StrandWriter writer = writerOf(region);
    ASSERT_EQ(writer.begin(), Status::kOk);
    EncodeFault fault;
    const std::vector<Value> nothing(test::everyType().size());
    ASSERT_EQ(writer.write(EveryValue::row(), fault), Status::kOk);
    ASSERT_EQ(writer.write(nothing, fault), Status::kOk);
    ASSERT_EQ(writer.write(EveryValue::row(), fault), Status::kOk);
    ASSERT_EQ(writer.finalize(), Status::kOk);
  }
  expectPinned("every_type", region,
               "A strand of every field type, then every type nullable; 4 records, 1,024 bytes of heap; record 0 and 2 "
               "hold every value of every_type.json, record 1 none; finalized.");
}

TEST(GoldenBytes, aPinnedStrandReadsAsItWasWritten) {
  const Region region = pinned("every_type");
  StrandView view = viewOf(region);
  EXPECT_EQ(view.header().metadata.find(R"("meta":{"a":[1,"x"]})") != std::string::npos, true);
  EXPECT_EQ(view.wait(0, {}).progress, Progress::kEnded);
  ASSERT_EQ(view.committed(), 3U);
  RecordCursor cursor(view);
  for (const std::uint64_t seq : {0U, 2U}) {
    ASSERT_EQ(cursor.seek(seq), Status::kOk);
    const std::vector<Value> row = EveryValue::row();
    RecordImage image;
    ASSERT_EQ(encodeRecord(view.schema(), row, {view.header().geometry.heapStart, 1024}, image).error,
              EncodeError::kNone);
    // Slots are equal but for where the payloads lie.
    for (const Field& field : view.schema().fields()) {
      const auto read = view.slot(seq).subspan(field.offset, field.width);
      const auto written = std::span<const std::byte>(image.slot).subspan(field.offset, field.width);
      const std::size_t skipped = field.info().inHeap() ? 4 : 0;
      EXPECT_TRUE(std::equal(read.begin() + static_cast<std::ptrdiff_t>(skipped), read.end(),
                             written.begin() + static_cast<std::ptrdiff_t>(skipped)))
          << field.name;
    }
    EXPECT_EQ(cursor.getString(*view.schema().indexOf("utf8")), EveryValue::kText);
    EXPECT_EQ(cursor.getF64Array(*view.schema().indexOf("nullable_f64_array"))->size(), EveryValue::kF64.size());
  }
  ASSERT_EQ(cursor.seek(1), Status::kOk);
  EXPECT_FALSE(cursor.getU8(*view.schema().indexOf("nullable_u8")));
  EXPECT_EQ(cursor.getU8(*view.schema().indexOf("u8")), 0);
}

TEST(GoldenBytes, aPinnedStrandCanBeWrittenOn) {
  const Region region = pinned("small");
  StrandWriter writer = writerOf(region);
  EXPECT_EQ(writer.committed(), 3U);
  EncodeFault fault;
  const Value row[] = {std::uint64_t{9}, Value(), std::string_view("edsger")};
  ASSERT_EQ(writer.write(row, fault), Status::kOk);
  StrandView view = viewOf(region);
  EXPECT_EQ(view.effectiveReadCursor(), 1U);
  RecordCursor cursor(view);
  for (const auto& [seq, name] :
       std::vector<std::pair<std::uint64_t, std::string_view>>{{1, ""}, {2, "grace"}, {3, "edsger"}}) {
    ASSERT_EQ(cursor.seek(seq), Status::kOk);
    EXPECT_EQ(cursor.getString(2), name);
  }
  std::int64_t found = -1;
  ASSERT_EQ(view.findFirst(0, std::int64_t{3}, found), Status::kOk);
  EXPECT_EQ(found, 2);
}

}  // namespace
}  // namespace strand
