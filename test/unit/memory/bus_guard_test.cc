#include "memory/bus_guard.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/child_process.h"
#include "support/page.h"
#include "support/sanitized.h"
#include "support/scratch_directory.h"

namespace strand {
namespace {

using test::endOfChild;
using test::kPage;
using test::ScratchDirectory;

/// A mapped file of ones, which can be cut.
class Mapping {
 public:
  explicit Mapping(std::size_t pages, int protection = PROT_READ | PROT_WRITE) : size_(pages * kPage) {
    const ScratchDirectory directory;  // the file lives on without its name
    descriptor_ = open(directory.path("file").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const std::vector<char> ones(size_, 1);
    if (write(descriptor_, ones.data(), size_) != static_cast<ssize_t>(size_)) throw std::runtime_error("write");
    void* mapped = mmap(nullptr, size_, protection, MAP_SHARED, descriptor_, 0);
    if (mapped == MAP_FAILED) throw std::runtime_error("mmap");
    data_ = static_cast<std::byte*>(mapped);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    munmap(data_, size_);
    close(descriptor_);
  }

  void cut(std::size_t pages) const { ASSERT_EQ(ftruncate(descriptor_, static_cast<off_t>(pages * kPage)), 0); }
  [[nodiscard]] std::byte* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  /// An access that is made.
  [[nodiscard]] int at(std::size_t page) const {
    return std::to_integer<int>(*static_cast<volatile std::byte*>(data_ + page * kPage));
  }
  void put(std::size_t page, int value) const {
    *static_cast<volatile std::byte*>(data_ + page * kPage) = static_cast<std::byte>(value);
  }

 private:
  std::size_t size_;
  int descriptor_ = -1;
  std::byte* data_ = nullptr;
};

TEST(BusGuard, turnsPagesThatAreGoneIntoZerosAndSaysSo) {
  const Mapping mapping(4);
  const BusGuard guard = BusGuard::over(mapping.data(), mapping.size(), true);
  ASSERT_TRUE(guard.armed());
  mapping.cut(2);
  EXPECT_EQ(mapping.at(1), 1);
  EXPECT_FALSE(guard.tripped());
  EXPECT_EQ(mapping.at(2), 0);
  EXPECT_TRUE(guard.tripped());
  EXPECT_EQ(mapping.at(3), 0);
  EXPECT_EQ(mapping.at(0), 1);
}

TEST(BusGuard, letsStoresGoOnWhereTheRangeIsWritable) {
  const Mapping mapping(2);
  const BusGuard guard = BusGuard::over(mapping.data(), mapping.size(), true);
  mapping.cut(1);
  mapping.put(1, 7);
  EXPECT_TRUE(guard.tripped());
  EXPECT_EQ(mapping.at(1), 7);
}

TEST(BusGuard, keepsAReadOnlyRangeReadOnly) {
  const Mapping mapping(2, PROT_READ);
  const BusGuard guard = BusGuard::over(mapping.data(), mapping.size(), false);
  mapping.cut(1);
  EXPECT_EQ(mapping.at(1), 0);
  EXPECT_TRUE(guard.tripped());
  EXPECT_NE(endOfChild([&] {
              struct sigaction standard {};
              standard.sa_handler = SIG_DFL;
              sigaction(SIGSEGV, &standard, nullptr);
              mapping.put(1, 7);
            }),
            0);
}

TEST(BusGuard, tripsOnlyTheOneWhoseRangeWasTouched) {
  const Mapping first(2);
  const Mapping second(2);
  const BusGuard one = BusGuard::over(first.data(), first.size(), true);
  const BusGuard other = BusGuard::over(second.data(), second.size(), true);
  first.cut(0);
  second.cut(0);
  EXPECT_EQ(second.at(0), 0);
  EXPECT_TRUE(other.tripped());
  EXPECT_FALSE(one.tripped());
}

TEST(BusGuard, servesMoreRangesThanABlockOfSlotsHolds) {
  constexpr std::size_t kRanges = 200;
  std::vector<std::unique_ptr<Mapping>> mappings;
  std::vector<BusGuard> guards;
  for (std::size_t i = 0; i < kRanges; ++i) {
    mappings.push_back(std::make_unique<Mapping>(1));
    guards.push_back(BusGuard::over(mappings[i]->data(), mappings[i]->size(), true));
    ASSERT_TRUE(guards[i].armed());
  }
  for (std::size_t i = 0; i < kRanges; i += 3) {
    mappings[i]->cut(0);
    EXPECT_EQ(mappings[i]->at(0), 0);
  }
  for (std::size_t i = 0; i < kRanges; ++i) EXPECT_EQ(guards[i].tripped(), i % 3 == 0) << i;
}

TEST(BusGuard, isUsedAgainWithItsFlagDown) {
  for (int round = 0; round < 300; ++round) {
    const Mapping mapping(1);
    const BusGuard guard = BusGuard::over(mapping.data(), mapping.size(), true);
    ASSERT_TRUE(guard.armed());
    ASSERT_FALSE(guard.tripped());
    mapping.cut(0);
    ASSERT_EQ(mapping.at(0), 0);
    ASSERT_TRUE(guard.tripped());
  }
}

TEST(BusGuard, movesWithWhatItGuards) {
  const Mapping mapping(2);
  BusGuard guard;
  EXPECT_FALSE(guard.armed());
  EXPECT_FALSE(guard.tripped());
  guard = BusGuard::over(mapping.data(), mapping.size(), true);
  const BusGuard moved(std::move(guard));
  mapping.cut(0);
  EXPECT_EQ(mapping.at(1), 0);
  EXPECT_TRUE(moved.tripped());
}

TEST(BusGuard, servesThreadsThatFaultAtOnce) {
  const Mapping mapping(64);
  const BusGuard guard = BusGuard::over(mapping.data(), mapping.size(), true);
  mapping.cut(1);
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (std::size_t page = 63 - thread; page > 3; page -= 4) EXPECT_EQ(mapping.at(page), 0);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(guard.tripped());
  EXPECT_EQ(mapping.at(0), 1);
}

// The handler is the process's and installed once, so what it does with signals that are not ours is looked at in
// children. GoogleTest runs suites of this name first, while this process has no guard.
class BusGuardDeathTest : public ::testing::Test {
 protected:
  /// How a child ends that faults outside of its guard.
  static int faultOutside(const std::optional<struct sigaction>& older, bool unguarded) {
    return endOfChild([&] {
      if (older) sigaction(SIGBUS, &*older, nullptr);
      const Mapping guarded(1);
      const Mapping foreign(1);
      std::optional<BusGuard> guard(BusGuard::over(guarded.data(), guarded.size(), true));
      if (unguarded) guard.reset();
      const Mapping& faulting = unguarded ? guarded : foreign;
      faulting.cut(0);
      (void)faulting.at(0);
    });
  }
};

void leaveWith42(int /*signal*/) { _exit(42); }
void leaveWith43(int /*signal*/, siginfo_t* info, void* /*context*/) { _exit(info->si_addr != nullptr ? 43 : 44); }

TEST_F(BusGuardDeathTest, aForeignFaultEndsTheProcessWhereNobodyElseHandlesIt) {
  if (test::kSanitized) GTEST_SKIP() << "the sanitizer handles it";
  EXPECT_EQ(faultOutside({}, false), 1000 + SIGBUS);
}

TEST_F(BusGuardDeathTest, aFaultEndsTheProcessOnceTheGuardIsGone) {
  if (test::kSanitized) GTEST_SKIP() << "the sanitizer handles it";
  EXPECT_EQ(faultOutside({}, true), 1000 + SIGBUS);
}

TEST_F(BusGuardDeathTest, aForeignFaultGoesToTheHandlerThatWasThereBefore) {
  struct sigaction older {};
  older.sa_handler = leaveWith42;
  EXPECT_EQ(faultOutside(older, false), 42);
}

TEST_F(BusGuardDeathTest, aForeignFaultGoesToAnOlderHandlerThatAsksForMore) {
  struct sigaction older {};
  older.sa_sigaction = leaveWith43;
  older.sa_flags = SA_SIGINFO;
  EXPECT_EQ(faultOutside(older, false), 43);
}

TEST_F(BusGuardDeathTest, aFaultInsideDoesNotTroubleTheOlderHandler) {
  struct sigaction older {};
  older.sa_handler = leaveWith42;
  EXPECT_EQ(endOfChild([&] {
              sigaction(SIGBUS, &older, nullptr);
              const Mapping guarded(1);
              const BusGuard guard = BusGuard::over(guarded.data(), guarded.size(), true);
              const Mapping foreign(1);
              foreign.cut(0);
              guarded.cut(0);
              if (guarded.at(0) != 0 || !guard.tripped()) _exit(1);
              (void)foreign.at(0);
            }),
            42);
}

TEST_F(BusGuardDeathTest, aSignalThatWasSentEndsTheProcessAsItWould) {
  if (test::kSanitized) GTEST_SKIP() << "the sanitizer handles it";
  EXPECT_EQ(endOfChild([] {
              const Mapping guarded(1);
              const BusGuard guard = BusGuard::over(guarded.data(), guarded.size(), true);
              raise(SIGBUS);
            }),
            1000 + SIGBUS);
}

TEST_F(BusGuardDeathTest, aSignalThatWasSentStaysIgnored) {
  EXPECT_EQ(endOfChild([] {
              struct sigaction ignore {};
              ignore.sa_handler = SIG_IGN;
              sigaction(SIGBUS, &ignore, nullptr);
              const Mapping guarded(1);
              const BusGuard guard = BusGuard::over(guarded.data(), guarded.size(), true);
              raise(SIGBUS);
              raise(SIGBUS);
              guarded.cut(0);
              if (guarded.at(0) != 0 || !guard.tripped()) _exit(1);
            }),
            0);
}

}  // namespace
}  // namespace strand
