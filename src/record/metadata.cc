#include "record/metadata.h"

#include <cstddef>
#include <cstdint>
#include <optional>

#include "layout/strand_layout.h"

namespace strand {
namespace {

constexpr std::uint32_t kReplacement = 0xFFFD;

void appendUtf8(std::string& out, std::uint32_t point) {
  if (point < 0x80) {
    out.push_back(static_cast<char>(point));
  } else if (point < 0x800) {
    out.push_back(static_cast<char>(0xC0 | (point >> 6)));
    out.push_back(static_cast<char>(0x80 | (point & 0x3F)));
  } else if (point < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | (point >> 12)));
    out.push_back(static_cast<char>(0x80 | ((point >> 6) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (point & 0x3F)));
  } else {
    out.push_back(static_cast<char>(0xF0 | (point >> 18)));
    out.push_back(static_cast<char>(0x80 | ((point >> 12) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | ((point >> 6) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (point & 0x3F)));
  }
}

/// Reads JSON without recursion, so that nesting costs a byte a level and never the stack.
class Reader {
 public:
  explicit Reader(std::string_view text) noexcept : text_(text) {}

  bool columns(std::vector<std::string>& names) {
    bool found = false;
    space();
    if (!take('{')) return false;
    space();
    if (take('}')) return false;
    do {
      space();
      std::string key;
      if (!string(&key)) return false;
      space();
      if (!take(':')) return false;
      space();
      if (key == "columns") {
        if (found || !stringList(names)) return false;
        found = true;
      } else if (!value()) {
        return false;
      }
      space();
    } while (take(','));
    if (!take('}')) return false;
    space();
    return found && at_ == text_.size();
  }

 private:
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool take(char wanted) {
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  bool take(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  void space() {
    while (at_ < text_.size() && (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r')) ++at_;
  }

  bool stringList(std::vector<std::string>& names) {
    if (!take('[')) return false;
    space();
    if (take(']')) return true;
    do {
      space();
      // No schema has more, and each costs many times its bytes here.
      if (names.size() == layout::kMaxRecordStride) return false;
      if (!string(&names.emplace_back())) return false;
      space();
    } while (take(','));
    return take(']');
  }

  std::optional<std::uint32_t> hex4() {
    if (text_.size() - at_ < 4) return std::nullopt;
    std::uint32_t unit = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = text_[at_++];
      std::uint32_t digit = 0;
      if (c >= '0' && c <= '9') {
        digit = static_cast<std::uint32_t>(c - '0');
      } else if (c >= 'a' && c <= 'f') {
        digit = static_cast<std::uint32_t>(c - 'a') + 10;
      } else if (c >= 'A' && c <= 'F') {
        digit = static_cast<std::uint32_t>(c - 'A') + 10;
      } else {
        return std::nullopt;
      }
      unit = unit * 16 + digit;
    }
    return unit;
  }

  /// The part of an escape after "\u"; a lone surrogate becomes U+FFFD.
  std::optional<std::uint32_t> escapedPoint() {
    const std::optional<std::uint32_t> unit = hex4();
    if (!unit || *unit < 0xD800 || *unit > 0xDFFF) return unit;
    if (*unit >= 0xDC00 || !(peek() == '\\' && text_.substr(at_ + 1, 1) == "u")) return kReplacement;
    const std::size_t before = at_;
    at_ += 2;
    const std::optional<std::uint32_t> low = hex4();
    if (!low) return std::nullopt;
    if (*low < 0xDC00 || *low > 0xDFFF) {
      at_ = before;
      return kReplacement;
    }
    return 0x10000 + ((*unit - 0xD800) << 10) + (*low - 0xDC00);
  }

  bool string(std::string* out) {
    if (!take('"')) return false;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\') {
        if (out != nullptr) out->push_back(c);
        continue;
      }
      const std::optional<std::uint32_t> point = escape();
      if (!point) return false;
      if (out != nullptr) appendUtf8(*out, *point);
    }
    return false;
  }

  std::optional<std::uint32_t> escape() {
    if (at_ >= text_.size()) return std::nullopt;
    switch (text_[at_++]) {
      case '"':
        return '"';
      case '\\':
        return '\\';
      case '/':
        return '/';
      case 'b':
        return '\b';
      case 'f':
        return '\f';
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      case 'u':
        return escapedPoint();
      default:
        return std::nullopt;
    }
  }

  bool digits() {
    const std::size_t before = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ > before;
  }

  bool number() {
    take('-');
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (!take('+')) take('-');
      if (!digits()) return false;
    }
    return true;
  }

  bool scalar() {
    switch (peek()) {
      case '"':
        return string(nullptr);
      case 't':
        return take("true");
      case 'f':
        return take("false");
      case 'n':
        return take("null");
      default:
        return number();
    }
  }

  bool memberKey() {
    space();
    if (!string(nullptr)) return false;
    space();
    return take(':');
  }

  bool value() {
    std::vector<char> open;  // closing brackets still owed
    for (;;) {
      space();
      if (take('[')) {
        open.push_back(']');
        space();
        if (peek() != ']') continue;
      } else if (take('{')) {
        open.push_back('}');
        space();
        if (peek() != '}') {
          if (!memberKey()) return false;
          continue;
        }
      } else if (!scalar()) {
        return false;
      }
      for (;;) {
        if (open.empty()) return true;
        space();
        if (take(',')) {
          if (open.back() == '}' && !memberKey()) return false;
          break;
        }
        if (!take(open.back())) return false;
        open.pop_back();
      }
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

void appendQuoted(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out.push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (byte < 0x20) {
      out.append("\\u00");
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

}  // namespace

std::string composeMetadata(const Schema& schema, std::string_view members) noexcept {
  std::string json = R"({"columns":[)";
  for (const Field& field : schema.fields()) {
    if (json.back() != '[') json.push_back(',');
    appendQuoted(json, field.name);
  }
  json.push_back(']');
  if (!members.empty()) {
    json.push_back(',');
    json.append(members);
  }
  json.push_back('}');
  return json;
}

Fault parseColumnNames(std::string_view json, std::vector<std::string>& names) noexcept {
  names.clear();
  if (!Reader(json).columns(names)) {
    return Fault::header("the metadata is not a JSON object with one list of column names");
  }
  return Fault::none();
}

}  // namespace strand
