#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "registry/registry_table.h"

namespace strand {

/// One shard, under its lock. Every call that follows links presumes `ok()`.
template <class P>
class BasicRegistryTable<P>::Shard {
 public:
  Shard(const BasicRegistryTable& table, std::uint32_t index) noexcept
      : table_(table),
        words_{table.base_ + layout::kRegistryOffsetShards + std::uint64_t{index} * layout::kRegistryShardBytes},
        mutex_(words_.word(layout::kShardLock)) {
    if (!mutex_.held()) {
      status_ = RegistryStatus::kBusy;
    } else if (table.outgrown()) {
      status_ = RegistryStatus::kGrown;
    }
  }

  [[nodiscard]] bool ok() const noexcept { return status_ == RegistryStatus::kOk; }
  [[nodiscard]] RegistryStatus status() const noexcept { return status_; }
  RegistryStatus corrupt() noexcept { return status_ = RegistryStatus::kCorrupt; }

  // Buckets and entries

  [[nodiscard]] std::uint32_t buckets() const noexcept { return words_.get(layout::kShardBuckets); }

  /// The word that leads to a bucket's first entry; without an answer where there is none.
  [[nodiscard]] Cell bucket(std::uint32_t number) noexcept {
    const std::uint32_t segment = segmentOf(number);
    const std::uint32_t first = segment == 0 ? 0 : layout::kFirstBuckets << (segment - 1);
    const std::uint32_t at = segment < layout::kSegments ? words_.get(segmentWord(segment)) : 0;
    const std::uint32_t inIt = number - first;
    const std::uint32_t unit = at + inIt / layout::kFirstBuckets;
    if (at == 0 || !table_.inside(unit)) {
      (void)corrupt();
      return {nullptr};
    }
    return {table_.cell(unit).at + std::uint64_t{inIt % layout::kFirstBuckets} * 4};
  }

  [[nodiscard]] std::uint32_t bucketOf(std::uint64_t hash) const noexcept {
    const std::uint32_t count = buckets();
    const std::uint32_t round = std::bit_floor(count);
    const auto low = static_cast<std::uint32_t>(hash);
    const std::uint32_t number = low & (2 * round - 1);
    return number < count ? number : low & (round - 1);
  }

  /// The word that leads to the key's entry, or to where the chain ends.
  struct Link {
    Word32 word;
    std::uint32_t entry;  ///< 0 where there is none
  };
  [[nodiscard]] Link find(std::uint64_t key, std::uint64_t hash) noexcept {
    const Cell first = bucket(bucketOf(hash));
    if (!ok()) return {words_.word(layout::kShardFree), 0};
    Word32 link = first.word(0);
    for (std::uint64_t step = 0; step <= table_.mostSteps(); ++step) {
      const std::uint32_t entry = link.loadRelaxed();
      if (entry == 0) return {link, 0};
      if (!table_.inside(entry)) break;
      const Cell cell = table_.cell(entry);
      if (cell.wide(layout::kEntryKey).loadRelaxed() == key) return {link, entry};
      link = cell.word(layout::kEntryNext);
    }
    (void)corrupt();
    return {link, 0};
  }

  /// Makes an entry without value at the end of its chain. Presumes a cell.
  std::uint32_t insert(std::uint64_t key, const Link& link) noexcept {
    const std::uint32_t entry = takeCell();
    if (entry == 0) return 0;
    const Cell cell = table_.cell(entry);
    cell.wide(layout::kEntryKey).storeRelaxed(key);
    cell.wide(layout::kEntryVersion).storeRelaxed(0);
    for (const std::uint32_t field :
         {layout::kEntryNext, layout::kEntryHead, layout::kEntryTail, layout::kEntryWriter}) {
      cell.set(field, 0);
    }
    link.word.storeRelaxed(entry);
    words_.set(layout::kShardEntries, words_.get(layout::kShardEntries) + 1);
    return entry;
  }

  /// Forgets an entry that has neither value nor ticket.
  void dropIfEmpty(std::uint32_t entry) noexcept {
    const Cell cell = table_.cell(entry);
    if (cell.wide(layout::kEntryVersion).loadRelaxed() != 0 || cell.get(layout::kEntryHead) != 0) return;
    const std::uint64_t key = cell.wide(layout::kEntryKey).loadRelaxed();
    const Link link = find(key, hashOf(key));
    if (!ok() || link.entry != entry) return;
    link.word.storeRelaxed(cell.get(layout::kEntryNext));
    words_.set(layout::kShardEntries, words_.get(layout::kShardEntries) - 1);
    giveCell(entry);
  }

  /// Makes sure of a first bucket and of `cells` cells; changes nothing that means anything if it cannot.
  [[nodiscard]] bool provide(std::uint32_t cells) noexcept {
    if (buckets() == 0) {
      const std::uint32_t segment = table_.takeUnits(1);
      if (segment == 0) return false;
      words_.set(layout::kShardSegments, segment);
      words_.set(layout::kShardBuckets, layout::kFirstBuckets);
    }
    std::uint32_t have = 0;
    for (std::uint32_t free = words_.get(layout::kShardFree); free != 0 && have < cells; ++have) {
      if (!table_.inside(free)) {
        (void)corrupt();
        return true;
      }
      free = table_.cell(free).get(layout::kEntryNext);
    }
    if (have >= cells) return true;
    const std::uint32_t fresh = words_.get(layout::kShardFreshEnd) - words_.get(layout::kShardFresh);
    if (have + fresh >= cells) return true;
    const std::uint32_t more = table_.takeUnits(layout::kCellsAtOnce);
    if (more == 0) return false;
    // What is left of the cells before joins the free ones.
    for (std::uint32_t left = words_.get(layout::kShardFresh); left != words_.get(layout::kShardFreshEnd); ++left) {
      if (!table_.inside(left)) {
        (void)corrupt();
        return true;
      }
      giveCell(left);
    }
    words_.set(layout::kShardFresh, more);
    words_.set(layout::kShardFreshEnd, more + layout::kCellsAtOnce);
    return true;
  }

  /// Adds a bucket if there are more entries than buckets, and memory for it.
  void split() noexcept {
    const std::uint32_t count = buckets();
    if (words_.get(layout::kShardEntries) <= count || count >= kMostBuckets) return;
    const std::uint32_t segment = segmentOf(count);
    if (segment == 0) return;  // `provide` makes all of it at once
    if (words_.get(segmentWord(segment)) == 0) {
      const std::uint32_t units = table_.takeUnits(1U << (segment - 1));
      if (units == 0) return;
      words_.set(segmentWord(segment), units);
    }
    const Cell added = bucket(count);
    const Cell divided = bucket(count - std::bit_floor(count));
    if (!ok()) return;
    added.set(0, 0);
    words_.set(layout::kShardBuckets, count + 1);
    Word32 stay = divided.word(0);
    Word32 go = added.word(0);
    std::uint32_t entry = stay.loadRelaxed();
    for (std::uint64_t step = 0; entry != 0; ++step) {
      if (!table_.inside(entry) || step > table_.mostSteps()) {
        (void)corrupt();
        break;
      }
      const Cell cell = table_.cell(entry);
      Word32& end = bucketOf(hashOf(cell.wide(layout::kEntryKey).loadRelaxed())) == count ? go : stay;
      end.storeRelaxed(entry);
      end = cell.word(layout::kEntryNext);
      entry = end.loadRelaxed();
    }
    stay.storeRelaxed(0);
    go.storeRelaxed(0);
  }

  // Tickets

  /// Puts a ticket behind those of its entry. Presumes a cell.
  std::uint32_t enqueue(std::uint32_t entry, std::uint32_t member) noexcept {
    const std::uint32_t ticket = takeCell();
    if (ticket == 0) return 0;
    const Cell cell = table_.cell(ticket);
    const Cell queue = table_.cell(entry);
    const std::uint32_t last = queue.get(layout::kEntryTail);
    const std::uint32_t older = words_.get(layout::kShardTickets);
    if ((last != 0 && !table_.inside(last)) || (older != 0 && !table_.inside(older))) {
      (void)corrupt();
      return 0;
    }
    cell.set(layout::kTicketEntry, entry);
    cell.set(layout::kTicketMember, member);
    cell.set(layout::kTicketNext, 0);
    cell.set(layout::kTicketPrevious, last);
    cell.set(layout::kTicketOlder, older);
    cell.set(layout::kTicketNewer, 0);
    cell.set(layout::kTicketGranted, 0);
    cell.set(layout::kTicketState, last == 0 ? layout::kTicketHeld : layout::kTicketQueued);
    if (last == 0) {
      queue.set(layout::kEntryHead, ticket);
    } else {
      table_.cell(last).set(layout::kTicketNext, ticket);
    }
    queue.set(layout::kEntryTail, ticket);
    if (older != 0) table_.cell(older).set(layout::kTicketNewer, ticket);
    words_.set(layout::kShardTickets, ticket);
    return ticket;
  }

  /// Takes a ticket out of every list. @return the ticket that is first now and was not before; 0 for none
  std::uint32_t remove(std::uint32_t ticket) noexcept {
    const Cell cell = table_.cell(ticket);
    const std::uint32_t entry = cell.get(layout::kTicketEntry);
    const std::uint32_t next = cell.get(layout::kTicketNext);
    const std::uint32_t previous = cell.get(layout::kTicketPrevious);
    const std::uint32_t older = cell.get(layout::kTicketOlder);
    const std::uint32_t newer = cell.get(layout::kTicketNewer);
    for (const std::uint32_t other : {next, previous, older, newer}) {
      if (other != 0 && !table_.inside(other)) {
        (void)corrupt();
        return 0;
      }
    }
    if (!table_.inside(entry)) {
      (void)corrupt();
      return 0;
    }
    const Cell queue = table_.cell(entry);
    const bool first = queue.get(layout::kEntryHead) == ticket;
    (previous == 0 ? queue.word(layout::kEntryHead) : table_.cell(previous).word(layout::kTicketNext))
        .storeRelaxed(next);
    (next == 0 ? queue.word(layout::kEntryTail) : table_.cell(next).word(layout::kTicketPrevious))
        .storeRelaxed(previous);
    (newer == 0 ? words_.word(layout::kShardTickets) : table_.cell(newer).word(layout::kTicketOlder))
        .storeRelaxed(older);
    if (older != 0) table_.cell(older).set(layout::kTicketNewer, newer);
    cell.set(layout::kTicketState, layout::kTicketFree);
    giveCell(ticket);
    dropIfEmpty(entry);
    return first ? next : 0;
  }

  [[nodiscard]] std::uint32_t newestTicket() const noexcept { return words_.get(layout::kShardTickets); }
  [[nodiscard]] Word64 version() const noexcept { return words_.wide(layout::kShardVersion); }

 private:
  static constexpr std::uint32_t kMostBuckets = layout::kFirstBuckets << (layout::kSegments - 1);

  [[nodiscard]] static std::uint32_t segmentOf(std::uint32_t bucket) noexcept {
    constexpr auto kFirstBits = static_cast<std::uint32_t>(std::countr_zero(layout::kFirstBuckets));
    const auto bits = static_cast<std::uint32_t>(std::bit_width(bucket));
    return bits <= kFirstBits ? 0 : bits - kFirstBits;
  }
  [[nodiscard]] static std::uint32_t segmentWord(std::uint32_t segment) noexcept {
    return layout::kShardSegments + segment * 4;
  }

  std::uint32_t takeCell() noexcept {
    const std::uint32_t free = words_.get(layout::kShardFree);
    const std::uint32_t taken = free != 0 ? free : words_.get(layout::kShardFresh);
    if (!table_.inside(taken)) {
      (void)corrupt();
      return 0;
    }
    if (free != 0) {
      words_.set(layout::kShardFree, table_.cell(free).get(layout::kEntryNext));
    } else {
      words_.set(layout::kShardFresh, taken + 1);
    }
    return taken;
  }
  void giveCell(std::uint32_t unit) noexcept {
    table_.cell(unit).set(layout::kEntryNext, words_.get(layout::kShardFree));
    words_.set(layout::kShardFree, unit);
  }

  const BasicRegistryTable& table_;
  Cell words_;
  Mutex mutex_;
  RegistryStatus status_ = RegistryStatus::kOk;
};

}  // namespace strand
