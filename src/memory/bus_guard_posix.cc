#include <sys/mman.h>
#include <unistd.h>

#if defined(STRAND_TSAN)
#include <sys/syscall.h>
#endif

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <memory>
#include <mutex>

#include "memory/atomic_word.h"
#include "memory/bus_guard.h"

namespace strand {

/// A range that a handler may look at any time, on any thread. Slots are never freed, so a handler that has found one
/// may use it.
struct BusGuard::Slot {
  /// 0 while the slot is free. Stored last (release), so that a handler that sees it sees the rest.
  std::atomic<std::uintptr_t> begin{0};
  std::atomic<std::uintptr_t> end{0};
  std::atomic<bool> writable{false};
  std::atomic<bool> losesAll{false};
  std::atomic<bool> tripped{false};
};

/// All slots of the process, in blocks that only grow in number.
struct BusGuardTable {
  static constexpr std::size_t kSlots = 64;
  struct Block {
    std::array<BusGuard::Slot, kSlots> slots;
    std::atomic<Block*> next{nullptr};
  };

  // What a signal handler reads has no constructor to wait for and no destructor to fear.
  static Block first;
  static std::mutex mutex;
  static bool installed;
  static struct sigaction older;

  static BusGuard::Slot* take() noexcept;
  static void install() noexcept;
  /// Whether an access caused the signal. What kill(2) and its like send carries no address.
  static bool isFault(const siginfo_t& info) noexcept { return info.si_code > 0; }
  /// Puts zeros in the place of the pages from `from` on. → false where the system gives none
  static bool replace(BusGuard::Slot& slot, std::uintptr_t from, std::uintptr_t end) noexcept;
  static void onFault(int signal, siginfo_t* info, void* context) noexcept;
  static void passOn(int signal, siginfo_t* info, void* context) noexcept;
};

constinit BusGuardTable::Block BusGuardTable::first{};
constinit std::mutex BusGuardTable::mutex{};
constinit bool BusGuardTable::installed = false;
constinit struct sigaction BusGuardTable::older {};

BusGuard::Slot* BusGuardTable::take() noexcept {
  for (Block* block = &first;; block = block->next.load(std::memory_order_acquire)) {
    for (BusGuard::Slot& slot : block->slots) {
      // Under the mutex: taken slots are told by their end, which is stored before `begin`.
      if (slot.end.load(std::memory_order_relaxed) == 0) return &slot;
    }
    if (block->next.load(std::memory_order_acquire) == nullptr) {
      // Lives as long as the process.
      block->next.store(std::make_unique<Block>().release(), std::memory_order_release);
    }
  }
}

void BusGuardTable::install() noexcept {
  if (installed) return;
  struct sigaction action {};
  action.sa_sigaction = onFault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  installed = sigaction(SIGBUS, &action, &older) == 0;
}

void BusGuardTable::passOn(int signal, siginfo_t* info, void* context) noexcept {
  if ((older.sa_flags & SA_SIGINFO) != 0) {
    older.sa_sigaction(signal, info, context);
  } else if (older.sa_handler != SIG_DFL && older.sa_handler != SIG_IGN) {
    older.sa_handler(signal);
  } else if (isFault(*info) || older.sa_handler == SIG_DFL) {
    // The access is made again when this returns, and then ends the process as it would have without us.
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;
    sigaction(signal, &standard, nullptr);
    // One that was sent does not come again by itself; this one waits until the handler has returned.
    if (!isFault(*info)) (void)raise(signal);
  }
}

bool BusGuardTable::replace(BusGuard::Slot& slot, std::uintptr_t from, std::uintptr_t end) noexcept {
  const int protection = slot.writable.load(std::memory_order_relaxed) ? PROT_READ | PROT_WRITE : PROT_READ;
  // Before the pages are: whoever reads one of them finds the flag raised.
  slot.tripped.store(true, std::memory_order_release);
  constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
#if defined(STRAND_TSAN)
  // Its mmap takes a lock that the faulting access may hold, and takes the new pages for stores of this thread.
  return syscall(SYS_mmap, from, end - from, protection, kFlags, -1, 0) != -1;
#else
  return mmap(reinterpret_cast<void*>(from), end - from, protection, kFlags, -1, 0) != MAP_FAILED;
#endif
}

void BusGuardTable::onFault(int signal, siginfo_t* info, void* context) noexcept {
  const int error = errno;
  const auto address = isFault(*info) ? reinterpret_cast<std::uintptr_t>(info->si_addr) : 0;
  for (Block* block = &first; block != nullptr; block = block->next.load(std::memory_order_acquire)) {
    for (BusGuard::Slot& slot : block->slots) {
      const std::uintptr_t begin = slot.begin.load(std::memory_order_acquire);
      const std::uintptr_t end = slot.end.load(std::memory_order_acquire);
      if (begin == 0 || address < begin || address >= end) continue;
      // A slot that was given to another range meanwhile may show the one's begin and the other's end.
      if (slot.begin.load(std::memory_order_relaxed) != begin) continue;
      const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
      const bool replaced =
          replace(slot, slot.losesAll.load(std::memory_order_relaxed) ? begin : address / page * page, end);
      errno = error;
      if (replaced) return;
    }
  }
  passOn(signal, info, context);
}

BusGuard BusGuard::over(std::byte* data, std::uint64_t size, bool writable, Loses loses) noexcept {
  const std::lock_guard lock(BusGuardTable::mutex);
  BusGuardTable::install();
  if (!BusGuardTable::installed) return {};
  Slot* slot = BusGuardTable::take();
  const auto begin = reinterpret_cast<std::uintptr_t>(data);
  slot->writable.store(writable, std::memory_order_relaxed);
  slot->losesAll.store(loses == Loses::kAll, std::memory_order_relaxed);
  slot->tripped.store(false, std::memory_order_relaxed);
  // Release: who sees this end sees that `begin` was 0 before it.
  slot->end.store(begin + size, std::memory_order_release);
  slot->begin.store(begin, std::memory_order_release);
  return BusGuard(slot);
}

BusGuard::~BusGuard() {
  if (slot_ == nullptr) return;
  const std::lock_guard lock(BusGuardTable::mutex);
  slot_->begin.store(0, std::memory_order_release);
  slot_->end.store(0, std::memory_order_release);
}

bool BusGuard::tripped() const noexcept {
  if (slot_ == nullptr) return false;
  // The accesses in front of this come first.
  acquireFence();
  return slot_->tripped.load(std::memory_order_acquire);
}

void BusGuard::trip() const noexcept {
  if (slot_ == nullptr) return;
  (void)BusGuardTable::replace(*slot_, slot_->begin.load(std::memory_order_relaxed),
                               slot_->end.load(std::memory_order_relaxed));
}

}  // namespace strand
