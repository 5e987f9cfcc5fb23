#include "memory/shared_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/child_process.h"
#include "support/scratch_directory.h"

namespace strand {
namespace {

using test::endOfChild;

class SharedFileTest : public ::testing::Test {
 protected:
  SharedFileTest() { test::writeFile(path_, std::vector<std::byte>(3 * 4096, std::byte{7})); }

  [[nodiscard]] std::shared_ptr<SharedFile> mapped() const { return mapped(path_); }
  static std::shared_ptr<SharedFile> mapped(const std::string& path) {
    Fault fault;
    OpenFile file = OpenFile::open(path, OpenFile::Access::kReadWrite, fault);
    std::shared_ptr<SharedFile> shared = SharedFile::map(std::move(file), fault);
    EXPECT_TRUE(fault.ok()) << fault.message;
    return shared;
  }

  test::ScratchDirectory directory_;
  std::string path_ = directory_.path("shared");
};

TEST_F(SharedFileTest, isOneObjectInAProcessWhateverNameItWasOpenedBy) {
  const auto file = mapped();
  ASSERT_EQ(symlink(path_.c_str(), directory_.path("other name").c_str()), 0);
  EXPECT_EQ(mapped(), file);
  EXPECT_EQ(mapped(directory_.path("other name")), file);
  EXPECT_EQ(SharedFile::mappedAt(file->data()), file);
  EXPECT_EQ(SharedFile::mappedAt(file->data() + 4096), nullptr);
  EXPECT_EQ(SharedFile::mappedAt(nullptr), nullptr);
  EXPECT_EQ(file->size(), 3U * 4096);
  EXPECT_EQ(file->data()[0], std::byte{7});
}

TEST_F(SharedFileTest, isUnmappedWithTheLastOfItsUsers) {
  auto file = mapped();
  const std::weak_ptr<SharedFile> seen = file;
  file.reset();
  EXPECT_TRUE(seen.expired());
  EXPECT_NE(mapped(), nullptr);
}

TEST_F(SharedFileTest, locksANumberForOneAtATime) {
  const auto file = mapped();
  EXPECT_FALSE(file->locked(5));
  EXPECT_TRUE(file->lock(5));
  EXPECT_TRUE(file->locked(5));
  EXPECT_FALSE(file->lock(5)) << "another part of this process might want it";
  EXPECT_FALSE(file->locked(6));
  EXPECT_EQ(endOfChild([&] {
              const auto other = mapped();
              const bool right =
                  other != file && other->locked(5) && !other->lock(5) && other->lock(OpenFile::kMaxLock);
              // Not this one's.
              other->unlock(5);
              _exit(right && other->locked(5) ? 0 : 1);
            }),
            0);
  EXPECT_FALSE(file->locked(OpenFile::kMaxLock)) << "its process has ended";
  file->unlock(5);
  EXPECT_FALSE(file->locked(5));
  EXPECT_TRUE(file->lock(5));
}

TEST_F(SharedFileTest, letsGoOfWhatAKilledProcessHad) {
  const auto file = mapped();
  EXPECT_EQ(endOfChild([&] {
              if (mapped()->lock(9)) raise(SIGKILL);
            }),
            1000 + SIGKILL);
  EXPECT_TRUE(file->lock(9));
}

TEST_F(SharedFileTest, isAllZeroOnceAnAccessHasMetACut) {
  const auto file = mapped();
  ASSERT_EQ(truncate(path_.c_str(), 4096), 0);
  EXPECT_FALSE(file->gone());
  EXPECT_EQ(std::to_integer<int>(static_cast<volatile std::byte*>(file->data())[2 * 4096]), 0);
  EXPECT_TRUE(file->gone());
  EXPECT_TRUE(std::all_of(file->data(), file->data() + file->size(), [](std::byte b) { return b == std::byte{0}; }));
  EXPECT_EQ(test::readFile(path_)[0], std::byte{7}) << "the rest of the file stays as it is";
}

TEST_F(SharedFileTest, findsACutThatNoAccessHasMet) {
  const auto file = mapped();
  EXPECT_FALSE(file->findTruncation());
  ASSERT_EQ(truncate(path_.c_str(), 4096), 0);
  EXPECT_TRUE(file->findTruncation());
  EXPECT_TRUE(file->gone());
  EXPECT_EQ(file->data()[0], std::byte{0});
  const auto next = mapped();
  EXPECT_NE(next, file);
  EXPECT_FALSE(next->gone());
}

}  // namespace
}  // namespace strand
