// Scans of a window of records, by one thread:
//
//     scan list                                    the contenders
//     scan <contender> <work> check                a digest of what it finds
//     scan <contender> <work> measure [--quick]    nanoseconds per record, and of reading the same memory once
//
// Work: `filter16`, `filter32`, `filter256`: one f32 `between` over 65,536 records of that stride. `three`: three
// predicates in one pass over 1,048,576 records of 32 bytes. `ranges`: three fields over 40 % of 65,536 records of 16
// bytes, per set record. Contenders: `strand`, and `cursor`, which reads record by record. The answer is one line of
// JSON.

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "memory/little_endian.h"
#include "record/metadata.h"
#include "ring/record_cursor.h"
#include "ring/strand_writer.h"
#include "ring/window_filter.h"
#include "ring/window_ranges.h"

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Work {
  std::string_view name;
  std::uint32_t stride;
  std::uint64_t records;
  std::size_t predicates;
  bool ranges;
};

constexpr Work kWorks[]{
    {"filter16", 16, 65'536, 1, false}, {"filter32", 32, 65'536, 1, false}, {"filter256", 256, 65'536, 1, false},
    {"three", 32, 1'048'576, 3, false}, {"ranges", 16, 65'536, 1, true},
};

constexpr double kLow = 100;
constexpr double kHigh = 499;

/// Values of `x` are 0 .. 999 at random: 40 % lie between kLow and kHigh.
class Strand {
 public:
  explicit Strand(const Work& work) {
    std::vector<strand::FieldSpec> fields{
        {"x", strand::FieldType::kF32}, {"y", strand::FieldType::kI32}, {"z", strand::FieldType::kU32}};
    constexpr std::uint32_t kUsed = 12;
    fields.push_back({"rest", strand::FieldType::kFixedBytes, 0, work.stride - kUsed});
    strand::Schema schema;
    strand::Geometry geometry;
    must(strand::Schema::build(fields, schema));
    must(strand::computeGeometry(schema, work.records, 0, 0, geometry));
    const strand::Region region = strand::Region::allocate(geometry.totalBytes);
    must(strand::writeHeader(region, schema, geometry, strand::composeMetadata(schema, {})));
    strand::Fault fault;
    strand::StrandWriter writer;
    (void)strand::StrandWriter::attach(region, {}, writer, fault);
    must(fault);
    fill(writer, work.records);
    (void)strand::StrandView::attach(region, view, fault);
    must(fault);
    slots = {region.data() + geometry.headerSize, work.records * geometry.recordStride};
  }

  strand::StrandView view;
  std::span<const std::byte> slots;

 private:
  static void must(const strand::Fault& fault) {
    if (fault.ok()) return;
    std::fprintf(stderr, "%s\n", fault.message.c_str());
    std::exit(EXIT_FAILURE);
  }

  static void fill(strand::StrandWriter& writer, std::uint64_t records) {
    constexpr std::uint64_t kValues = 1000;
    std::uint64_t state = 1;
    const auto next = [&] {
      state = state * 6364136223846793005U + 1442695040888963407U;
      return (state >> 33) % kValues;
    };
    for (std::uint64_t written = 0; written < records;) {
      strand::StrandWriter::Run run;
      if (writer.reserve({records - written, {}, 0}, run) != strand::Status::kOk) std::exit(EXIT_FAILURE);
      const std::size_t stride = writer.schema().recordStride();
      for (std::uint32_t i = 0; i < run.slotCount; ++i) {
        std::byte* const slot = writer.data() + run.slotOffset + i * stride;
        strand::storeLittle(slot, static_cast<float>(next()));
        strand::storeLittle(slot + 4, static_cast<std::int32_t>(next()) - 500);
        strand::storeLittle(slot + 8, static_cast<std::uint32_t>(next()));
      }
      writer.advance(run.slotCount);
      written += run.slotCount;
    }
    if (writer.publish() != strand::Status::kOk) std::exit(EXIT_FAILURE);
    writer.detach();
  }
};

/// What a contender works with and leaves behind.
struct Scan {
  const Work& work;
  const strand::StrandView& view;
  strand::WindowFilter filter;
  strand::RecordRange range;
  std::vector<std::uint32_t> bits;
  std::vector<strand::FieldRange> ranges;

  Scan(const Work& wanted, const strand::StrandView& of) : work(wanted), view(of), filter(of), range(filter.look()) {
    bits.resize(strand::halvesFor(range.count));
    for (std::size_t field = 0; field < work.predicates; ++field)
      (void)filter.addBetween(field, low(field), high(field));
    if (work.ranges) (void)filter.apply(range, bits);
  }
  static double low(std::size_t field) { return field == 1 ? kLow - 500 : kLow; }
  static double high(std::size_t field) { return field == 1 ? kHigh - 500 : kHigh; }
};

void scanNatively(Scan& scan) {
  if (scan.work.ranges) {
    (void)strand::computeRanges(scan.view, scan.range, scan.bits, scan.ranges);
  } else {
    (void)scan.filter.apply(scan.range, scan.bits);
  }
}

double valueOf(const strand::RecordCursor& cursor, std::size_t field) {
  switch (field) {
    case 0:
      return static_cast<double>(*cursor.getF32(0));
    case 1:
      return *cursor.getI32(1);
    default:
      return *cursor.getU32(2);
  }
}

strand::Value asStored(std::size_t field, double value) {
  if (field == 0) return value;
  if (field == 1) return static_cast<std::int64_t>(value);
  return static_cast<std::uint64_t>(value);
}

void scanByCursor(Scan& scan) {
  strand::RecordCursor cursor(scan.view);
  constexpr std::size_t kFields = 3;
  double least[kFields];
  double most[kFields];
  std::fill_n(least, kFields, std::numeric_limits<double>::infinity());
  std::fill_n(most, kFields, -std::numeric_limits<double>::infinity());
  if (!scan.work.ranges) std::fill(scan.bits.begin(), scan.bits.end(), 0);
  for (std::uint64_t i = 0; i < scan.range.count; ++i) {
    const std::uint32_t bit = std::uint32_t{1} << (i % 32);
    if (scan.work.ranges && (scan.bits[i / 32] & bit) == 0) continue;
    if (cursor.seek(scan.range.start + i) != strand::Status::kOk) continue;
    if (scan.work.ranges) {
      for (std::size_t field = 0; field < kFields; ++field) {
        least[field] = std::min(least[field], valueOf(cursor, field));
        most[field] = std::max(most[field], valueOf(cursor, field));
      }
      continue;
    }
    bool matches = true;
    for (std::size_t field = 0; field < scan.work.predicates; ++field) {
      const double value = valueOf(cursor, field);
      matches = matches && value >= Scan::low(field) && value <= Scan::high(field);
    }
    if (matches) scan.bits[i / 32] |= bit;
  }
  if (!scan.work.ranges) return;
  scan.ranges.clear();
  for (std::size_t field = 0; field < kFields; ++field) {
    scan.ranges.push_back({field, asStored(field, least[field]), asStored(field, most[field])});
  }
}

struct Contender {
  std::string_view name;
  void (*scan)(Scan& scan);
};

constexpr Contender kContenders[]{{"strand", scanNatively}, {"cursor", scanByCursor}};

/// FNV-1a of the bits and the ranges.
std::uint64_t digestOf(const Scan& scan) {
  std::uint64_t hash = 14695981039346656037U;
  const auto add = [&](std::uint64_t value) { hash = (hash ^ value) * 1099511628211U; };
  for (const std::uint32_t word : scan.bits) add(word);
  for (const strand::FieldRange& found : scan.ranges) {
    for (const strand::Value& value : {found.low, found.high}) {
      if (const auto* real = std::get_if<double>(&value)) add(static_cast<std::uint64_t>(*real));
      if (const auto* integer = std::get_if<std::int64_t>(&value)) add(static_cast<std::uint64_t>(*integer));
      if (const auto* natural = std::get_if<std::uint64_t>(&value)) add(*natural);
    }
  }
  return hash;
}

std::uint64_t setBits(const Scan& scan) {
  std::uint64_t count = 0;
  for (const std::uint32_t word : scan.bits) count += static_cast<std::uint64_t>(__builtin_popcount(word));
  return count;
}

/// One load of every cache line: the least that whoever looks at all records has to wait for.
std::uint64_t readOnce(std::span<const std::byte> memory) {
  constexpr std::size_t kLine = 64;
  std::uint64_t sums[4]{};
  std::size_t at = 0;
  for (; at + 4 * kLine <= memory.size(); at += 4 * kLine) {
    for (std::size_t i = 0; i < 4; ++i) sums[i] += strand::loadLittle<std::uint64_t>(memory.data() + at + i * kLine);
  }
  return sums[0] + sums[1] + sums[2] + sums[3];
}

template <typename Function>
double nanosOf(Function&& function) {
  const auto start = Clock::now();
  function();
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

int run(const Contender& contender, const Work& work, std::string_view mode, bool quick) {
  const Strand strand(work);
  Scan scan(work, strand.view);
  if (mode == "check") {
    contender.scan(scan);
    std::printf("{\"digest\":\"%016" PRIx64 "\",\"count\":%" PRIu64 "}\n", digestOf(scan), setBits(scan));
    return EXIT_SUCCESS;
  }
  const int passes = quick ? 20 : 200;
  double best = std::numeric_limits<double>::infinity();
  double bestRead = best;
  volatile std::uint64_t sink = 0;
  // The two take turns, so that what else happens on the machine meets both.
  for (int pass = 0; pass < passes; ++pass) {
    best = std::min(best, nanosOf([&] { contender.scan(scan); }));
    bestRead = std::min(bestRead, nanosOf([&] { sink = sink + readOnce(strand.slots); }));
  }
  const auto units = static_cast<double>(work.ranges ? setBits(scan) : work.records);
  std::printf("{\"metrics\":{\"cost\":%.4f,\"reading\":%.4f,\"ratio\":%.3f}}\n", best / units, bestRead / units,
              best / bestRead);
  return EXIT_SUCCESS;
}

int main(std::span<char*> arguments) {
  if (arguments.size() == 2 && std::string_view(arguments[1]) == "list") {
    for (const Contender& contender : kContenders) std::printf("%s\n", contender.name.data());
    return EXIT_SUCCESS;
  }
  if (arguments.size() >= 4) {
    for (const Contender& contender : kContenders) {
      for (const Work& work : kWorks) {
        if (contender.name != arguments[1] || work.name != arguments[2]) continue;
        return run(contender, work, arguments[3], arguments.size() > 4 && std::string_view(arguments[4]) == "--quick");
      }
    }
  }
  std::fputs("usage: scan list | scan strand|cursor WORK check|measure [--quick]\n", stderr);
  return EXIT_FAILURE;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::main({argv, static_cast<std::size_t>(argc)}); }
