#include "memory/mapped_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "memory/atomic_word.h"
#include "support/child_process.h"
#include "support/file_size_limit.h"
#include "support/page.h"
#include "support/random.h"
#include "support/scratch_directory.h"

namespace strand {
namespace {

using test::endOfChild;
using test::kPage;
using test::readFile;
using test::ScratchDirectory;
using test::writeFile;
using ::testing::HasSubstr;
using Access = OpenFile::Access;

class OpenFileTest : public ::testing::Test {
 protected:
  OpenFile opened(Access access) const { return opened(access, path_); }
  static OpenFile opened(Access access, const std::string& path) {
    Fault fault;
    OpenFile file = OpenFile::open(path, access, fault);
    EXPECT_TRUE(file.isOpen() && fault.ok()) << fault.message;
    return file;
  }
  Fault refused(Access access) const { return refused(access, path_); }
  static Fault refused(Access access, const std::string& path) {
    Fault fault;
    const OpenFile file = OpenFile::open(path, access, fault);
    EXPECT_FALSE(file.isOpen());
    EXPECT_FALSE(fault.ok());
    return fault;
  }
  /// Bytes of disk space that the file has.
  [[nodiscard]] std::uint64_t space() const {
    struct stat status {};
    EXPECT_EQ(stat(path_.c_str(), &status), 0);
    return static_cast<std::uint64_t>(status.st_blocks) * 512;
  }
  void fill(std::size_t bytes) const { writeFile(path_, std::vector<std::byte>(bytes, std::byte{1})); }
  static bool allAre(std::span<const std::byte> bytes, int value) {
    return std::all_of(bytes.begin(), bytes.end(), [&](std::byte byte) { return std::to_integer<int>(byte) == value; });
  }

  ScratchDirectory directory_;
  std::string path_ = directory_.path("file");
};

TEST_F(OpenFileTest, createsOnlyWhereItIsAskedTo) {
  for (const Access access : {Access::kRead, Access::kReadWrite}) {
    const Fault fault = refused(access);
    EXPECT_EQ(fault.code, FaultCode::kFile);
    EXPECT_THAT(fault.message, HasSubstr("'" + path_ + "': No such file"));
  }
  EXPECT_TRUE(directory_.empty());
  EXPECT_TRUE(opened(Access::kCreate).created());
  const OpenFile again = opened(Access::kCreate);
  EXPECT_FALSE(again.created());
  EXPECT_TRUE(again.writable());
  EXPECT_EQ(again.size(), 0U);
}

TEST_F(OpenFileTest, refusesWhatIsNoRegularFileAndWaitsForNone) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  for (const Access access : {Access::kRead, Access::kReadWrite, Access::kCreate}) {
    EXPECT_THAT(refused(access).message, HasSubstr("'" + path_ + "' is no regular file"));
    EXPECT_THAT(refused(access, directory_.path()).message, HasSubstr("Is a directory"));
    EXPECT_EQ(refused(access, "/dev/null").code, FaultCode::kFormat);
    EXPECT_THAT(refused(access, directory_.path(std::string("file\0of", 7))).message, HasSubstr("zero byte"));
    EXPECT_EQ(refused(access, directory_.path("no/file")).code, FaultCode::kFile);
  }
}

TEST_F(OpenFileTest, followsLinksEvenToWhatIsNotThereYet) {
  const std::string link = directory_.path("link");
  ASSERT_EQ(symlink("file", link.c_str()), 0);
  EXPECT_EQ(refused(Access::kReadWrite, link).code, FaultCode::kFile);
  EXPECT_TRUE(opened(Access::kCreate, link).isOpen());
  EXPECT_TRUE(std::filesystem::is_regular_file(path_));
  EXPECT_TRUE(opened(Access::kRead, link).isOpen());
  ASSERT_EQ(unlink(path_.c_str()), 0);
  ASSERT_EQ(symlink("link", path_.c_str()), 0);
  EXPECT_THAT(refused(Access::kCreate, link).message, HasSubstr("symbolic links"));
}

TEST_F(OpenFileTest, readsWhatItMustNotWriteAndSaysSo) {
  fill(10);
  ASSERT_EQ(chmod(directory_.path().c_str(), 0755), 0);
  ASSERT_EQ(chmod(path_.c_str(), 0444), 0);
  EXPECT_EQ(endOfChild([&] {
              if (!test::becomeNobody()) _exit(1);
              Fault fault;
              const OpenFile file = OpenFile::open(path_, Access::kRead, fault);
              if (!file.isOpen() || file.writable() || !fault.ok()) _exit(2);
              if (OpenFile::open(path_, Access::kReadWrite, fault).isOpen()) _exit(3);
              if (fault.message.find("Permission denied") == std::string::npos) _exit(4);
              fault = {};
              if (OpenFile::open(directory_.path("other"), Access::kCreate, fault).isOpen() || fault.ok()) _exit(5);
            }),
            0);
  ASSERT_EQ(chmod(path_.c_str(), 0), 0);
  EXPECT_EQ(endOfChild([&] {
              Fault fault;
              if (!test::becomeNobody() || OpenFile::open(path_, Access::kRead, fault).isOpen()) _exit(1);
            }),
            0);
}

TEST_F(OpenFileTest, readsAllOrSaysThatItCouldNot) {
  fill(100);
  const OpenFile file = opened(Access::kRead);
  std::vector<std::byte> bytes(100);
  EXPECT_TRUE(file.read(0, bytes.data(), 100));
  EXPECT_TRUE(allAre(bytes, 1));
  EXPECT_TRUE(file.read(99, bytes.data(), 1));
  EXPECT_FALSE(file.read(1, bytes.data(), 100));
}

TEST_F(OpenFileTest, allocatesExactlyAndLeavesNoHoles) {
  const OpenFile file = opened(Access::kCreate);
  ASSERT_TRUE(file.truncate(1 << 20));  // one hole
  Fault fault;
  for (const std::uint64_t bytes : {std::uint64_t{1} << 20U, (std::uint64_t{1} << 20U) + 12'345}) {
    EXPECT_TRUE(file.allocate(bytes, fault)) << fault.message;
    EXPECT_EQ(file.size(), bytes);
    EXPECT_GE(space(), bytes);
  }
  EXPECT_TRUE(file.allocate(10, fault));
  EXPECT_EQ(file.size(), (std::uint64_t{1} << 20U) + 12'345) << "never shrinks";
}

TEST_F(OpenFileTest, anAllocationThatTheSystemRefusesLeavesTheLength) {
  fill(1000);
  const OpenFile file = opened(Access::kReadWrite);
  const test::FileSizeLimit limit(8192);
  Fault fault;
  EXPECT_FALSE(file.allocate(100'000, fault));
  EXPECT_EQ(fault.code, FaultCode::kFile);
  EXPECT_THAT(fault.message, HasSubstr("100000 bytes"));
  EXPECT_THAT(fault.message, HasSubstr(path_));
  EXPECT_EQ(file.size(), 1000U);
}

TEST_F(OpenFileTest, clearsExactlyTheRangeAndKeepsItsDiskSpace) {
  test::Random random;
  constexpr std::uint64_t kSize = 5 << 20U;
  for (int round = 0; round < 8; ++round) {
    fill(kSize);
    const std::uint64_t from = random.below(kSize);
    // Short ones are written, long ones are punched.
    const std::uint64_t to = from + random.below(round % 2 == 0 ? 600'000 : kSize - from);
    Fault ignored;
    const auto mapped =
        MappedFile::map(opened(Access::kReadWrite), {.writable = true, .reserve = kSize, .onFlush = {}}, ignored);
    ASSERT_NE(mapped, nullptr);
    Fault fault;
    ASSERT_TRUE(mapped->file().clear(from, to, fault)) << fault.message;
    const std::span<const std::byte> bytes(mapped->data(), kSize);
    const std::uint64_t end = std::min(to, kSize);
    ASSERT_TRUE(allAre(bytes.first(from), 1)) << from << ' ' << to;
    ASSERT_TRUE(allAre(bytes.subspan(from, end - from), 0)) << from << ' ' << to;
    ASSERT_TRUE(allAre(bytes.subspan(end), 1)) << from << ' ' << to;
    EXPECT_EQ(mapped->file().size(), kSize);
    EXPECT_GE(space(), kSize);
  }
}

TEST_F(OpenFileTest, clearingNothingChangesNothing) {
  fill(100);
  const OpenFile file = opened(Access::kReadWrite);
  Fault fault;
  EXPECT_TRUE(file.clear(50, 50, fault));
  EXPECT_TRUE(file.clear(60, 50, fault));
  EXPECT_TRUE(file.clear(100, UINT64_MAX, fault));
  EXPECT_TRUE(allAre(readFile(path_), 1));
}

TEST_F(OpenFileTest, removesItsNameOnlyWhileThatIsItsOwn) {
  const OpenFile file = opened(Access::kCreate);
  ASSERT_EQ(rename(path_.c_str(), directory_.path("elsewhere").c_str()), 0);
  file.unlink();
  fill(3);
  file.unlink();
  EXPECT_TRUE(std::filesystem::exists(path_));
  opened(Access::kReadWrite).unlink();
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(OpenFileTest, aLockExcludesOtherOpeningsUntilItIsGivenAway) {
  fill(1);
  const OpenFile holder = opened(Access::kReadWrite);
  EXPECT_TRUE(holder.lock(0));
  EXPECT_TRUE(holder.lock(0)) << "its own";
  const OpenFile other = opened(Access::kReadWrite);
  EXPECT_FALSE(other.lock(0));
  const auto lockedElsewhere = [&] {
    return endOfChild([&] {
      Fault fault;
      _exit(OpenFile::open(path_, Access::kReadWrite, fault).lock(0) ? 0 : 1);
    });
  };
  EXPECT_EQ(lockedElsewhere(), 1);
  holder.unlock(0);
  EXPECT_EQ(lockedElsewhere(), 0);
  EXPECT_TRUE(other.lock(0));
}

TEST_F(OpenFileTest, aLockEndsWithItsOpeningAndWithNoOther) {
  fill(1);
  const OpenFile waiting = opened(Access::kReadWrite);
  {
    const OpenFile holder = opened(Access::kReadWrite);
    EXPECT_TRUE(holder.lock(0));
    // As locks of processes would be dropped here.
    (void)opened(Access::kReadWrite);
    EXPECT_FALSE(waiting.lock(0));
  }
  EXPECT_TRUE(waiting.lock(0));
}

#if defined(F_OFD_SETLK)
TEST_F(OpenFileTest, locksOfDifferentNumbersDoNotMeet) {
  fill(1);
  const OpenFile one = opened(Access::kReadWrite);
  const OpenFile other = opened(Access::kReadWrite);
  EXPECT_TRUE(one.lock(0));
  EXPECT_TRUE(other.lock(1));
  EXPECT_FALSE(one.lock(1));
  EXPECT_FALSE(other.lock(0));
}
#endif

TEST_F(OpenFileTest, moves) {
  fill(1);
  OpenFile file = opened(Access::kReadWrite);
  const int descriptor = file.descriptor();
  OpenFile moved(std::move(file));
  EXPECT_EQ(moved.descriptor(), descriptor);
  OpenFile assigned;
  EXPECT_FALSE(assigned.isOpen());
  assigned = std::move(moved);
  EXPECT_EQ(assigned.descriptor(), descriptor);
  EXPECT_EQ(assigned.path(), path_);
  EXPECT_TRUE(assigned.writable());
}

class MappedFileTest : public OpenFileTest {
 protected:
  std::shared_ptr<MappedFile> mapped(const MappedFile::Options& options) const {
    Fault fault;
    auto file = MappedFile::map(opened(options.writable ? Access::kReadWrite : Access::kRead), options, fault);
    EXPECT_NE(file, nullptr) << fault.message;
    return file;
  }
};

TEST_F(MappedFileTest, showsReadersWhatIsStoredAndTheFileToo) {
  fill(100);
  const auto writer = mapped({.writable = true, .reserve = 100, .onFlush = {}});
  const auto reader = mapped({.reserve = 100, .onFlush = {}});
  writer->data()[50] = std::byte{7};
  EXPECT_EQ(reader->data()[50], std::byte{7});
  EXPECT_EQ(readFile(path_)[50], std::byte{7});
  EXPECT_TRUE(writer->writable());
  EXPECT_FALSE(reader->writable());
  EXPECT_EQ(writer->reserved(), kPage);
}

TEST_F(MappedFileTest, growsUnderMappingsThatStayWhereTheyAre) {
  fill(100);
  const auto writer = mapped({.writable = true, .reserve = 10 * kPage, .onFlush = {}});
  const auto reader = mapped({.reserve = 10 * kPage, .onFlush = {}});
  EXPECT_TRUE(reader->reaches(100));
  EXPECT_FALSE(reader->reaches(101));
  Fault fault;
  ASSERT_TRUE(writer->grow(10 * kPage, fault)) << fault.message;
  EXPECT_TRUE(writer->reaches(10 * kPage));
  EXPECT_TRUE(reader->reaches(10 * kPage));
  EXPECT_FALSE(reader->reaches(10 * kPage + 1));
  writer->data()[9 * kPage] = std::byte{7};
  EXPECT_EQ(reader->data()[9 * kPage], std::byte{7});
  EXPECT_FALSE(reader->gone());
}

TEST_F(MappedFileTest, neverClaimsToReachPastItsAddressSpace) {
  fill(kPage);
  const auto reader = mapped({.reserve = kPage, .onFlush = {}});
  fill(3 * kPage);
  EXPECT_TRUE(reader->reaches(kPage));
  EXPECT_FALSE(reader->reaches(kPage + 1));
  const auto late = mapped({.reserve = kPage, .onFlush = {}});
  EXPECT_FALSE(late->reaches(kPage + 1)) << "the file was longer from the start";
}

TEST_F(MappedFileTest, letsReadersStoreInTheSharedBytesAlone) {
  fill(3 * kPage);
  const auto reader = mapped({.reserve = 3 * kPage, .sharedBytes = 512, .onFlush = {}});
  ASSERT_NE(reader->shared(), nullptr);
  EXPECT_NE(reader->shared(), reader->data());
  Word32(reader->shared(), 256).storeRelease(99);
  EXPECT_EQ(Word32(reader->data(), 256).loadAcquire(), 99U);
  const auto writer = mapped({.writable = true, .reserve = 3 * kPage, .sharedBytes = 512, .onFlush = {}});
  EXPECT_EQ(writer->shared(), writer->data());
  EXPECT_EQ(mapped({.reserve = 3 * kPage, .onFlush = {}})->shared(), nullptr);
}

TEST_F(MappedFileTest, isGoneOnceAnAccessMeetsTheCut) {
  fill(3 * kPage);
  const auto reader = mapped({.reserve = 3 * kPage, .sharedBytes = 512, .onFlush = {}});
  const auto other = mapped({.reserve = 3 * kPage, .sharedBytes = 512, .onFlush = {}});
  ASSERT_EQ(truncate(path_.c_str(), 0), 0);
  EXPECT_FALSE(reader->gone());
  EXPECT_EQ(std::to_integer<int>(*static_cast<volatile std::byte*>(reader->data() + 2 * kPage)), 0);
  EXPECT_TRUE(reader->gone());
  EXPECT_FALSE(other->gone());
  // No atomic access: the thread sanitizer makes those under a lock of its own, which the handler would wait for.
  static_cast<volatile std::byte*>(other->shared())[256] = std::byte{1};
  EXPECT_TRUE(other->gone());
}

TEST_F(MappedFileTest, flushesWholePagesAndTellsWhich) {
  fill(10 * kPage);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> flushes;
  const auto writer =
      mapped({.writable = true, .reserve = 10 * kPage, .onFlush = [&](std::uint64_t at, std::uint64_t n) {
                flushes.emplace_back(at, n);
              }});
  Fault fault;
  EXPECT_TRUE(writer->flush(0, 24, fault));
  EXPECT_TRUE(writer->flush(kPage - 1, 2, fault));
  EXPECT_TRUE(writer->flush(5 * kPage, 0, fault));
  EXPECT_TRUE(writer->flush(9 * kPage, 100 * kPage, fault)) << fault.message;
  EXPECT_EQ(flushes,
            (std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, kPage}, {0, 2 * kPage}, {9 * kPage, kPage}}));
}

TEST_F(MappedFileTest, saysWhenThereIsNoSuchAddressSpace) {
  fill(10);
  Fault fault;
  EXPECT_EQ(MappedFile::map(opened(Access::kRead), {.reserve = std::uint64_t{1} << 53U, .onFlush = {}}, fault),
            nullptr);
  EXPECT_EQ(fault.code, FaultCode::kFile);
  EXPECT_THAT(fault.message, HasSubstr(path_));
}

}  // namespace
}  // namespace strand
