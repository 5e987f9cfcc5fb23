#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "layout/registry_layout.h"
#include "registry/registry_mutex.h"
#include "registry/registry_platform.h"
#include "registry/registry_status.h"

namespace strand {

/// The table of a registry, as one of its members sees it: which keys have a value, of which version, and who may change
/// it. Values are not in it; members send them to each other.
///
///     set                                              get
///     ───                                              ───
///     claim: a ticket, first come first served         look: the published version
///     reserve: v, never given twice                    its own value is of that version?  done
///     send (v, value) to every member                  take what was sent
///     publish v                                        still not?  ask members
///     release
///
/// What was sent before it was published is in every member's inbox when its version can be seen. Who joins in between is
/// noticed by `publish`: it answers kJoined if JOINS has moved since `reserve`. Joining moves it before it looks at any
/// shard, so under the shard's lock either `publish` sees that, or the newcomer's scan the version.
///
/// Sending wakes the others, so they often look before the sender has come to publish. What they have received has been
/// sent, so they publish it themselves: `accept`, the only way of telling whether a received value counts. A member that
/// is served late by the same sending may then see a version that is not in its inbox yet, and asks for it.
///
/// A member that dies has its tickets taken out by `leave`, from its thread's own cleanup hook: a thread cannot die in
/// native code, so every lock is free and every list whole. A version that it reserved and did not publish is never
/// given again.
///
/// Everything is checked for lying inside the memory, and loops for their length: whatever the bytes are, calls return.
///
/// @tparam P words and sleeping: `Word32`, `Word64` (as AtomicWord), `kSpins`, `relax()`, `kSleeps`, `park(word, value)`,
/// `unpark(word)`, `signal(doorbell, image)`
template <class P>
class BasicRegistryTable {
 public:
  using Word32 = typename P::Word32;
  using Word64 = typename P::Word64;

  /// What a table without entries takes.
  static constexpr std::uint64_t kLeastBytes = layout::kRegistryOffsetUnits + 64 * layout::kRegistryUnit;

  struct Look {
    std::uint64_t version = 0;  ///< published; 0: there is no value
    std::uint32_t writer = 0;   ///< serial of the member that published it
    std::uint32_t holder = 0;   ///< serial of the member that holds the lock; 0: nobody does
  };
  struct Reservation {
    std::uint64_t version = 0;
    std::uint32_t joins = 0;
    std::uint32_t others = 0;  ///< members besides this one
  };
  struct Member {
    std::uint32_t serial = 0;
    std::uint32_t thread = 0;
    bool ready = false;
  };
  struct Found {
    std::uint64_t key = 0;
    std::uint64_t version = 0;
    std::uint32_t writer = 0;
  };
  /// How far a scan has come.
  struct ScanPlace {
    std::uint32_t shard = 0;
    std::uint32_t bucket = 0;
  };

  BasicRegistryTable() noexcept = default;
  /// @param base aligned to 8; 0 or a table that was begun by `init`
  BasicRegistryTable(std::byte* base, std::uint64_t size) noexcept : base_(base), size_(size) {}

  /// How much memory serves a number of keys.
  [[nodiscard]] static std::uint64_t bytesFor(std::uint64_t keys) noexcept;
  /// Makes a table of zeroed memory. @param id two random words
  void init(std::uint64_t idLow, std::uint64_t idHigh) noexcept;
  [[nodiscard]] bool valid() const noexcept;

  /// The memory has grown: what is said is believed.
  void resize(std::uint64_t size) noexcept {
    if (size > size_) size_ = size;
  }
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

  RegistryStatus join(std::uint32_t thread) noexcept;
  [[nodiscard]] bool joined() const noexcept { return self_ != 0; }
  [[nodiscard]] std::uint32_t serial() const noexcept { return serial_; }
  void setReady() noexcept;
  /// Gives every ticket back and is no member any more.
  RegistryStatus leave() noexcept;
  /// @return how many there are; `found` has as many as it takes
  RegistryStatus members(std::span<Member> found, std::uint32_t& count) noexcept;

  RegistryStatus look(std::uint64_t key, Look& found) noexcept;
  /// Queues for a key's lock. @return kOk: `ticket` holds it; kQueued: it waits
  RegistryStatus claim(std::uint64_t key, std::uint32_t& ticket) noexcept;
  /// Takes a ticket out of the queue. @return kGranted where it is too late for that
  RegistryStatus withdraw(std::uint32_t ticket) noexcept;
  /// The next ticket of this member that was given its lock; 0 for none.
  std::uint32_t nextGrant() noexcept;
  RegistryStatus reserve(std::uint32_t ticket, Reservation& reserved) noexcept;
  /// Nothing is left to do where a receiver was faster. @param present false: the key has no value from now on
  RegistryStatus publish(std::uint32_t ticket, const Reservation& reserved, bool present) noexcept;
  RegistryStatus release(std::uint32_t ticket) noexcept;
  /// Whether what a member has sent is the key's published state; publishes it where that is still to be done. Otherwise a
  /// newer one is published, or its sender has died or sends it again.
  /// @param sent by the member `writer`; `present` false: that the key has no value
  RegistryStatus accept(std::uint64_t key, const Reservation& sent, std::uint32_t writer, bool present,
                        bool& counts) noexcept;

  /// Keys that have values, some at a time, until `place.shard` is kRegistryShards. One that is there from the first to the last call is
  /// found, possibly twice.
  RegistryStatus scan(ScanPlace& place, std::span<Found> found, std::uint32_t& count) noexcept;

  /// Has the next grant ring; to be called before `nextGrant`.
  void armGrants() noexcept { doorbellOf(self_).exchangeAcqRel(1); }
  /// Has the next change among the members ring; to be called before looking.
  void armChanges() noexcept { changes().exchangeAcqRel(1); }
  [[nodiscard]] Word32 grants() noexcept { return doorbellOf(self_); }
  [[nodiscard]] Word32 changes() noexcept { return word(layout::kRegistryOffsetDoorbell); }
  [[nodiscard]] Word64 image() noexcept { return Word64(base_, layout::kRegistryOffsetImage); }

 private:
  using Mutex = RegistryMutex<P>;

  /// A cell's or record's words.
  struct Cell {
    std::byte* at;
    [[nodiscard]] Word32 word(std::uint32_t offset) const noexcept { return Word32(at, offset); }
    [[nodiscard]] Word64 wide(std::uint32_t offset) const noexcept { return Word64(at, offset); }
    [[nodiscard]] std::uint32_t get(std::uint32_t offset) const noexcept { return word(offset).loadRelaxed(); }
    void set(std::uint32_t offset, std::uint32_t value) const noexcept { word(offset).storeRelaxed(value); }
  };

  [[nodiscard]] Word32 word(std::uint64_t offset) const noexcept { return Word32(base_, offset); }
  [[nodiscard]] Word32 doorbellOf(std::uint32_t member) const noexcept {
    return cell(member).word(layout::kMemberDoorbell);
  }
  [[nodiscard]] Cell cell(std::uint32_t unit) const noexcept {
    return {base_ + std::uint64_t{unit} * layout::kRegistryUnit};
  }
  /// Whether `units` of them lie in the memory.
  [[nodiscard]] bool inside(std::uint32_t unit, std::uint32_t units = 1) const noexcept {
    return unit >= layout::kRegistryOffsetUnits / layout::kRegistryUnit &&
           (std::uint64_t{unit} + units) * layout::kRegistryUnit <= size_;
  }
  [[nodiscard]] std::uint64_t mostSteps() const noexcept { return size_ / layout::kRegistryUnit; }

  /// Under any lock: whether all that its owners have linked lies in the memory as it is known here.
  [[nodiscard]] bool outgrown() const noexcept {
    return std::uint64_t{word(layout::kRegistryOffsetArena).loadRelaxed()} * layout::kRegistryUnit > size_;
  }
  [[nodiscard]] std::uint32_t takeUnits(std::uint32_t units) const noexcept;

  class Shard;
  [[nodiscard]] static std::uint64_t hashOf(std::uint64_t key) noexcept;
  [[nodiscard]] static std::uint32_t shardOf(std::uint64_t hash) noexcept {
    return static_cast<std::uint32_t>(hash >> (64U - layout::kRegistryShardBits));
  }

  /// The ticket's entry and shard, if it is one of this member.
  [[nodiscard]] bool ownTicket(std::uint32_t ticket, std::uint32_t& shard) const noexcept;
  void grantTo(std::uint32_t ticket) noexcept;
  /// Publishes what a holder has reserved. Under the lock of their shard.
  static void settle(Cell entry, Cell held, std::uint64_t version, std::uint32_t writer) noexcept;
  void ring(Word32 doorbell) noexcept {
    if (doorbell.exchangeAcqRel(0) != 0) P::signal(doorbell, image());
  }

  std::byte* base_ = nullptr;
  std::uint64_t size_ = 0;
  std::uint32_t self_ = 0;
  std::uint32_t serial_ = 0;
  /// Tickets that were taken from the shared list of grants, oldest first.
  std::uint32_t grants_ = 0;
};

extern template class BasicRegistryTable<RegistryPlatform>;
using RegistryTable = BasicRegistryTable<RegistryPlatform>;

}  // namespace strand
