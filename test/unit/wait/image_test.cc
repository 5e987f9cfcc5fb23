#include "wait/image.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <thread>

#include "wait/async_table.h"
#include "wait/event_count.h"

#if defined(STRAND_IMAGE_PROBE)
#include <dlfcn.h>

#include <filesystem>
#include <string>

#include "image_probe.h"
#endif

namespace strand::wait {
namespace {

TEST(Image, hasOneIdThatIsNeitherReservedNorNegative) {
  const std::uint64_t id = imageId();
  EXPECT_EQ(id, imageId());
  EXPECT_NE(id, kNoImage);
  EXPECT_LT(id, std::uint64_t{1} << 63U);
}

TEST(Image, joiningMovesTheWordForwardOnly) {
  std::uint64_t image = kNoImage;
  joinImage(Word64(&image));
  EXPECT_EQ(image, imageId());
  joinImage(Word64(&image));
  EXPECT_EQ(image, imageId());
  image = imageId() ^ 1U;
  joinImage(Word64(&image));
  EXPECT_EQ(image, kImagesMixed);
  joinImage(Word64(&image));
  EXPECT_EQ(image, kImagesMixed);
}

TEST(Image, exportedSignalReachesThisImagesTable) {
  class Sink final : public AsyncSink {
   public:
    void wake() noexcept override { ++wakes; }
    int wakes = 0;
  } sink;
  std::uint32_t counter = 0;
  AsyncWaiter waiter(sink, &counter);
  AsyncTable::instance().add(waiter);
  strand_signal_async_v1(&counter);
  AsyncTable::instance().remove(waiter);
  EXPECT_EQ(sink.wakes, 1);
}

// The build says where the module is that image_probe.h describes.
#if defined(STRAND_IMAGE_PROBE)

/// Copies of the probe module, each an image of its own.
class TwoImages : public ::testing::Test {
 protected:
  class Image {
   public:
    explicit Image(const std::filesystem::path& path) : handle_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
      if (handle_ == nullptr) {
        ADD_FAILURE() << dlerror();
        std::abort();
      }
      probe_ = static_cast<const StrandImageProbe*>(dlsym(handle_, kStrandImageProbe));
    }
    ~Image() { unload(); }
    Image(const Image&) = delete;
    Image& operator=(const Image&) = delete;

    void unload() {
      if (handle_ != nullptr) {
        probe_->forget();
        dlclose(handle_);
        handle_ = nullptr;
      }
    }
    const StrandImageProbe* operator->() const { return probe_; }

   private:
    void* handle_;
    const StrandImageProbe* probe_ = nullptr;
  };

  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "strand-images-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::filesystem::path copy(const char* name) const {
    const std::filesystem::path path = directory_ / (std::string(name) + ".so");
    std::filesystem::copy_file(STRAND_IMAGE_PROBE, path);
    return path;
  }

  /// Raises kAsync as a waiter does, and lets `waker` notify.
  void raiseAndNotify(const Image& waker) {
    EventCount(Word32(&counter_), Word32(&waiters_), Scope::kProcess).raise(kAsync);
    waker->notify(&counter_, &waiters_, &image_);
  }

  std::filesystem::path directory_;
  std::uint32_t counter_ = 0;
  std::uint32_t waiters_ = 0;
  std::uint64_t image_ = kNoImage;
};

TEST_F(TwoImages, haveTwoIdsAndTwoTables) {
  const Image a(copy("a"));
  const Image b(copy("b"));
  EXPECT_NE(a->imageId(), b->imageId());
  EXPECT_NE(a->imageId(), imageId());
  a->join(&image_);
  EXPECT_EQ(image_, a->imageId());
  // Nobody but a has joined, so a's wake-up stays in a, whoever else may listen.
  a->listen(&counter_);
  b->listen(&counter_);
  raiseAndNotify(a);
  EXPECT_EQ(a->wakes(), 1);
  EXPECT_EQ(b->wakes(), 0);
}

TEST_F(TwoImages, wakeEachOther) {
  const Image a(copy("a"));
  const Image b(copy("b"));
  a->join(&image_);
  b->join(&image_);
  EXPECT_EQ(image_, kImagesMixed);
  a->listen(&counter_);
  b->listen(&counter_);
  for (int round = 1; round <= 10; ++round) {
    raiseAndNotify(round % 2 == 0 ? a : b);
    EXPECT_EQ(a->wakes(), round);
    EXPECT_EQ(b->wakes(), round);
  }
}

TEST_F(TwoImages, aWakerThatNeverJoinedReachesTheOneThatDid) {
  const Image a(copy("a"));
  const Image b(copy("b"));
  a->join(&image_);
  a->listen(&counter_);
  raiseAndNotify(b);
  EXPECT_EQ(a->wakes(), 1);
  EXPECT_EQ(b->wakes(), 0);
}

TEST_F(TwoImages, anImageLoadedAfterTheFirstWakeUpIsFound) {
  const Image a(copy("a"));
  a->listen(&counter_);
  image_ = kImagesMixed;
  raiseAndNotify(a);
  const Image b(copy("b"));
  b->listen(&counter_);
  raiseAndNotify(a);
  EXPECT_EQ(a->wakes(), 2);
  EXPECT_EQ(b->wakes(), 1);
}

TEST_F(TwoImages, anUnloadedImageIsNotCalledIntoTheVoid) {
  const Image a(copy("a"));
  image_ = kImagesMixed;
  Image early(copy("early"));
  early.unload();
  raiseAndNotify(a);
  // This one is known to a when it goes.
  Image late(copy("late"));
  late->listen(&counter_);
  raiseAndNotify(a);
  EXPECT_EQ(late->wakes(), 1);
  late.unload();
  raiseAndNotify(a);
}

TEST_F(TwoImages, wakeEachOtherWhileLibrariesComeAndGo) {
  const Image a(copy("a"));
  const Image b(copy("b"));
  image_ = kImagesMixed;
  std::uint32_t otherCounter = 0;
  std::uint32_t otherWaiters = 0;
  a->listen(&counter_);
  b->listen(&otherCounter);
  std::atomic<bool> done{false};
  std::atomic<int> toA{0};
  std::atomic<int> toB{0};
  const auto wake = [&](const Image& waker, std::uint32_t& counter, std::uint32_t& waiters, std::atomic<int>& count) {
    while (!done) {
      EventCount(Word32(&counter), Word32(&waiters), Scope::kProcess).raise(kAsync);
      waker->notify(&counter, &waiters, &image_);
      ++count;
    }
  };
  std::thread wakesA([&] { wake(b, counter_, waiters_, toA); });
  std::thread wakesB([&] { wake(a, otherCounter, otherWaiters, toB); });
  const std::filesystem::path c = copy("c");
  for (int round = 0; round < 200; ++round) {
    const Image comingAndGoing(c);
  }
  done = true;
  wakesA.join();
  wakesB.join();
  EXPECT_EQ(a->wakes(), toA);
  EXPECT_EQ(b->wakes(), toB);
}

#else

TEST(TwoImages, wakeEachOther) { GTEST_SKIP() << "this build makes no probe module (STRAND_IMAGE_PROBE)"; }

#endif

}  // namespace
}  // namespace strand::wait
