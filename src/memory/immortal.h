#pragma once

#include <memory>

namespace strand {

/// Holds a static object whose destructor never runs: threads may still wait and wake while the process exits.
/// The storage is part of the image, so that nothing leaks when the image is unloaded.
template <typename T>
class Immortal {
 public:
  Immortal() noexcept { std::construct_at(&value); }
  ~Immortal() {}  // NOLINT(modernize-use-equals-default): the union has no destructor to default to
  Immortal(const Immortal&) = delete;
  Immortal& operator=(const Immortal&) = delete;

  [[nodiscard]] T& operator*() noexcept { return value; }

 private:
  union {
    T value;
  };
};

}  // namespace strand
