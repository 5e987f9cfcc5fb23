#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "memory/atomic_word.h"
#include "registry/registry_table.h"
#include "registry/registry_table_impl.h"
#include "support/guarded_memory.h"
#include "support/quick_platform.h"

namespace {

using namespace strand;

using Table = BasicRegistryTable<test::QuickPlatform<AtomicWord>>;

constexpr std::uint64_t kMost = Table::kLeastBytes + std::uint64_t{512} * layout::kRegistryUnit;
constexpr std::uint64_t kFirst = Table::kLeastBytes + std::uint64_t{64} * layout::kRegistryUnit;

/// Three members, and the tickets that they were given.
class Members {
 public:
  Members(std::byte* base, std::uint64_t size) : base_(base), size_(size) {
    Table(base, size).init(1, 2);
    tables_.fill(Table(base, size));
  }

  /// One call, or some bytes that are written over. @param what which, and by whom
  void act(std::uint8_t what, std::uint16_t argument, std::uint8_t more) {
    Table& table = tables_[what / 16U % tables_.size()];
    std::uint32_t ticket = tickets_.empty() ? argument : tickets_[argument % tickets_.size()];
    switch (what % 16U) {
      case 0:
      case 1:
        (void)table.claim(argument % 64U, ticket);
        tickets_.push_back(ticket);
        break;
      case 2:
        (void)table.claim(std::uint64_t{argument} << more % 64U, ticket);
        break;
      case 3:
        (void)table.withdraw(ticket);
        break;
      case 4:
        ticket = table.nextGrant();
        if (ticket != 0) tickets_.push_back(ticket);
        break;
      case 5: {
        Table::Reservation reserved;
        (void)table.reserve(ticket, reserved);
        if (more >= 128) {
          bool counts = false;
          (void)tables_[0].accept(argument % 64U, reserved, table.serial(), more % 4U != 0, counts);
        }
        (void)table.publish(ticket, reserved, more % 4U != 0);
        break;
      }
      case 6:
        (void)table.release(ticket);
        break;
      case 7: {
        Table::Look found;
        (void)table.look(argument % 64U, found);
        break;
      }
      case 8:
        (void)table.leave();
        break;
      case 9:
        if (!table.joined()) (void)table.join(more);
        break;
      case 10:
        scan(table, more % 16U);
        break;
      case 11: {
        std::array<Table::Member, 2> found;
        std::uint32_t count = 0;
        (void)table.members(found, count);
        break;
      }
      case 12:
        table.armGrants();
        table.armChanges();
        table.setReady();
        break;
      case 13:
        table.resize(std::min(size_ + std::uint64_t{more} * 128, kMost));
        break;
      case 14:
        // Of the head, whose end is the shards'.
        base_[argument % layout::kRegistryOffsetUnits] = static_cast<std::byte>(more);
        break;
      default:
        // Of a word of a unit, with the number of another one or with a small number.
        Word32(base_,
               layout::kRegistryOffsetUnits + std::uint64_t{argument} * 4 % (kMost - layout::kRegistryOffsetUnits))
            .storeRelaxed(more < 4 ? more : layout::kRegistryOffsetUnits / layout::kRegistryUnit + more);
    }
  }

 private:
  static void scan(Table& table, std::size_t atOnce) {
    std::array<Table::Found, 16> found;
    Table::ScanPlace place;
    std::uint32_t count = 0;
    while (place.shard < layout::kRegistryShards) {
      if (table.scan(place, std::span(found).first(atOnce), count) != RegistryStatus::kOk) break;
      if (count > atOnce) __builtin_trap();
    }
  }

  std::byte* base_;
  std::uint64_t size_;
  std::array<Table, 3> tables_;
  std::vector<std::uint32_t> tickets_;
};

}  // namespace

/// Input: groups of {what u8, argument u16, more u8}, each a call that one of three members makes, or bytes of the
/// table that are written over. None touches memory outside it, or does not return.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const test::GuardedMemory memory(kMost);
  std::fill_n(memory.data(), kMost, std::byte{0});
  Members members(memory.data(), kFirst);
  // Without members and entries there is little to come to.
  for (std::uint8_t who = 0; who < 3; ++who) {
    members.act(static_cast<std::uint8_t>(who * 16U + 9U), 0, who);
    members.act(static_cast<std::uint8_t>(who * 16U), 7, 0);
  }
  for (std::size_t at = 0; at + 4 <= std::min(size, std::size_t{1024}); at += 4) {
    const auto argument = static_cast<std::uint16_t>(data[at + 1] | data[at + 2] << 8U);
    members.act(data[at], argument, data[at + 3]);
  }
  return 0;
}
