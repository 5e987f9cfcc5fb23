#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace strand::test {

/// Pinned bytes as text, test/golden/<name>.hex:
///
///     # comment
///     size 5624
///     000000 4e525453 06000000 …        offset, then up to 32 bytes; bytes that no line names are 0
///
/// With STRAND_UPDATE_GOLDEN=1 in the environment the files are written instead of compared.
class GoldenFile {
 public:
  explicit GoldenFile(std::string name);

  [[nodiscard]] static bool updating();
  /// @throws std::runtime_error where the file is missing or malformed
  [[nodiscard]] std::vector<std::byte> read() const;
  void write(const std::vector<std::byte>& bytes, const std::string& comment) const;
  /// Where `bytes` first differ from the file, in words for a message; empty where they do not.
  [[nodiscard]] std::string difference(const std::vector<std::byte>& bytes) const;

 private:
  std::string path_;
};

}  // namespace strand::test
