#include "support/golden_file.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace strand::test {
namespace {

constexpr std::size_t kLineBytes = 32;

std::string hexOf(std::size_t value, int digits) {
  std::ostringstream text;
  text.width(digits);
  text.fill('0');
  text << std::hex << value;
  return text.str();
}

}  // namespace

GoldenFile::GoldenFile(std::string name) : path_(STRAND_TEST_DIR "/golden/") {
  path_ += name;
  path_ += ".hex";
}

bool GoldenFile::updating() { return std::getenv("STRAND_UPDATE_GOLDEN") != nullptr; }

std::vector<std::byte> GoldenFile::read() const {
  std::ifstream file(path_);
  if (!file) throw std::runtime_error(path_ + " is missing: STRAND_UPDATE_GOLDEN=1 writes it");
  std::vector<std::byte> bytes;
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string first;
    if (!(words >> first) || first[0] == '#') continue;
    if (first == "size") {
      std::size_t size = 0;
      words >> size;
      bytes.assign(size, std::byte{0});
      continue;
    }
    std::size_t at = std::stoul(first, nullptr, 16);
    for (std::string word; words >> word;) {
      for (std::size_t i = 0; i + 1 < word.size(); i += 2) {
        bytes.at(at++) = static_cast<std::byte>(std::stoul(word.substr(i, 2), nullptr, 16));
      }
    }
  }
  return bytes;
}

void GoldenFile::write(const std::vector<std::byte>& bytes, const std::string& comment) const {
  std::ofstream file(path_);
  file << "# " << comment << "\n# Bytes that no line names are 0.\nsize " << bytes.size() << '\n';
  for (std::size_t line = 0; line < bytes.size(); line += kLineBytes) {
    const std::size_t end = std::min(line + kLineBytes, bytes.size());
    const auto zero = [](std::byte byte) { return byte == std::byte{0}; };
    if (std::all_of(bytes.begin() + static_cast<std::ptrdiff_t>(line), bytes.begin() + static_cast<std::ptrdiff_t>(end),
                    zero)) {
      continue;
    }
    file << hexOf(line, 6);
    for (std::size_t i = line; i < end; ++i) {
      if (i % 4 == 0) file << ' ';
      file << hexOf(static_cast<std::size_t>(bytes[i]), 2);
    }
    file << '\n';
  }
  if (!file) throw std::runtime_error(path_ + " could not be written");
}

std::string GoldenFile::difference(const std::vector<std::byte>& bytes) const {
  const std::vector<std::byte> pinned = read();
  if (pinned.size() != bytes.size()) {
    return "there are " + std::to_string(bytes.size()) + " bytes, " + path_ + " has " + std::to_string(pinned.size());
  }
  const auto [is, was] = std::mismatch(bytes.begin(), bytes.end(), pinned.begin());
  if (is == bytes.end()) return {};
  return "byte 0x" + hexOf(static_cast<std::size_t>(is - bytes.begin()), 1) + " is " +
         hexOf(static_cast<std::size_t>(*is), 2) + ", " + path_ + " says " + hexOf(static_cast<std::size_t>(*was), 2);
}

}  // namespace strand::test
