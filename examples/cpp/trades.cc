#include <array>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <string_view>
#include <thread>

#include "record/metadata.h"
#include "ring/record_cursor.h"
#include "ring/strand_header.h"
#include "ring/strand_view.h"
#include "ring/strand_writer.h"

using strand::Status;

namespace {

constexpr std::int64_t kTrades = 100'000;

/// Sixty-four records and four kilobytes of text in memory of this process.
strand::Fault create(strand::Region& region) {
  const std::array<strand::FieldSpec, 2> fields{
      {{"id", strand::FieldType::kU32}, {"symbol", strand::FieldType::kUtf8}}};
  strand::Schema schema;
  strand::Geometry geometry;
  strand::Fault fault = strand::Schema::build(fields, schema);
  if (fault.ok()) fault = strand::computeGeometry(schema, 64, 4096, 0, geometry);
  if (!fault.ok()) return fault;
  region = strand::Region::allocate(geometry.totalBytes);
  return strand::writeHeader(region, schema, geometry, strand::composeMetadata(schema, {}));
}

void produce(const strand::Region& region) {
  strand::StrandWriter writer;
  strand::Fault fault;
  const auto patience = std::chrono::seconds(1);
  if (strand::StrandWriter::attach(region, patience, writer, fault) != Status::kOk) return;
  (void)writer.begin();
  for (std::int64_t id = 0; id < kTrades; ++id) {
    const std::array<strand::Value, 2> row{id, std::string_view("NDL")};
    strand::EncodeFault wrong;
    // Blocks while the ring is full. A writer that is destroyed early makes the stream an error.
    if (writer.write(row, wrong) != Status::kOk) return;
  }
  (void)writer.finalize();
}

}  // namespace

int main() {
  strand::Region region;
  strand::StrandView view;
  strand::Fault fault = create(region);
  if (fault.ok()) (void)strand::StrandView::attach(region, view, fault);
  if (!fault.ok()) {
    std::cerr << fault.message << '\n';
    return 1;
  }

  std::thread producer(produce, region);
  strand::RecordCursor cursor(view);
  std::uint64_t seq = 0;
  std::uint64_t sum = 0;
  strand::WaitResult found;
  do {
    found = view.wait(seq, strand::wait::kForever);
    for (; seq < found.committed; ++seq) {
      if (cursor.seek(seq) == Status::kOk && cursor.getString(1) == "NDL") {
        sum += cursor.getU32(0).value_or(0);
      }
    }
    (void)view.acknowledge(seq);
  } while (found.progress == strand::Progress::kReady);
  producer.join();

  std::cout << seq << " trades, ids add up to " << sum << '\n';
  return view.status() == strand::StreamState::kEos ? 0 : 1;
}
