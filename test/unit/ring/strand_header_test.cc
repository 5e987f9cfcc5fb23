#include "ring/strand_header.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "layout/strand_layout.h"
#include "record/metadata.h"
#include "support/header_words.h"
#include "support/numbered.h"
#include "support/random.h"
#include "support/test_strand.h"

namespace strand {
namespace {

using test::forgeWord;
using test::TestStrand;
using ::testing::HasSubstr;

Schema schemaOf(std::vector<FieldSpec> specs) {
  Schema schema;
  const Fault fault = Schema::build(specs, schema);
  EXPECT_TRUE(fault.ok()) << fault.message;
  return schema;
}

Fault readFault(const Region& region) {
  StrandHeader header;
  return readHeader(region, header);
}

TEST(Geometry, countsHeaderIndexHeapAndHeapBegin) {
  const Schema schema = schemaOf({{"a", FieldType::kU32}, {"b", FieldType::kUtf8}});
  Geometry geometry;
  ASSERT_TRUE(computeGeometry(schema, 16, 1000, 0, geometry).ok());
  EXPECT_EQ(geometry.indexCapacity, 16U);
  EXPECT_EQ(geometry.heapCapacity, 1000U);
  EXPECT_EQ(geometry.recordStride, 12U);
  EXPECT_EQ(geometry.headerSize, 4096U);
  EXPECT_EQ(geometry.heapStart, 4096U + 16 * 12);
  EXPECT_EQ(geometry.heapBeginStart, 4096U + 16 * 12 + 1000);
  EXPECT_EQ(geometry.totalBytes, 4096U + 16 * 12 + 1000 + 16 * 8);
}

TEST(Geometry, refusesCapacitiesThatAreNoPowersOfTwoOrOutOfRange) {
  const Schema schema = schemaOf({{"a", FieldType::kU32}});
  Geometry geometry;
  for (const std::uint64_t capacity : {std::uint64_t{0}, std::uint64_t{3}, std::uint64_t{6}, std::uint64_t{1000},
                                       (std::uint64_t{1} << 31) + 1, std::uint64_t{1} << 32, std::uint64_t{1} << 63}) {
    const Fault fault = computeGeometry(schema, capacity, 0, 0, geometry);
    EXPECT_EQ(fault.code, FaultCode::kHeader) << capacity;
    EXPECT_THAT(fault.message, HasSubstr(std::to_string(capacity)));
    EXPECT_THAT(fault.message, HasSubstr("power of two"));
  }
  EXPECT_TRUE(computeGeometry(schema, std::uint64_t{1} << 31, 0, 0, geometry).ok());
  EXPECT_TRUE(computeGeometry(schema, 1, 0, 0, geometry).ok());
  EXPECT_TRUE(computeGeometry(schema, 1, 0xFFFFFFFE, 0, geometry).ok());
  EXPECT_EQ(computeGeometry(schema, 1, 0xFFFFFFFF, 0, geometry).code, FaultCode::kHeader);
}

TEST(Geometry, refusesAMissingHeapWhereAFieldNeedsOne) {
  Geometry geometry;
  EXPECT_EQ(computeGeometry(schemaOf({{"a", FieldType::kUtf8}}), 4, 0, 0, geometry).code, FaultCode::kHeader);
  EXPECT_TRUE(computeGeometry(schemaOf({{"a", FieldType::kUtf8}}), 4, 1, 0, geometry).ok());
}

TEST(Geometry, theHeaderGrowsForAWideSchemaAndForMetadata) {
  std::vector<FieldSpec> wide;
  for (std::size_t i = 0; i < 500; ++i) wide.push_back({test::numbered("a_rather_long_name_", i), FieldType::kU8});
  Geometry geometry;
  const Schema schema = schemaOf(wide);
  ASSERT_TRUE(computeGeometry(schema, 4, 0, 0, geometry).ok());
  EXPECT_GT(geometry.headerSize, 4096U);
  EXPECT_EQ(geometry.headerSize % 128, 0U);
  const Region region = Region::allocate(geometry.totalBytes);
  ASSERT_TRUE(writeHeader(region, schema, geometry, composeMetadata(schema, {})).ok());
  StrandHeader header;
  ASSERT_TRUE(readHeader(region, header).ok());
  EXPECT_EQ(header.geometry.headerSize, geometry.headerSize);
  EXPECT_EQ(header.schema.fields().back().name, wide.back().name);

  const Schema narrow = schemaOf({{"a", FieldType::kU32}});
  ASSERT_TRUE(computeGeometry(narrow, 4, 0, 100'000, geometry).ok());
  EXPECT_GE(geometry.headerSize, 100'000U + layout::kOffsetSchema);
}

TEST(Geometry, refusesAHeaderPastItsLimitWhateverIsAskedFor) {
  const Schema schema = schemaOf({{"a", FieldType::kU32}});
  Geometry geometry;
  for (const std::uint64_t bytes :
       {std::uint64_t{layout::kMaxHeaderSize}, std::uint64_t{1} << 40, ~std::uint64_t{0} - 1000, ~std::uint64_t{0}}) {
    EXPECT_EQ(computeGeometry(schema, 4, 0, bytes, geometry).code, FaultCode::kHeader) << bytes;
  }
  EXPECT_TRUE(computeGeometry(schema, 4, 0, layout::kMaxHeaderSize - 4096, geometry).ok());
}

TEST(WriteHeader, refusesABufferThatIsTooSmall) {
  const Schema schema = schemaOf({{"a", FieldType::kUtf8}});
  Geometry geometry;
  ASSERT_TRUE(computeGeometry(schema, 4, 100, 0, geometry).ok());
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{4096}, geometry.totalBytes - 1}) {
    const Fault fault = writeHeader(Region::allocate(size), schema, geometry, composeMetadata(schema, {}));
    EXPECT_EQ(fault.code, FaultCode::kHeader);
    EXPECT_THAT(fault.message, HasSubstr(std::to_string(geometry.totalBytes)));
  }
}

TEST(WriteHeader, refusesMetadataWithoutRoomAndSaysHowMuchThereIs) {
  const Schema schema = schemaOf({{"a", FieldType::kU32}});
  Geometry geometry;
  ASSERT_TRUE(computeGeometry(schema, 4, 0, 0, geometry).ok());
  const Region region = Region::allocate(geometry.totalBytes);
  const std::string fitting = composeMetadata(schema, R"("meta":")" + std::string(2520, 'x') + "\"");
  EXPECT_TRUE(writeHeader(region, schema, geometry, fitting).ok());
  const std::string large = composeMetadata(schema, R"("meta":")" + std::string(3000, 'x') + "\"");
  const Fault fault = writeHeader(region, schema, geometry, large);
  EXPECT_EQ(fault.code, FaultCode::kHeader);
  EXPECT_THAT(fault.message, HasSubstr("2556"));
  EXPECT_THAT(fault.message, HasSubstr("meta_capacity " + std::to_string(large.size())));
  // The remedy works.
  ASSERT_TRUE(computeGeometry(schema, 4, 0, large.size(), geometry).ok());
  EXPECT_TRUE(writeHeader(Region::allocate(geometry.totalBytes), schema, geometry, large).ok());
}

TEST(WriteHeader, refusesAStrideThatTheFieldsDoNotFit) {
  const Schema schema = schemaOf({{"a", FieldType::kU32}, {"b", FieldType::kU32}});
  Geometry geometry;
  ASSERT_TRUE(computeGeometry(schema, 4, 0, 0, geometry).ok());
  const Region region = Region::allocate(65536);
  for (const std::uint32_t stride : {0U, 4U, 6U, 10U, 65536U}) {
    geometry.recordStride = stride;
    EXPECT_EQ(writeHeader(region, schema, geometry, composeMetadata(schema, {})).code, FaultCode::kHeader) << stride;
  }
  geometry.recordStride = 64;
  EXPECT_TRUE(writeHeader(region, schema, geometry, composeMetadata(schema, {})).ok());
  StrandHeader header;
  ASSERT_TRUE(readHeader(region, header).ok());
  EXPECT_EQ(header.geometry.recordStride, 64U);
}

TEST(WriteHeader, clearsWhateverWasInTheBuffer) {
  const TestStrand fresh;
  const Region region = Region::allocate(fresh.geometry.totalBytes);
  std::fill_n(region.data(), region.size(), std::byte{0xAA});
  ASSERT_TRUE(writeHeader(region, fresh.schema, fresh.geometry, composeMetadata(fresh.schema, {})).ok());
  const Geometry& geometry = fresh.geometry;
  EXPECT_TRUE(std::equal(region.data(), region.data() + geometry.headerSize, fresh.region.data()));
  EXPECT_TRUE(std::equal(region.data() + geometry.heapBeginStart, region.data() + geometry.totalBytes,
                         fresh.region.data() + geometry.heapBeginStart));
}

TEST(ReadHeader, givesBackWhatWasWritten) {
  const std::vector<FieldSpec> fields{{"a", FieldType::kU8, kFieldNullable}, {"é", FieldType::kFixedBytes, 0, 16}};
  const Schema schema = schemaOf(fields);
  Geometry geometry;
  ASSERT_TRUE(computeGeometry(schema, 4, 0, 0, geometry).ok());
  const Region region = Region::allocate(geometry.totalBytes + 1000);
  const std::string metadata = composeMetadata(schema, R"("meta":{"x":1})");
  ASSERT_TRUE(writeHeader(region, schema, geometry, metadata).ok());
  StrandHeader header;
  ASSERT_TRUE(readHeader(region, header).ok());
  EXPECT_EQ(header.metadata, metadata);
  EXPECT_EQ(header.schema.encode(), schema.encode());
  EXPECT_EQ(header.schema.fields()[1].name, "é");
  EXPECT_EQ(header.schema.fields()[1].width, 16U);
  EXPECT_EQ(header.geometry.totalBytes, geometry.totalBytes);
}

TEST(ReadHeader, refusesAnEmptyAnAlmostEmptyAndAMisalignedRegion) {
  EXPECT_EQ(readFault({}).code, FaultCode::kHeader);
  EXPECT_EQ(readFault(Region::allocate(4095)).code, FaultCode::kHeader);
  EXPECT_EQ(readFault(Region::allocate(8192)).code, FaultCode::kHeader);
  const TestStrand strand;
  const Region memory = Region::allocate(strand.region.size() + 8);
  std::copy_n(strand.region.data(), strand.region.size(), memory.data() + 4);
  const Region misaligned(memory.data() + 4, strand.region.size());
  EXPECT_THAT(readFault(misaligned).message, HasSubstr("multiple of 8"));
  EXPECT_THAT(writeHeader(misaligned, strand.schema, strand.geometry, composeMetadata(strand.schema, {})).message,
              HasSubstr("multiple of 8"));
}

TEST(ReadHeader, checksTheCrcFirst) {
  for (std::uint32_t byte = 0; byte < layout::kOffsetHeaderCrc + 4; ++byte) {
    const TestStrand strand;
    strand.region.data()[byte] ^= std::byte{0x10};
    EXPECT_THAT(readFault(strand.region).message, HasSubstr("CRC")) << "byte " << byte;
  }
}

TEST(ReadHeader, refusesEachForgedWordAndSaysWhich) {
  struct Forgery {
    std::uint32_t offset;
    std::uint32_t value;
    const char* says;
  };
  const Forgery forgeries[] = {
      {layout::kOffsetMagic, 0x12345678, "magic"},
      {layout::kOffsetVersion, 5, "version is 5"},
      {layout::kOffsetVersion, 7, "version is 7"},
      {layout::kOffsetFingerprint, 1, "fingerprint"},
      {layout::kOffsetRecordStride, 0, "stride"},
      {layout::kOffsetRecordStride, 12, "stride"},
      {layout::kOffsetRecordStride, 18, "stride"},
      {layout::kOffsetRecordStride, 65536, "stride"},
      {layout::kOffsetRecordStride, 0xFFFFFFFC, "stride"},
      {layout::kOffsetRecordStride, 65532, "needs"},
      {layout::kOffsetIndexCapacity, 0, "power of two"},
      {layout::kOffsetIndexCapacity, 7, "power of two"},
      {layout::kOffsetIndexCapacity, 0xFFFFFFFF, "power of two"},
      {layout::kOffsetIndexCapacity, 16, "needs"},
      {layout::kOffsetIndexCapacity, 0x80000000, "needs"},
      {layout::kOffsetHeapCapacity, 0, "heap_capacity is 0"},
      {layout::kOffsetHeapCapacity, 1000, "needs"},
      {layout::kOffsetHeapCapacity, 0xFFFFFFFF, "needs"},
      {layout::kOffsetHeaderSize, 0, "size 0"},
      {layout::kOffsetHeaderSize, 4095, "size 4095"},
      {layout::kOffsetHeaderSize, 4096 - 128, "size 3968"},
      {layout::kOffsetHeaderSize, 4097, "size 4097"},
      {layout::kOffsetHeaderSize, 4096 + 128, "needs"},
      {layout::kOffsetHeaderSize, 8192, "size 8192"},
      {layout::kOffsetHeaderSize, 0xFFFFFF80, "size"},
      {layout::kOffsetSchemaByteLength, 0, "fingerprint"},
      {layout::kOffsetSchemaByteLength, 4, "fingerprint"},
      {layout::kOffsetSchemaByteLength, 4096, "larger than the header"},
      {layout::kOffsetSchemaByteLength, 0xFFFFFFFF, "larger than the header"},
      {layout::kOffsetMetaByteLength, 0, "metadata"},
      {layout::kOffsetMetaByteLength, 5, "metadata"},
      {layout::kOffsetMetaByteLength, 4096, "larger than the header"},
      {layout::kOffsetMetaByteLength, 0xFFFFFFFF, "larger than the header"},
  };
  for (const Forgery& forgery : forgeries) {
    const TestStrand strand(8, 256);
    forgeWord(strand.region, forgery.offset, forgery.value);
    const Fault fault = readFault(strand.region);
    EXPECT_EQ(fault.code, FaultCode::kHeader) << forgery.offset << ' ' << forgery.value;
    EXPECT_THAT(fault.message, HasSubstr(forgery.says)) << forgery.offset << ' ' << forgery.value;
  }
}

TEST(ReadHeader, refusesPositionsThatContradictEachOther) {
  struct Forgery {
    std::uint32_t offset;
    std::uint64_t value;
  };
  for (const Forgery& forgery : std::vector<Forgery>{{layout::kOffsetBase, 4},
                                                     {layout::kOffsetBase, 16},
                                                     {layout::kOffsetReadCursor, 9},
                                                     {layout::kOffsetGate, 9},
                                                     {layout::kOffsetReadCursor, ~std::uint64_t{0}},
                                                     {layout::kOffsetCommitSeq, ~std::uint64_t{0}},
                                                     {layout::kOffsetHeapCommit, ~std::uint64_t{0}}}) {
    const TestStrand strand(8, 256);
    strand.startAt(8, 8);
    ASSERT_TRUE(readFault(strand.region).ok());
    strand.word64(forgery.offset).storeRelease(forgery.value);
    EXPECT_EQ(readFault(strand.region).code, FaultCode::kHeader) << forgery.offset << ' ' << forgery.value;
  }
  const TestStrand strand;
  strand.word32(layout::kOffsetStatus).storeRelease(4);
  EXPECT_THAT(readFault(strand.region).message, HasSubstr("status 4"));
}

TEST(ReadHeader, keepsTheOldHeaderWhenItRefuses) {
  const TestStrand strand;
  StrandHeader header;
  ASSERT_TRUE(readHeader(strand.region, header).ok());
  EXPECT_FALSE(readHeader({}, header).ok());
  EXPECT_EQ(header.geometry.indexCapacity, 8U);
}

TEST(ReadHeader, anyStrandRoundTrips) {
  test::Random random;
  for (int round = 0; round < 500; ++round) {
    std::vector<FieldSpec> specs(random.between(1, 60));
    for (std::size_t i = 0; i < specs.size(); ++i) {
      specs[i].name = test::numbered("n", i * 7);
      specs[i].type = kFieldTypes[random.below(kFieldTypes.size())].type;
      specs[i].flags = random.percent(30) ? kFieldNullable : std::uint8_t{0};
      specs[i].length = specs[i].type == FieldType::kFixedBytes ? static_cast<std::uint32_t>(random.between(1, 40)) : 0;
    }
    const TestStrand strand(std::uint64_t{1} << random.below(6), random.between(1, 300), specs);
    StrandHeader header;
    const Fault fault = readHeader(strand.region, header);
    ASSERT_TRUE(fault.ok()) << fault.message;
    ASSERT_EQ(header.schema.encode(), strand.schema.encode());
    ASSERT_EQ(header.geometry.totalBytes, strand.geometry.totalBytes);
    for (std::size_t i = 0; i < specs.size(); ++i) ASSERT_EQ(header.schema.fields()[i].name, specs[i].name);
  }
}

}  // namespace
}  // namespace strand
