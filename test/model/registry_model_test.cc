#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "memory/region.h"
#include "registry/registry_table.h"
#include "registry/registry_table_impl.h"
#include "support/long_form.h"
#include "support/random.h"
#include "support/sanitized.h"

// Fibers are glibc's: each participant has a stack, and all of them one thread.
#if defined(__GLIBC__)

#include "fibers.h"
#include "schedule.h"

/// A model of a registry's members: each runs what the TypeScript layer does around the table's calls, on the table's
/// own code, whose every access to memory is a place where another one may go on. Orders weaker than sequential
/// consistency are not modelled; ThreadSanitizer sees to those in the unit tests.
namespace strand {
namespace {

using test::Fibers;
using test::PlacesPolicy;
using test::Policy;
using test::Random;
using test::RandomPolicy;
using Status = RegistryStatus;

// The table in the model

class Model;
/// The one whose participants run.
Model* model = nullptr;

enum class Access : std::uint8_t { kPlain, kSynchronising };
void beforeAccess(const std::byte* at, Access access);
void afterLocked(const std::byte* at);

template <typename T>
class ModelWord {
 public:
  using Value = T;
  ModelWord(std::byte* base, std::size_t offset) noexcept : at_(base + offset) {}

  [[nodiscard]] T loadRelaxed() const { return before(Access::kPlain).value(); }
  [[nodiscard]] T loadAcquire() const { return before(Access::kSynchronising).value(); }
  void storeRelaxed(T value) const { before(Access::kPlain).value() = value; }
  void storeRelease(T value) const { before(Access::kSynchronising).value() = value; }
  T exchangeAcqRel(T value) const {
    const T seen = before(Access::kSynchronising).value();
    this->value() = value;
    if (seen == 0 && value != 0) afterLocked(at_);
    return seen;
  }
  [[nodiscard]] bool compareExchange(T& expected, T desired) const {
    T& now = before(Access::kSynchronising).value();
    if (now != expected) {
      expected = now;
      return false;
    }
    now = desired;
    if (expected == 0) afterLocked(at_);
    return true;
  }
  T fetchAddRelaxed(T delta) const { return fetchAddRelease(delta); }
  T fetchAddRelease(T delta) const {
    T& now = before(Access::kSynchronising).value();
    now = static_cast<T>(now + delta);
    return static_cast<T>(now - delta);
  }

  [[nodiscard]] std::byte* address() const { return at_; }

 private:
  const ModelWord& before(Access access) const {
    beforeAccess(at_, access);
    return *this;
  }
  [[nodiscard]] T& value() const { return *reinterpret_cast<T*>(at_); }

  std::byte* at_;
};

struct ModelPlatform {
  using Word32 = ModelWord<std::uint32_t>;
  using Word64 = ModelWord<std::uint64_t>;
  static constexpr int kSpins = 1;
  static constexpr int kSleeps = 1'000'000;

  static void relax() {}
  static void park(Word32 word, std::uint32_t expected);
  static void unpark(Word32 word);
  static void signal(Word32 doorbell, Word64 image);
};
using ModelTable = BasicRegistryTable<ModelPlatform>;

// The model

/// What a participant does once it has joined, one after the other.
struct Step {
  enum class Kind : std::uint8_t { kSet, kDelete, kGet, kTry };
  Kind kind = Kind::kGet;
  /// Indices of keys, all of which are claimed before the first is changed.
  std::vector<std::size_t> keys;
};

/// A member's life, and how it ends.
struct Life {
  std::vector<Step> steps;
  /// Before which of its native calls its thread is terminated.
  std::optional<std::uint32_t> killedAt;
};

/// Each participant lives its lives one after the other, as another member each time.
using Scenario = std::vector<std::vector<Life>>;

struct Choices {
  bool publishesBeforeSending = false;  ///< wrong, to see that it is found
};

/// Of a key: its value in the memory, and where that leads to.
struct Place {
  std::uint64_t key = 0;
  std::uint32_t shard = 0;
  std::uint32_t bucket = 0;
};

/// A number of keys of which the first two share a bucket, and a third their shard.
std::vector<Place> findPlaces() {
  const auto placeOf = [](std::uint64_t key) {
    const Region region = Region::allocate(RegistryTable::bytesFor(1));
    RegistryTable table(region.data(), region.size());
    table.init(1, 2);
    (void)table.join(0);
    std::uint32_t ticket = 0;
    (void)table.claim(key, ticket);
    const auto word = [&](std::uint64_t offset) { return Word32(region.data(), offset).loadRelaxed(); };
    for (std::uint32_t shard = 0; shard < layout::kRegistryShards; ++shard) {
      const std::uint64_t at = layout::kRegistryOffsetShards + std::uint64_t{shard} * layout::kRegistryShardBytes;
      if (word(at + layout::kShardEntries) == 0) continue;
      const std::uint64_t buckets = std::uint64_t{word(at + layout::kShardSegments)} * layout::kRegistryUnit;
      for (std::uint32_t bucket = 0; bucket < layout::kFirstBuckets; ++bucket) {
        if (word(buckets + std::uint64_t{bucket} * 4) != 0) return Place{key, shard, bucket};
      }
    }
    return Place{};
  };
  std::vector<Place> found{placeOf(1)};
  for (std::uint64_t key = 2; found.size() < 4; ++key) {
    const Place place = placeOf(key);
    const bool sameShard = place.shard == found[0].shard;
    const bool sameBucket = place.bucket == found[0].bucket;
    if (found.size() == 1 ? sameShard && sameBucket : found.size() == 2 ? sameShard && !sameBucket : !sameShard) {
      found.push_back(place);
    }
  }
  return found;
}

class Model {
 public:
  Model() : places_(findPlaces()), fibers_([this](std::size_t who) { run(participants_[who]); }) {
    // Where nobody has a key nobody can be in the way, so that nothing is gained by going on elsewhere.
    std::fill_n(quiet_ + layout::kRegistryOffsetShards / layout::kRegistryUnit,
                (layout::kRegistryOffsetUnits - layout::kRegistryOffsetShards) / layout::kRegistryUnit, true);
    for (const Place& place : places_) {
      const std::uint32_t shard = layout::kRegistryOffsetShards + place.shard * layout::kRegistryShardBytes;
      std::fill_n(quiet_ + shard / layout::kRegistryUnit, layout::kRegistryShardBytes / layout::kRegistryUnit, false);
    }
  }

  /// @return what went wrong, if anything did
  std::string play(const Scenario& scenario, const Choices& choices, Policy& policy) {
    begin(scenario, choices, policy);
    model = this;
    if (pickAnother(running_)) fibers_.enter(running_);
    model = nullptr;
    if (failure_.empty()) {
      for (const Participant& each : participants_) {
        if (each.state != State::kDone) fail("deadlock: nobody can go on");
      }
    }
    if (failure_.empty()) checkEnd();
    if (failure_.empty()) return {};
    fibers_.abandon();
    return failure_ + trace();
  }

  /// Native calls that a participant made in its first life.
  [[nodiscard]] std::uint32_t calls(std::size_t who) const { return participants_[who].calls; }

  // What the words and the platform call, in the running participant.

  void beforeAccess(const std::byte* at, Access access) {
    const auto offset = static_cast<std::uint64_t>(at - base_);
    ++accesses_;
    if (quiet_[offset / layout::kRegistryUnit]) return;
    if (offset == layout::kRegistryOffsetArena && access == Access::kPlain) return;
    yield(access == Access::kSynchronising);
  }

  void afterLocked(const std::byte* at) {
    const auto offset = static_cast<std::uint64_t>(at - base_);
    if (quiet_[offset / layout::kRegistryUnit]) return;
    if (offset < layout::kRegistryOffsetShards || offset >= layout::kRegistryOffsetUnits) return;
    const std::uint64_t inShards = offset - layout::kRegistryOffsetShards;
    if (inShards % layout::kRegistryShardBytes != layout::kShardLock) return;
    onLocked(self(), static_cast<std::uint32_t>(inShards / layout::kRegistryShardBytes));
  }

  void park(const std::byte* at, std::uint32_t expected) {
    if (*reinterpret_cast<const std::uint32_t*>(at) != expected) return;
    self().sleepsOn = at;
    block();
  }
  void unpark(const std::byte* at) {
    for (Participant& each : participants_) {
      if (each.state == State::kBlocked && each.sleepsOn == at) wake(each);
    }
  }
  void signal(const std::byte* doorbell) {
    for (Participant& each : participants_) {
      if (!each.live || each.table.grants().address() != doorbell) continue;
      each.rung = true;
      if (each.state == State::kBlocked && each.sleepsOn == nullptr) wake(each);
    }
  }

 private:
  enum class State : std::uint8_t { kRunnable, kBlocked, kDone };
  enum class Call : std::uint8_t {
    kNone,
    kJoin,
    kScan,
    kClaim,
    kWithdraw,
    kArm,
    kNextGrant,
    kReserve,
    kPublish,
    kRelease,
    kLook,
    kAccept,
    kLeave
  };
  static constexpr std::array<const char*, 13> kNames{"send", "join",      "scan",    "claim",   "withdraw",
                                                      "arm",  "nextGrant", "reserve", "publish", "release",
                                                      "look", "accept",    "leave"};
  struct Killed {};

  struct Message {
    std::size_t key = 0;
    std::uint64_t version = 0;
    std::uint32_t joins = 0;
    std::uint32_t writer = 0;
    bool present = true;
    bool operator==(const Message& other) const { return key == other.key && version == other.version; }
  };
  struct Held {
    std::size_t key = 0;
    std::uint32_t ticket = 0;
  };

  struct Participant {
    std::size_t number = 0;
    State state = State::kDone;
    const std::byte* sleepsOn = nullptr;  ///< a lock; or null where it waits for its doorbell
    bool rung = false;

    ModelTable table;
    bool live = false;  ///< has a channel
    bool joined = false;
    std::bitset<layout::kRegistryShards> scanned;
    std::vector<Message> expected;  ///< of the scan
    std::vector<Message> inbox;
    std::vector<Message> store;
    std::vector<std::size_t> toSend;  ///< who has not been served yet by the sending that is under way
    const Life* life = nullptr;
    std::uint32_t calls = 0;
    std::uint32_t callsNow = 0;

    // The native call that is under way.
    Call call = Call::kNone;
    std::size_t key = 0;
    std::uint32_t ticket = 0;
  };

  /// What must be true of a key.
  struct Key {
    struct Waiter {
      std::size_t who = 0;
      std::uint32_t ticket = 0;
    };
    std::vector<Waiter> queue;
    std::optional<std::size_t> holder;  ///< who believes that it holds the lock
    std::uint64_t version = 0;
    std::uint64_t last = 0;  ///< that was published, be it a deletion
    std::uint32_t writer = 0;
  };

  struct Event {
    std::size_t who = 0;
    Call call = Call::kNone;
    std::size_t key = 0;
    std::uint64_t result = 0;
  };

  // Schedule

  void begin(const Scenario& scenario, const Choices& choices, Policy& policy) {
    std::memset(memory_.data(), 0, memory_.size());
    RegistryTable(memory_.data(), memory_.size()).init(1, 2);
    scenario_ = &scenario;
    choices_ = choices;
    policy_ = &policy;
    failure_.clear();
    events_.clear();
    accesses_ = 0;
    running_ = Fibers::kMost;
    keys_.resize(places_.size());
    for (Key& key : keys_) key = {};
    participants_.resize(scenario.size());
    for (std::size_t i = 0; i < scenario.size(); ++i) {
      participants_[i] = {};
      participants_[i].number = i;
      participants_[i].state = State::kRunnable;
    }
  }

  Participant& self() { return participants_[running_]; }

  /// Chooses one of the others that can go on. @return false: there is none
  bool pickAnother(std::size_t& chosen) {
    std::array<std::size_t, Fibers::kMost> able{};
    std::size_t count = 0;
    for (const Participant& each : participants_) {
      if (each.state == State::kRunnable && each.number != running_) able[count++] = each.number;
    }
    if (count == 0) return false;
    chosen = able[count == 1 ? 0 : policy_->pick(count)];
    return true;
  }

  void yield(bool synchronising) {
    if (accesses_ > kMostAccesses) failNow("livelock");
    if (!policy_->preempts(synchronising)) return;
    std::size_t next = 0;
    if (pickAnother(next)) switchTo(next);
  }
  void switchTo(std::size_t next) {
    const std::size_t before = running_;
    running_ = next;
    fibers_.switchTo(before, next);
  }
  /// Until somebody wakes it.
  void block() {
    self().state = State::kBlocked;
    stop();
  }
  void stop() {
    std::size_t next = 0;
    if (pickAnother(next)) {
      switchTo(next);
    } else {
      fibers_.leave(running_);
    }
  }
  static void wake(Participant& who) {
    who.state = State::kRunnable;
    who.sleepsOn = nullptr;
  }

  void fail(const std::string& what) {
    if (failure_.empty()) failure_ = what;
  }
  void failNow(const std::string& what) {
    fail(what);
    fibers_.leave(running_);
  }
  void require(bool holds, const char* what) {
    if (!holds) failNow(std::string(what) + " (member " + std::to_string(running_) + ")");
  }

  [[nodiscard]] std::string trace() const {
    std::string lines;
    const std::size_t from = events_.size() > 60 ? events_.size() - 60 : 0;
    for (std::size_t i = from; i < events_.size(); ++i) {
      const Event& event = events_[i];
      lines += "\n  " + std::string(event.who * 12, ' ') + std::to_string(event.who) + " " +
               kNames[static_cast<std::size_t>(event.call)] + " " + std::to_string(event.key) + " -> " +
               std::to_string(event.result);
    }
    return lines;
  }

  // Participants

  void run(Participant& me) {
    for (const Life& life : (*scenario_)[me.number]) {
      me.life = &life;
      me.callsNow = 0;
      try {
        live(me);
      } catch (const Killed&) {
        // And nothing else here: a fiber that is left while it handles an exception confuses the others.
      }
      depart(me);
    }
    me.state = State::kDone;
    stop();
  }

  /// One call of the table; before it the thread may be terminated, and others may go on. When it returns nobody else
  /// has yet come to see what it did under the last lock.
  template <class F>
  auto native(Participant& me, Call call, std::size_t key, F body) {
    if (me.life->killedAt == me.callsNow) throw Killed{};
    ++me.callsNow;
    if (me.life == scenario_->at(me.number).data()) me.calls = me.callsNow;
    yield(true);
    me.call = call;
    me.key = key;
    const auto result = body();
    me.call = Call::kNone;
    events_.push_back({me.number, call, key, static_cast<std::uint64_t>(result)});
    return result;
  }

  void live(Participant& me) {
    me.table = ModelTable(memory_.data(), memory_.size());
    me.joined = false;
    me.scanned.reset();
    me.expected.clear();
    me.inbox.clear();
    me.store.clear();
    me.toSend.clear();
    me.rung = false;
    me.live = true;
    require(native(me, Call::kJoin, 0,
                   [&] {
                     const Status status = me.table.join(0);
                     me.joined = true;
                     return status;
                   }) == Status::kOk,
            "join");
    scan(me);
    for (const Step& step : me.life->steps) {
      if (step.kind == Step::Kind::kGet) {
        for (const std::size_t key : step.keys) get(me, key);
      } else {
        change(me, step);
      }
    }
  }

  void depart(Participant& me) {
    me.live = false;
    me.joined = false;
    for (Key& key : keys_) {
      if (key.holder == me.number) key.holder.reset();
    }
    yield(true);
    me.call = Call::kLeave;
    const Status status = me.table.leave();
    me.call = Call::kNone;
    events_.push_back({me.number, Call::kLeave, 0, static_cast<std::uint64_t>(status)});
    require(status == Status::kOk, "leave");
    for (const Key& key : keys_) {
      for (const auto& waiter : key.queue) require(waiter.who != me.number, "the model's own queue");
    }
  }

  void scan(Participant& me) {
    std::array<ModelTable::Found, 8> found;
    std::vector<Message> all;
    ModelTable::ScanPlace place;
    while (place.shard < layout::kRegistryShards) {
      std::uint32_t count = 0;
      require(native(me, Call::kScan, 0, [&] { return me.table.scan(place, found, count); }) == Status::kOk, "scan");
      for (std::size_t i = 0; i < count; ++i) all.push_back({indexOf(found[i].key), found[i].version});
    }
    require(all.size() == me.expected.size() && std::is_permutation(all.begin(), all.end(), me.expected.begin()),
            "a scan that found something else than there was");
  }
  [[nodiscard]] std::size_t indexOf(std::uint64_t key) const {
    std::size_t index = 0;
    while (index < places_.size() && places_[index].key != key) ++index;
    return index;
  }

  void get(Participant& me, std::size_t key) {
    ModelTable::Look found;
    require(native(me, Call::kLook, key,
                   [&] {
                     const Status status = me.table.look(places_[key].key, found);
                     checkLook(key, found);
                     return status;
                   }) == Status::kOk,
            "look");
    if (found.version == 0) return;
    const Message wanted{key, found.version};
    if (contains(me.store, wanted)) return;
    receive(me);
    if (contains(me.store, wanted)) return;
    // It has to ask. Nobody left to answer: the value is lost with the members that had it.
    for (const Participant& each : participants_) {
      if (each.live && each.joined && (contains(each.store, wanted) || contains(each.inbox, wanted))) {
        me.store.push_back(wanted);
        return;
      }
    }
  }
  /// Takes what was sent, and of that what counts.
  void receive(Participant& me) {
    while (!me.inbox.empty()) {
      const Message message = me.inbox.front();
      bool counts = false;
      require(native(me, Call::kAccept, message.key,
                     [&] {
                       const Status status =
                           me.table.accept(places_[message.key].key, {message.version, message.joins, 0},
                                           message.writer, message.present, counts);
                       Key& key = keys_[message.key];
                       const std::uint64_t wanted = message.present ? message.version : 0;
                       if (counts && key.version != wanted) {
                         require(!key.queue.empty() &&
                                     participants_[key.queue.front().who].table.serial() == message.writer,
                                 "a version was accepted whose sender does not hold the lock");
                         onPublished(message, key.queue.front().who);
                       }
                       require(counts == (key.version == wanted), "whether a version counts");
                       return status;
                     }) == Status::kOk,
              "accept");
      if (counts) me.store.push_back(message);
      me.inbox.erase(me.inbox.begin());
    }
  }
  static bool contains(const std::vector<Message>& in, const Message& wanted) {
    return std::find(in.begin(), in.end(), wanted) != in.end();
  }

  void change(Participant& me, const Step& step) {
    std::vector<Held> held;
    std::vector<Held> waiting;
    for (const std::size_t key : step.keys) {
      std::uint32_t ticket = 0;
      const Status status = native(me, Call::kClaim, key, [&] {
        const Status claimed = me.table.claim(places_[key].key, ticket);
        keys_[key].queue.push_back({me.number, ticket});
        return claimed;
      });
      if (status == Status::kOk) {
        take(me, {key, ticket});
        held.push_back({key, ticket});
      } else {
        require(status == Status::kQueued, "claim");
        waiting.push_back({key, ticket});
      }
    }
    if (step.kind == Step::Kind::kTry) {
      for (std::size_t i = waiting.size(); i-- > 0;) {
        const Held each = waiting[i];
        const Status status = native(me, Call::kWithdraw, each.key, [&] {
          const Status withdrawn = me.table.withdraw(each.ticket);
          if (withdrawn == Status::kOk) leaveQueue(each.key, me.number, each.ticket);
          return withdrawn;
        });
        require(status == Status::kOk || status == Status::kGranted, "withdraw");
        if (status == Status::kOk) waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(i));
      }
    }
    for (const Held& each : held) useLock(me, each, step.kind);
    while (!waiting.empty()) {
      const std::uint32_t ticket = nextGrant(me);
      const auto found =
          std::find_if(waiting.begin(), waiting.end(), [&](const Held& each) { return each.ticket == ticket; });
      require(found != waiting.end(), "a grant of what was not asked for");
      const Held each = *found;
      waiting.erase(found);
      take(me, each);
      useLock(me, each, step.kind);
    }
  }

  std::uint32_t nextGrant(Participant& me) {
    for (;;) {
      me.rung = false;
      native(me, Call::kArm, 0, [&] {
        me.table.armGrants();
        return 0;
      });
      const std::uint32_t ticket = native(me, Call::kNextGrant, 0, [&] { return me.table.nextGrant(); });
      if (ticket != 0) return ticket;
      if (me.life->killedAt == me.callsNow) throw Killed{};
      if (!me.rung) block();
    }
  }

  void take(Participant& me, const Held& lock) {
    Key& key = keys_[lock.key];
    require(!key.holder, "two hold a lock");
    require(!key.queue.empty() && key.queue.front().who == me.number && key.queue.front().ticket == lock.ticket,
            "a grant out of turn");
    key.holder = me.number;
  }

  void useLock(Participant& me, const Held& lock, Step::Kind kind) {
    if (kind != Step::Kind::kTry) {
      const bool present = kind == Step::Kind::kSet;
      ModelTable::Reservation reserved;
      Status status = Status::kJoined;
      Message message;
      while (status == Status::kJoined) {
        require(native(me, Call::kReserve, lock.key, [&] { return me.table.reserve(lock.ticket, reserved); }) ==
                    Status::kOk,
                "reserve");
        message = {lock.key, reserved.version, reserved.joins, me.table.serial(), present};
        if (!choices_.publishesBeforeSending) send(me, message);
        status = native(me, Call::kPublish, lock.key, [&] {
          const Status published = me.table.publish(lock.ticket, reserved, present);
          // Or a receiver was faster.
          if (published == Status::kOk && keys_[lock.key].last != reserved.version) onPublished(message, me.number);
          return published;
        });
      }
      require(status == Status::kOk, "publish");
      if (choices_.publishesBeforeSending) send(me, message);
      if (present) me.store.push_back(message);
    }
    keys_[lock.key].holder.reset();
    require(native(me, Call::kRelease, lock.key,
                   [&] {
                     me.ticket = lock.ticket;
                     return me.table.release(lock.ticket);
                   }) == Status::kOk,
            "release");
  }

  void send(Participant& me, const Message& message) {
    if (me.life->killedAt == me.callsNow) throw Killed{};
    yield(true);
    events_.push_back({me.number, Call::kNone, message.key, message.version});
    // Whose channel opens from now on joins later still. Each is served in its turn, and no thread dies in between.
    for (const Participant& each : participants_) {
      if (each.live && each.number != me.number) me.toSend.push_back(each.number);
    }
    while (!me.toSend.empty()) {
      Participant& other = participants_[me.toSend.back()];
      if (other.live) other.inbox.push_back(message);
      me.toSend.pop_back();
      yield(true);
    }
  }

  // What must be true

  void leaveQueue(std::size_t key, std::size_t who, std::uint32_t ticket) {
    std::erase_if(keys_[key].queue, [&](const auto& each) { return each.who == who && each.ticket == ticket; });
  }

  /// A shard's lock was taken in some call: what that does is done before anybody can see it.
  void onLocked(Participant& me, std::uint32_t shard) {
    if (me.call == Call::kRelease && shard == places_[me.key].shard) leaveQueue(me.key, me.number, me.ticket);
    if (me.call == Call::kScan) me.scanned.set(shard);
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      if (places_[i].shard != shard) continue;
      if (me.call == Call::kLeave) std::erase_if(keys_[i].queue, [&](const auto& w) { return w.who == me.number; });
      if (me.call == Call::kScan && keys_[i].version != 0) me.expected.push_back({i, keys_[i].version});
    }
  }

  /// By the sender or a receiver; the shard's lock was just let go, and nobody else has gone on since.
  void onPublished(const Message& message, std::size_t sender) {
    Key& key = keys_[message.key];
    require(message.version > key.last, "a version that is not above the last one");
    require(!key.queue.empty() && key.queue.front().who == sender, "published without the lock");
    key.last = message.version;
    key.version = message.present ? message.version : 0;
    key.writer = message.writer;
    const std::vector<std::size_t>& late = participants_[sender].toSend;
    for (const Participant& each : participants_) {
      if (!each.live || !each.joined || each.number == sender || !each.scanned[places_[message.key].shard]) continue;
      require(contains(each.inbox, message) || contains(each.store, message) ||
                  std::find(late.begin(), late.end(), each.number) != late.end(),
              "a version is to be seen that a member was not sent");
    }
  }

  void checkLook(std::size_t index, const ModelTable::Look& found) {
    const Key& key = keys_[index];
    require(found.version == key.version, "a version that was not published last");
    require(found.version == 0 || found.writer == key.writer, "another writer");
    const std::uint32_t holder = key.queue.empty() ? 0 : participants_[key.queue.front().who].table.serial();
    require(found.holder == holder, "another holder");
  }

  void checkEnd() {
    const auto word = [&](std::uint64_t offset) { return ::strand::Word32(memory_.data(), offset).loadRelaxed(); };
    if (word(layout::kRegistryOffsetFirstMember) != 0 || word(layout::kRegistryOffsetMemberCount) != 0) {
      fail("members, though all have left");
    }
    for (std::uint32_t shard = 0; shard < layout::kRegistryShards; ++shard) {
      const std::uint64_t at = layout::kRegistryOffsetShards + std::uint64_t{shard} * layout::kRegistryShardBytes;
      if (word(at + layout::kShardTickets) != 0) fail("tickets, though all have left");
      if (word(at + layout::kShardLock) != 0) fail("a lock is held, though all have left");
    }
    RegistryTable newcomer(memory_.data(), memory_.size());
    if (newcomer.join(0) != Status::kOk) fail("a newcomer cannot join");
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      RegistryTable::Look found;
      std::uint32_t ticket = 0;
      if (newcomer.look(places_[i].key, found) != Status::kOk || found.version != keys_[i].version) {
        fail("another version in the end");
      }
      if (newcomer.claim(places_[i].key, ticket) != Status::kOk || newcomer.nextGrant() != 0) {
        fail("a lock that a newcomer does not get");
      }
    }
  }

  static constexpr std::uint64_t kMemoryBytes = RegistryTable::kLeastBytes + std::uint64_t{64} * layout::kRegistryUnit;
  static constexpr std::uint64_t kMostAccesses = 1'000'000;

  std::vector<Place> places_;
  Region memory_ = Region::allocate(kMemoryBytes);
  std::byte* base_ = memory_.data();
  bool quiet_[kMemoryBytes / layout::kRegistryUnit] = {};  ///< an array: the tests are not optimised
  Fibers fibers_;
  const Scenario* scenario_ = nullptr;
  Choices choices_;
  Policy* policy_ = nullptr;
  std::vector<Participant> participants_;
  std::size_t running_ = 0;
  std::vector<Key> keys_;
  std::uint64_t accesses_ = 0;
  std::string failure_;
  std::vector<Event> events_;
};

void beforeAccess(const std::byte* at, Access access) { model->beforeAccess(at, access); }
void afterLocked(const std::byte* at) { model->afterLocked(at); }
void ModelPlatform::park(Word32 word, std::uint32_t expected) { model->park(word.address(), expected); }
void ModelPlatform::unpark(Word32 word) { model->unpark(word.address()); }
void ModelPlatform::signal(Word32 doorbell, Word64 /*image*/) { model->signal(doorbell.address()); }

// Tests

Life randomLife(Random& random, std::size_t keys) {
  Life life;
  for (std::uint64_t n = random.between(1, 3); n > 0; --n) {
    Step step;
    const std::uint64_t kind = random.below(10);
    step.kind = kind < 5   ? Step::Kind::kSet
                : kind < 7 ? Step::Kind::kDelete
                : kind < 9 ? Step::Kind::kGet
                           : Step::Kind::kTry;
    step.keys.push_back(random.below(keys));
    if (random.percent(25)) step.keys.push_back(random.below(keys));
    life.steps.push_back(std::move(step));
  }
  if (random.percent(40)) life.killedAt = static_cast<std::uint32_t>(random.below(24));
  return life;
}

Scenario randomScenario(Random& random) {
  Scenario scenario(random.between(2, 4));
  const std::size_t keys = random.between(1, 4);
  for (auto& lives : scenario) {
    for (std::uint64_t n = random.percent(25) ? 2 : 1; n > 0; --n) lives.push_back(randomLife(random, keys));
  }
  return scenario;
}

class RegistryModel : public ::testing::Test {
 protected:
  void SetUp() override {
    if (test::kSanitized) GTEST_SKIP() << "sanitizers do not know of the fibers";
    model_ = std::make_unique<Model>();
  }

  /// @return how many random schedules it took to find something wrong; none if so many found nothing
  std::optional<std::uint64_t> findWrong(const Random& random, std::uint64_t schedules, Choices choices,
                                         std::string& failure) {
    for (std::uint64_t i = 0; i < schedules; ++i) {
      Random each = random.fork(i);
      const Scenario scenario = randomScenario(each);
      RandomPolicy policy(each);
      failure = model_->play(scenario, choices, policy);
      if (!failure.empty()) return i;
    }
    return std::nullopt;
  }

  /// All schedules with so many preemptions.
  void explore(const Scenario& scenario, std::size_t preemptions, bool everyAccess) {
    for (std::size_t first = 0; first < scenario.size(); ++first) {
      exploreFrom(scenario, {}, preemptions, everyAccess, first);
      if (HasFatalFailure()) return;
    }
  }

  std::unique_ptr<Model> model_;
  std::uint64_t explored_ = 0;

 private:
  void exploreFrom(const Scenario& scenario, const std::vector<std::uint64_t>& places, std::size_t preemptions,
                   bool everyAccess, std::size_t first) {
    PlacesPolicy policy(places, everyAccess, first);
    const std::string failure = model_->play(scenario, {}, policy);
    ++explored_;
    ASSERT_EQ(failure, "") << "first: " << first << ", preempted at " << testing::PrintToString(places);
    if (preemptions == 0) return;
    std::vector<std::uint64_t> more = places;
    more.push_back(places.empty() ? 0 : places.back() + 1);
    for (; more.back() < policy.passed(); ++more.back()) {
      exploreFrom(scenario, more, preemptions - 1, everyAccess, first);
      if (HasFatalFailure()) return;
    }
  }
};

TEST_F(RegistryModel, holdsInRandomSchedulesWithDeathsAnywhere) {
  const Random random;
  const std::uint64_t schedules = test::longForm() ? 1'000'000 : 16'000;
  std::string failure;
  const auto wrong = findWrong(random, schedules, {}, failure);
  EXPECT_FALSE(wrong) << "schedule " << *wrong << ": " << failure;
}

TEST_F(RegistryModel, holdsInAllSchedulesWithTwoPreemptions) {
  const Life sets{{{Step::Kind::kSet, {0}}}, {}};
  const Life deletes{{{Step::Kind::kDelete, {0}}}, {}};
  const Life looks{{{Step::Kind::kGet, {0}}}, {}};
  for (const Scenario& scenario : {Scenario{{sets}, {sets}}, Scenario{{sets}, {deletes}}, Scenario{{sets}, {looks}}}) {
    explore(scenario, 2, false);
    if (HasFatalFailure()) return;
  }
  std::cout << explored_ << " schedules\n";
}

TEST_F(RegistryModel, holdsInAllSchedulesWithOnePreemptionAndADeathAtAnyCall) {
  const Life sets{{{Step::Kind::kSet, {0, 1}}}, {}};
  const Life changes{{{Step::Kind::kDelete, {0}}, {Step::Kind::kSet, {0}}}, {}};
  for (const Scenario& whole : {Scenario{{sets}, {changes}}, Scenario{{sets, sets}, {sets}}}) {
    PlacesPolicy alone({}, false, 0);
    ASSERT_EQ(model_->play(whole, {}, alone), "");
    const std::array<std::uint32_t, 2> calls{model_->calls(0), model_->calls(1)};
    for (std::size_t who = 0; who < 2; ++who) {
      for (std::uint32_t at = 0; at <= calls[who]; ++at) {
        Scenario scenario = whole;
        scenario[who][0].killedAt = at;
        explore(scenario, 1, test::longForm());
        if (HasFatalFailure()) FAIL() << "killed: " << who << " at " << at;
      }
    }
  }
  std::cout << explored_ << " schedules\n";
}

TEST_F(RegistryModel, findsThatWhoPublishesBeforeSendingIsWrong) {
  const Random random;
  Choices choices;
  choices.publishesBeforeSending = true;
  std::string failure;
  EXPECT_TRUE(findWrong(random, 1'000, choices, failure));
  EXPECT_NE(failure.find("was not sent"), std::string::npos) << failure;
}

}  // namespace
}  // namespace strand

#endif  // defined(__GLIBC__)
