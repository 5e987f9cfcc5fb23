#pragma once

#include <algorithm>

#include "registry/registry_shard_impl.h"
#include "registry/registry_table.h"

/// Definitions of BasicRegistryTable, for who instantiates it with a platform of its own.
namespace strand {

template <class P>
std::uint64_t BasicRegistryTable<P>::hashOf(std::uint64_t key) noexcept {
  // Finalizer of MurmurHash3 (A. Appleby, public domain): neighbouring keys shall not share a shard.
  key ^= key >> 33U;
  key *= 0xFF51AFD7ED558CCDU;
  key ^= key >> 33U;
  key *= 0xC4CEB9FE1A85EC53U;
  return key ^ key >> 33U;
}

template <class P>
std::uint64_t BasicRegistryTable<P>::bytesFor(std::uint64_t keys) noexcept {
  // An entry, a bucket, half a segment ahead, and what a shard has taken and not used.
  const std::uint64_t spare =
      std::min<std::uint64_t>(keys, layout::kRegistryShards) * layout::kCellsAtOnce * layout::kRegistryUnit;
  return kLeastBytes + keys * (layout::kRegistryUnit + 8) + spare;
}

template <class P>
void BasicRegistryTable<P>::init(std::uint64_t idLow, std::uint64_t idHigh) noexcept {
  Word64(base_, layout::kRegistryOffsetId).storeRelaxed(idLow);
  Word64(base_, layout::kRegistryOffsetId + 8).storeRelaxed(idHigh);
  word(layout::kRegistryOffsetArena).storeRelaxed(layout::kRegistryOffsetUnits / layout::kRegistryUnit);
  word(layout::kRegistryOffsetVersion).storeRelaxed(layout::kRegistryVersion);
  word(layout::kRegistryOffsetMagic).storeRelease(layout::kRegistryMagic);
}

template <class P>
bool BasicRegistryTable<P>::valid() const noexcept {
  return size_ >= layout::kRegistryOffsetUnits &&
         word(layout::kRegistryOffsetMagic).loadAcquire() == layout::kRegistryMagic &&
         word(layout::kRegistryOffsetVersion).loadRelaxed() == layout::kRegistryVersion;
}

template <class P>
std::uint32_t BasicRegistryTable<P>::takeUnits(std::uint32_t units) const noexcept {
  const Word32 arena = word(layout::kRegistryOffsetArena);
  std::uint32_t seen = arena.loadRelaxed();
  do {
    if (!inside(seen, units)) return 0;
  } while (!arena.compareExchange(seen, seen + units));
  return seen;
}

// Members

template <class P>
RegistryStatus BasicRegistryTable<P>::join(std::uint32_t thread) noexcept {
  const Mutex mutex(word(layout::kRegistryOffsetMemberLock));
  if (!mutex.held()) return RegistryStatus::kBusy;
  if (outgrown()) return RegistryStatus::kGrown;
  const Word32 free = word(layout::kRegistryOffsetFreeMembers);
  std::uint32_t record = free.loadRelaxed();
  if (record != 0) {
    if (!inside(record, layout::kMemberUnits)) return RegistryStatus::kCorrupt;
    free.storeRelaxed(cell(record).get(layout::kMemberNext));
  } else {
    record = takeUnits(layout::kMemberUnits);
    if (record == 0) return RegistryStatus::kNoRoom;
  }
  const Word32 serials = word(layout::kRegistryOffsetLastSerial);
  serial_ = serials.loadRelaxed() + 1;
  serials.storeRelaxed(serial_);
  const Cell member = cell(record);
  const Word32 first = word(layout::kRegistryOffsetFirstMember);
  member.set(layout::kMemberNext, first.loadRelaxed());
  member.set(layout::kMemberSerial, serial_);
  member.set(layout::kMemberThread, thread);
  member.set(layout::kMemberReady, 0);
  member.set(layout::kMemberGrants, 0);
  member.set(layout::kMemberDoorbell, 1);
  first.storeRelaxed(record);
  const Word32 members = word(layout::kRegistryOffsetMemberCount);
  members.storeRelease(members.loadRelaxed() + 1);
  // Pairs with the load in `reserve`: who sees it sees the count; and with the one in `publish`, by the shards' locks.
  word(layout::kRegistryOffsetJoins).fetchAddRelease(1);
  self_ = record;
  grants_ = 0;
  return RegistryStatus::kOk;
}

template <class P>
void BasicRegistryTable<P>::setReady() noexcept {
  if (self_ != 0) cell(self_).word(layout::kMemberReady).storeRelease(1);
  ring(changes());
}

template <class P>
RegistryStatus BasicRegistryTable<P>::leave() noexcept {
  if (self_ == 0) return RegistryStatus::kOk;
  RegistryStatus worst = RegistryStatus::kOk;
  for (std::uint32_t index = 0; index < layout::kRegistryShards; ++index) {
    Shard shard(*this, index);
    std::uint32_t ticket = shard.ok() ? shard.newestTicket() : 0;
    for (std::uint64_t step = 0; ticket != 0 && shard.ok(); ++step) {
      if (!inside(ticket) || step > mostSteps()) {
        (void)shard.corrupt();
        break;
      }
      const std::uint32_t older = cell(ticket).get(layout::kTicketOlder);
      if (cell(ticket).get(layout::kTicketMember) == self_) {
        const std::uint32_t next = shard.remove(ticket);
        if (next != 0) grantTo(next);
      }
      ticket = older;
    }
    worst = std::max(worst, shard.status());
  }
  {
    // Behind the shards: nobody has a ticket of this member, so nobody rings it any more.
    const Mutex mutex(word(layout::kRegistryOffsetMemberLock));
    if (!mutex.held()) return RegistryStatus::kBusy;
    if (outgrown()) return RegistryStatus::kGrown;
    Word32 link = word(layout::kRegistryOffsetFirstMember);
    for (std::uint64_t step = 0; step <= mostSteps(); ++step) {
      const std::uint32_t record = link.loadRelaxed();
      if (record == 0) break;
      if (!inside(record, layout::kMemberUnits)) return RegistryStatus::kCorrupt;
      if (record != self_) {
        link = cell(record).word(layout::kMemberNext);
        continue;
      }
      link.storeRelaxed(cell(record).get(layout::kMemberNext));
      const Word32 members = word(layout::kRegistryOffsetMemberCount);
      members.storeRelease(members.loadRelaxed() - 1);
      // With a ticket that could not be taken out, the record stays what that refers to.
      if (worst == RegistryStatus::kOk) {
        const Word32 free = word(layout::kRegistryOffsetFreeMembers);
        cell(record).set(layout::kMemberNext, free.loadRelaxed());
        free.storeRelaxed(record);
      }
      break;
    }
  }
  self_ = 0;
  grants_ = 0;
  ring(changes());
  return worst;
}

template <class P>
RegistryStatus BasicRegistryTable<P>::members(std::span<Member> found, std::uint32_t& count) noexcept {
  count = 0;
  const Mutex mutex(word(layout::kRegistryOffsetMemberLock));
  if (!mutex.held()) return RegistryStatus::kBusy;
  if (outgrown()) return RegistryStatus::kGrown;
  std::uint32_t record = word(layout::kRegistryOffsetFirstMember).loadRelaxed();
  for (std::uint64_t step = 0; record != 0; ++step) {
    if (!inside(record, layout::kMemberUnits) || step > mostSteps()) return RegistryStatus::kCorrupt;
    const Cell member = cell(record);
    if (count < found.size()) {
      found[count] = {member.get(layout::kMemberSerial), member.get(layout::kMemberThread),
                      member.word(layout::kMemberReady).loadAcquire() != 0};
    }
    ++count;
    record = member.get(layout::kMemberNext);
  }
  return RegistryStatus::kOk;
}

// Entries

template <class P>
RegistryStatus BasicRegistryTable<P>::look(std::uint64_t key, Look& found) noexcept {
  found = {};
  const std::uint64_t hash = hashOf(key);
  Shard shard(*this, shardOf(hash));
  if (!shard.ok() || shard.buckets() == 0) return shard.status();
  const std::uint32_t entry = shard.find(key, hash).entry;
  if (entry == 0) return shard.status();
  const Cell seen = cell(entry);
  found.version = seen.wide(layout::kEntryVersion).loadRelaxed();
  found.writer = seen.get(layout::kEntryWriter);
  const std::uint32_t ticket = seen.get(layout::kEntryHead);
  if (ticket == 0) return RegistryStatus::kOk;
  const std::uint32_t member = inside(ticket) ? cell(ticket).get(layout::kTicketMember) : 0;
  if (!inside(member, layout::kMemberUnits)) return shard.corrupt();
  found.holder = cell(member).get(layout::kMemberSerial);
  return RegistryStatus::kOk;
}

template <class P>
RegistryStatus BasicRegistryTable<P>::claim(std::uint64_t key, std::uint32_t& ticket) noexcept {
  ticket = 0;
  if (self_ == 0) return RegistryStatus::kNotHeld;
  const std::uint64_t hash = hashOf(key);
  Shard shard(*this, shardOf(hash));
  if (!shard.ok()) return shard.status();
  if (!shard.provide(2)) return RegistryStatus::kNoRoom;
  if (!shard.ok()) return shard.status();
  const auto link = shard.find(key, hash);
  if (!shard.ok()) return shard.status();
  const std::uint32_t entry = link.entry != 0 ? link.entry : shard.insert(key, link);
  if (entry == 0) return shard.corrupt();
  ticket = shard.enqueue(entry, self_);
  if (ticket == 0) return shard.corrupt();
  const bool held = cell(ticket).get(layout::kTicketState) == layout::kTicketHeld;
  if (link.entry == 0) shard.split();
  if (!shard.ok()) return shard.status();
  return held ? RegistryStatus::kOk : RegistryStatus::kQueued;
}

template <class P>
bool BasicRegistryTable<P>::ownTicket(std::uint32_t ticket, std::uint32_t& shard) const noexcept {
  if (!inside(ticket) || self_ == 0 || cell(ticket).get(layout::kTicketMember) != self_) return false;
  const std::uint32_t entry = cell(ticket).get(layout::kTicketEntry);
  if (!inside(entry)) return false;
  shard = shardOf(hashOf(cell(entry).wide(layout::kEntryKey).loadRelaxed()));
  return true;
}

template <class P>
RegistryStatus BasicRegistryTable<P>::withdraw(std::uint32_t ticket) noexcept {
  std::uint32_t index = 0;
  if (!ownTicket(ticket, index)) return RegistryStatus::kNotHeld;
  Shard shard(*this, index);
  if (!shard.ok()) return shard.status();
  switch (cell(ticket).get(layout::kTicketState)) {
    case layout::kTicketQueued:
      (void)shard.remove(ticket);
      return shard.status();
    case layout::kTicketGiven:
    case layout::kTicketHeld:
      return RegistryStatus::kGranted;
    default:
      return RegistryStatus::kNotHeld;
  }
}

/// Under the lock of the ticket's shard, so that its member has not left.
template <class P>
void BasicRegistryTable<P>::grantTo(std::uint32_t ticket) noexcept {
  if (!inside(ticket)) return;
  const Cell given = cell(ticket);
  const std::uint32_t member = given.get(layout::kTicketMember);
  if (!inside(member, layout::kMemberUnits)) return;
  given.set(layout::kTicketState, layout::kTicketGiven);
  const Word32 grants = cell(member).word(layout::kMemberGrants);
  std::uint32_t newest = grants.loadRelaxed();
  // Release: the member that takes the list sees the links and states. It takes all of it, so no head comes twice.
  do {
    given.set(layout::kTicketGranted, newest);
  } while (!grants.compareExchange(newest, ticket));
  ring(cell(member).word(layout::kMemberDoorbell));
}

template <class P>
std::uint32_t BasicRegistryTable<P>::nextGrant() noexcept {
  if (self_ == 0) return 0;
  if (grants_ == 0) {
    std::uint32_t newest = cell(self_).word(layout::kMemberGrants).exchangeAcqRel(0);
    for (std::uint64_t step = 0; newest != 0 && inside(newest) && step <= mostSteps(); ++step) {
      const std::uint32_t before = cell(newest).get(layout::kTicketGranted);
      cell(newest).set(layout::kTicketGranted, grants_);
      grants_ = newest;
      newest = before;
    }
  }
  const std::uint32_t ticket = grants_;
  // The list is no one's but ours; a ticket that was not given says that somebody else wrote into it.
  if (ticket == 0 || cell(ticket).get(layout::kTicketState) != layout::kTicketGiven) {
    grants_ = 0;
    return 0;
  }
  grants_ = cell(ticket).get(layout::kTicketGranted);
  if (!inside(grants_)) grants_ = 0;
  // The link ends here: it is the place of what the holder reserves.
  cell(ticket).set(layout::kTicketReserved, 0);
  cell(ticket).set(layout::kTicketState, layout::kTicketHeld);
  return ticket;
}

template <class P>
RegistryStatus BasicRegistryTable<P>::reserve(std::uint32_t ticket, Reservation& reserved) noexcept {
  std::uint32_t index = 0;
  if (!ownTicket(ticket, index)) return RegistryStatus::kNotHeld;
  // Acquire: the count is at least what it was when JOINS was moved.
  reserved.joins = word(layout::kRegistryOffsetJoins).loadAcquire();
  const std::uint32_t members = word(layout::kRegistryOffsetMemberCount).loadAcquire();
  reserved.others = members == 0 ? 0 : members - 1;
  const Cell shard{base_ + layout::kRegistryOffsetShards + std::uint64_t{index} * layout::kRegistryShardBytes};
  reserved.version = shard.wide(layout::kShardVersion).fetchAddRelaxed(1) + 1;
  // Those who receive the version look for it here; sending it is what orders that.
  if (cell(ticket).get(layout::kTicketState) == layout::kTicketHeld) {
    cell(ticket).set(layout::kTicketReserved, static_cast<std::uint32_t>(reserved.version));
  }
  return RegistryStatus::kOk;
}

template <class P>
RegistryStatus BasicRegistryTable<P>::publish(std::uint32_t ticket, const Reservation& reserved,
                                              bool present) noexcept {
  std::uint32_t index = 0;
  if (!ownTicket(ticket, index)) return RegistryStatus::kNotHeld;
  Shard shard(*this, index);
  if (!shard.ok()) return shard.status();
  const Cell held = cell(ticket);
  if (held.get(layout::kTicketState) != layout::kTicketHeld) return RegistryStatus::kNotHeld;
  const std::uint32_t queue = held.get(layout::kTicketEntry);
  if (!inside(queue)) return shard.corrupt();
  const Cell entry = cell(queue);
  if (entry.get(layout::kEntryHead) != ticket) return RegistryStatus::kNotHeld;
  const std::uint64_t wanted = present ? reserved.version : 0;
  if (held.get(layout::kTicketReserved) != static_cast<std::uint32_t>(reserved.version)) {
    // A receiver was faster.
    const bool done = entry.wide(layout::kEntryVersion).loadRelaxed() == wanted;
    return done ? RegistryStatus::kOk : RegistryStatus::kNotHeld;
  }
  if (word(layout::kRegistryOffsetJoins).loadAcquire() != reserved.joins) return RegistryStatus::kJoined;
  settle(entry, held, wanted, serial_);
  return RegistryStatus::kOk;
}

template <class P>
void BasicRegistryTable<P>::settle(Cell entry, Cell held, std::uint64_t version, std::uint32_t writer) noexcept {
  entry.wide(layout::kEntryVersion).storeRelaxed(version);
  entry.set(layout::kEntryWriter, writer);
  held.set(layout::kTicketReserved, 0);
}

template <class P>
RegistryStatus BasicRegistryTable<P>::accept(std::uint64_t key, const Reservation& sent, std::uint32_t writer,
                                             bool present, bool& counts) noexcept {
  const std::uint64_t hash = hashOf(key);
  Shard shard(*this, shardOf(hash));
  // A key without an entry has no value.
  counts = !present;
  if (!shard.ok() || shard.buckets() == 0) return shard.status();
  const std::uint32_t found = shard.find(key, hash).entry;
  if (found == 0) return shard.status();
  const Cell entry = cell(found);
  const std::uint64_t wanted = present ? sent.version : 0;
  const std::uint64_t published = entry.wide(layout::kEntryVersion).loadRelaxed();
  counts = published == wanted;
  const std::uint32_t ticket = entry.get(layout::kEntryHead);
  if (counts || published > sent.version || ticket == 0) return RegistryStatus::kOk;
  if (!inside(ticket)) return shard.corrupt();
  const Cell held = cell(ticket);
  const std::uint32_t member = held.get(layout::kTicketMember);
  if (!inside(member, layout::kMemberUnits)) return shard.corrupt();
  counts = cell(member).get(layout::kMemberSerial) == writer && held.get(layout::kTicketState) == layout::kTicketHeld &&
           held.get(layout::kTicketReserved) == static_cast<std::uint32_t>(sent.version) &&
           word(layout::kRegistryOffsetJoins).loadAcquire() == sent.joins;
  if (counts) settle(entry, held, wanted, writer);
  return RegistryStatus::kOk;
}

template <class P>
RegistryStatus BasicRegistryTable<P>::release(std::uint32_t ticket) noexcept {
  std::uint32_t index = 0;
  if (!ownTicket(ticket, index)) return RegistryStatus::kNotHeld;
  Shard shard(*this, index);
  if (!shard.ok()) return shard.status();
  if (cell(ticket).get(layout::kTicketState) != layout::kTicketHeld) return RegistryStatus::kNotHeld;
  const std::uint32_t queue = cell(ticket).get(layout::kTicketEntry);
  if (!inside(queue)) return shard.corrupt();
  if (cell(queue).get(layout::kEntryHead) != ticket) return RegistryStatus::kNotHeld;
  const std::uint32_t next = shard.remove(ticket);
  if (next != 0) grantTo(next);
  return shard.status();
}

template <class P>
RegistryStatus BasicRegistryTable<P>::scan(ScanPlace& place, std::span<Found> found, std::uint32_t& count) noexcept {
  count = 0;
  while (place.shard < layout::kRegistryShards) {
    Shard shard(*this, place.shard);
    // With what was found so far, which does not come again; the next call says the same of the shard.
    if (!shard.ok()) return count != 0 ? RegistryStatus::kOk : shard.status();
    // Entries move only to later buckets, so none slips past.
    for (const std::uint32_t buckets = shard.buckets(); place.bucket < buckets; ++place.bucket) {
      const std::uint32_t before = count;
      const Cell first = shard.bucket(place.bucket);
      std::uint32_t entry = shard.ok() ? first.get(0) : 0;
      for (std::uint64_t step = 0; entry != 0; ++step) {
        if (!inside(entry) || step > mostSteps()) return shard.corrupt();
        const Cell seen = cell(entry);
        const std::uint64_t version = seen.wide(layout::kEntryVersion).loadRelaxed();
        if (version != 0) {
          if (count == found.size()) {
            // The whole bucket another time; but one that alone is too long is given up.
            count = before;
            if (before == 0) return shard.corrupt();
            return RegistryStatus::kOk;
          }
          found[count++] = {seen.wide(layout::kEntryKey).loadRelaxed(), version, seen.get(layout::kEntryWriter)};
        }
        entry = seen.get(layout::kEntryNext);
      }
      if (!shard.ok()) return shard.status();
    }
    place = {place.shard + 1, 0};
  }
  return RegistryStatus::kOk;
}

}  // namespace strand
