#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace bench {

/// The record every contender carries: 24 bytes without padding, laid out as the strand lays out
/// fields of u64, f64, u32, f32.
struct Record {
  std::uint64_t sequence;
  double price;
  std::uint32_t id;
  float ratio;
};
static_assert(sizeof(Record) == 24);

inline Record makeRecord(std::uint64_t sequence) noexcept {
  return {sequence, static_cast<double>(sequence) * 0.5, static_cast<std::uint32_t>(sequence),
          static_cast<float>(sequence & 1023U)};
}

/// What the consumer does with each record: checks that it is the next one and whole. Every
/// contender pays for it.
class RecordCheck {
 public:
  void operator()(const Record& record) noexcept {
    const Record expected = makeRecord(next_++);
    wrong_ += static_cast<std::uint64_t>(record.sequence != expected.sequence) +
              static_cast<std::uint64_t>(record.price != expected.price) +
              static_cast<std::uint64_t>(record.id != expected.id) +
              static_cast<std::uint64_t>(record.ratio != expected.ratio);
  }

  [[nodiscard]] std::uint64_t seen() const noexcept { return next_; }
  [[nodiscard]] std::uint64_t wrong() const noexcept { return wrong_; }

 private:
  std::uint64_t next_ = 0;
  std::uint64_t wrong_ = 0;
};

/// FNV-1a over the bytes of all records: equal for contenders that delivered the same.
class RecordDigest {
 public:
  void operator()(const Record& record) noexcept {
    std::byte bytes[sizeof(Record)];
    std::memcpy(bytes, &record, sizeof(Record));
    for (const std::byte byte : bytes) {
      hash_ = (hash_ ^ static_cast<std::uint64_t>(byte)) * 1099511628211U;
    }
    ++seen_;
  }

  [[nodiscard]] std::uint64_t seen() const noexcept { return seen_; }
  [[nodiscard]] std::uint64_t hash() const noexcept { return hash_; }

 private:
  std::uint64_t hash_ = 14695981039346656037U;
  std::uint64_t seen_ = 0;
};

}  // namespace bench
