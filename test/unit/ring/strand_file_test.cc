#include "ring/strand_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "layout/strand_layout.h"
#include "memory/boot_id.h"
#include "memory/little_endian.h"
#include "record/metadata.h"
#include "support/child_process.h"
#include "support/random.h"
#include "support/scratch_directory.h"
#include "support/test_strand.h"

namespace strand {
namespace {

using test::holdsRecord;
using test::Random;
using test::readFile;
using test::TestStrand;
using test::tryWrite;
using test::writeFile;
using ::testing::HasSubstr;

class StrandFile : public ::testing::Test {
 protected:
  /// Opens without a plan; the fault where that fails.
  [[nodiscard]] Fault refusal() const {
    Fault fault;
    const Region region = openStrandFile(path_, nullptr, fault);
    EXPECT_EQ(region.data() == nullptr, !fault.ok());
    return fault;
  }
  /// Until nobody has the file mapped: a monitor's thread ends a moment after the last view.
  void awaitUnmapped() const {
    Fault fault;
    const OpenFile file = OpenFile::open(path_, OpenFile::Access::kReadWrite, fault);
    while (!file.lock(layout::kLockInUse)) std::this_thread::yield();
  }
  /// Makes a strand with two records that nobody has read, closed by all.
  void makeUsed() const {
    const TestStrand strand(path_);
    StrandWriter writer = strand.writer();
    ASSERT_EQ(writer.begin(), Status::kOk);
    ASSERT_EQ(tryWrite(writer, 0, 20), Status::kOk);
    ASSERT_EQ(tryWrite(writer, 1, 30), Status::kOk);
    writer.close();
  }
  /// Whether the strand is empty, and carries a stream.
  void expectFresh() const {
    const TestStrand strand(path_);
    ASSERT_EQ(std::filesystem::file_size(path_), strand.geometry.totalBytes);
    StrandView view = strand.view();
    EXPECT_EQ(view.committed(), 0U);
    EXPECT_EQ(view.status(), StreamState::kInitializing);
    StrandWriter writer = strand.writer();
    ASSERT_EQ(writer.begin(), Status::kOk);
    for (std::uint64_t seq = 0; seq < 40; ++seq) {
      ASSERT_EQ(tryWrite(writer, seq, 100), Status::kOk);
      ASSERT_EQ(view.check(seq).progress, Progress::kReady);
      ASSERT_TRUE(holdsRecord(view, seq, 100));
      ASSERT_EQ(view.acknowledge(seq + 1), Status::kOk);
    }
  }

  test::ScratchDirectory directory_;
  std::string path_ = directory_.path("strand");
};

TEST_F(StrandFile, isMadeWithASchemaAndThenThereForEverybody) {
  EXPECT_EQ(refusal().code, FaultCode::kFile);
  expectFresh();
  EXPECT_TRUE(refusal().ok());
  EXPECT_EQ(readFile(path_)[layout::kOffsetBoot], static_cast<std::byte>(currentBootId() & 0xFFU));
}

TEST_F(StrandFile, keepsWhatWasCommittedWhenAllHaveLeft) {
  makeUsed();
  const TestStrand strand(path_);
  StrandView view = strand.view();
  EXPECT_EQ(view.check(0).committed, 2U);
  EXPECT_TRUE(holdsRecord(view, 1, 30));
  StrandWriter writer = strand.writer();
  ASSERT_EQ(tryWrite(writer, 2, 10), Status::kOk);
  EXPECT_EQ(view.check(0).committed, 3U);
}

TEST_F(StrandFile, isOneRegionInAProcess) {
  const TestStrand one(path_);
  const TestStrand other(path_);
  EXPECT_EQ(one.region.data(), other.region.data());
}

TEST_F(StrandFile, leavesAFileThatHoldsSomethingElse) {
  Random random;
  makeUsed();
  const std::vector<std::byte> strand = readFile(path_);
  std::vector<std::vector<std::byte>> contents{{std::byte{1}}, std::vector<std::byte>(100'000)};
  // Any byte of the part that never changes.
  for (int i = 0; i < 40; ++i) {
    contents.push_back(strand);
    contents.back()[random.below(layout::kOffsetHeaderCrc + 4)] ^= static_cast<std::byte>(random.between(1, 255));
  }
  for (const std::vector<std::byte>& content : contents) {
    writeFile(path_, content);
    const Fault fault = refusal();
    EXPECT_EQ(fault.code, FaultCode::kHeader);
    EXPECT_THAT(fault.message, HasSubstr(path_));
    EXPECT_ANY_THROW(TestStrand{path_});
    EXPECT_EQ(readFile(path_), content);
  }
}

TEST_F(StrandFile, refusesADirectoryAndAnEmptyFileWithoutASchema) {
  std::filesystem::create_directory(path_);
  EXPECT_FALSE(refusal().ok());
  std::filesystem::remove(path_);
  writeFile(path_, {});
  EXPECT_THAT(refusal().message, HasSubstr("with a schema"));
  expectFresh();
}

TEST_F(StrandFile, goesOnWithAMakingThatWasInterruptedAnywhere) {
  const std::uint64_t total = [&] {
    const TestStrand strand(path_);
    return strand.geometry.totalBytes;
  }();
  const std::vector<std::byte> made = readFile(path_);
  for (const std::uint64_t length : {std::uint64_t{0}, std::uint64_t{0x600}, std::uint64_t{4095}, std::uint64_t{4096},
                                     std::uint64_t{4097}, total - 1}) {
    awaitUnmapped();
    writeFile(path_, std::span(made).first(length));
    expectFresh();
  }
}

TEST_F(StrandFile, refusesAStrandThatWasCut) {
  makeUsed();
  const std::vector<std::byte> used = readFile(path_);
  for (const std::size_t length : {std::size_t{64}, std::size_t{0x600}, std::size_t{4096}, used.size() - 1}) {
    const auto content = std::span(used).first(length);
    writeFile(path_, content);
    EXPECT_THAT(refusal().message, HasSubstr("was cut"));
    EXPECT_ANY_THROW(TestStrand{path_});
    EXPECT_EQ(readFile(path_), std::vector<std::byte>(content.begin(), content.end()));
  }
}

// After a loss of power any page may be older than another.
TEST_F(StrandFile, beginsAnewAfterAnotherBootWhateverItsWordsSay) {
  Random random;
  makeUsed();
  const std::vector<std::byte> used = readFile(path_);
  for (int round = 0; round < 50; ++round) {
    awaitUnmapped();
    std::vector<std::byte> content = used;
    for (std::uint64_t n = random.below(40); n > 0; --n) {
      content[random.between(layout::kOffsetEpoch, layout::kOffsetSchema - 1)] = static_cast<std::byte>(random.bits());
    }
    storeLittle(content.data() + layout::kOffsetBoot, currentBootId() + 1);
    writeFile(path_, content);
    expectFresh();
  }
}

// A container may see another number for the same boot.
TEST_F(StrandFile, isLeftAsItIsByAnotherBootWhileSomebodyHasIt) {
  const test::Child other([&](std::uint64_t) {
    if (TestStrand(path_).view().committed() != 1) _exit(1);
  });
  const TestStrand strand(path_);
  StrandWriter writer = strand.writer();
  ASSERT_EQ(tryWrite(writer, 0, 10), Status::kOk);
  for (const std::uint64_t boot : {currentBootId() + 1, std::uint64_t{0}}) {
    strand.word64(layout::kOffsetBoot).storeRelease(boot);
    ASSERT_TRUE(other.does());
    EXPECT_EQ(tryWrite(writer, 1, 10), Status::kOk);
    writer = strand.writer();
    ASSERT_EQ(writer.reset(), Status::kOk);
    ASSERT_EQ(tryWrite(writer, 0, 10), Status::kOk);
  }
}

TEST_F(StrandFile, isNotMadeAgainWhileSomebodyHasIt) {
  const test::Child other([&](std::uint64_t) {
    const TestStrand alike;
    Fault fault;
    const StrandPlan plan{alike.schema, alike.geometry, composeMetadata(alike.schema, {})};
    const Region region = openStrandFile(path_, &plan, fault);
    if (region.data() != nullptr || fault.code != FaultCode::kHeader) _exit(1);
  });
  const TestStrand strand(path_);
  ASSERT_EQ(truncate(path_.c_str(), 0), 0);
  ASSERT_TRUE(other.does());
  EXPECT_EQ(std::filesystem::file_size(path_), 0U);
}

TEST_F(StrandFile, neitherLengthensNorClearsWhatIsNotSound) {
  makeUsed();
  const std::vector<std::byte> used = readFile(path_);
  for (const std::uint32_t offset :
       {layout::kOffsetHeaderSize, layout::kOffsetSchemaByteLength, layout::kOffsetSchema}) {
    for (const std::size_t length : {std::size_t{2048}, used.size()}) {
      std::vector<std::byte> content(used.begin(), used.begin() + static_cast<std::ptrdiff_t>(length));
      storeLittle(content.data() + offset, std::uint32_t{0});
      storeLittle(content.data() + layout::kOffsetBoot, currentBootId() + 1);
      writeFile(path_, content);
      EXPECT_EQ(refusal().code, FaultCode::kHeader);
      EXPECT_EQ(readFile(path_), content);
    }
  }
}

TEST_F(StrandFile, isMadeOnceByProcessesThatAllWantTo) {
  constexpr int kProcesses = 6;
  std::array<pid_t, kProcesses> children{};
  for (pid_t& child : children) {
    child = test::forkAlone();
    if (child != 0) continue;
    const TestStrand strand(path_);
    StrandView view = strand.view();
    _exit(view.wait(2, std::chrono::seconds(60)).committed == 3 ? 0 : 1);
  }
  {
    const TestStrand strand(path_);
    StrandWriter writer = strand.writer();
    for (std::uint64_t seq = 0; seq < 3; ++seq) ASSERT_EQ(tryWrite(writer, seq, 10), Status::kOk);
    for (const pid_t child : children) {
      EXPECT_EQ(test::endOf(child), 0);
    }
  }
}

}  // namespace
}  // namespace strand
