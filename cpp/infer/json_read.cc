// The reader of json.h.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "infer/json.h"
#include "infer/utf8.h"

namespace slipway::infer {

namespace {

constexpr std::size_t kMaxBytes = 16 << 20;
constexpr int kMaxDepth = 64;
constexpr int64_t kMaxValues = 4'000'000;

class Reader final {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Json read_document() {
    Json json = read_value(0);
    skip_space();
    if (at_ != text_.size()) refuse("the end");
    return json;
  }

 private:
  [[noreturn]] void refuse(std::string_view expected) const {
    fail(Code::kModel, "not JSON at byte ", at_ + 1, ": expected ", expected, ", got ",
         at_ < text_.size() ? quote(text_.substr(at_, 12)) : "the end");
  }
  [[nodiscard]] char peek() const noexcept { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_space() noexcept {
    while (at_ < text_.size() && (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r')) ++at_;
  }
  [[nodiscard]] bool take(char c) noexcept {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) refuse("a value");
    at_ += word.size();
  }

  Json read_value(int depth) {
    if (depth > kMaxDepth) refuse("at most 64 levels");
    if (++values_ > kMaxValues) refuse("at most 4 million values");
    skip_space();
    switch (peek()) {
      case '{':
        return {read_object(depth)};
      case '[':
        return {read_array(depth)};
      case '"':
        return {read_string()};
      case 't':
        return expect_word("true"), Json{true};
      case 'f':
        return expect_word("false"), Json{false};
      case 'n':
        return expect_word("null"), Json{};
      default:
        return {read_number()};
    }
  }

  Json::Object read_object(int depth) {
    Json::Object members;
    std::set<std::string> keys;
    ++at_;
    skip_space();
    if (take('}')) return members;
    do {
      skip_space();
      if (peek() != '"') refuse("a key");
      std::string key = read_string();
      if (!keys.insert(key).second) refuse(concat("no second ", quote(key)));
      skip_space();
      if (!take(':')) refuse("':'");
      Json value = read_value(depth + 1);
      members.emplace_back(std::move(key), std::move(value));
      skip_space();
    } while (take(','));
    if (!take('}')) refuse("',' or '}'");
    return members;
  }

  Json::Array read_array(int depth) {
    Json::Array items;
    ++at_;
    skip_space();
    if (take(']')) return items;
    do {
      items.push_back(read_value(depth + 1));
      skip_space();
    } while (take(','));
    if (!take(']')) refuse("',' or ']'");
    return items;
  }

  double read_number() {
    // from_chars takes more than JSON does ("inf", "01", "1."), so the grammar of RFC 8259, section 6, comes first.
    const std::size_t begin = at_;
    const auto digits = [&] {
      const std::size_t first = at_;
      while (peek() >= '0' && peek() <= '9') ++at_;
      if (at_ == first) refuse("a value");
    };
    (void)take('-');
    if (!take('0')) digits();
    if (take('.')) digits();
    if (take('e') || take('E')) {
      if (!take('+')) (void)take('-');
      digits();
    }
    double number = 0;
    const auto result = std::from_chars(text_.data() + begin, text_.data() + at_, number);
    if (result.ec != std::errc()) fail(Code::kModel, "JSON number at byte ", begin + 1, " is out of range");
    return number;
  }

  char32_t read_hex4() {
    uint32_t code = 0;
    const auto result = std::from_chars(text_.data() + at_, text_.data() + std::min(at_ + 4, text_.size()), code, 16);
    if (result.ec != std::errc() || result.ptr != text_.data() + at_ + 4) refuse("four hexadecimal digits");
    at_ += 4;
    return code;
  }

  char32_t read_unicode_escape() {
    const char32_t first = read_hex4();
    if (first < 0xD800 || first > 0xDFFF) return first;
    if (first > 0xDBFF || !take('\\') || !take('u')) refuse("a surrogate pair");
    const char32_t second = read_hex4();
    if (second < 0xDC00 || second > 0xDFFF) refuse("a surrogate pair");
    return 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
  }

  void read_escape(std::string& out) {
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const char name = peek();
    if (take('u')) return append_utf8(out, read_unicode_escape());
    const std::size_t place = at_ < text_.size() ? kNames.find(name) : std::string_view::npos;
    if (place == std::string_view::npos) refuse("an escape");
    out += kMeanings[place];
    ++at_;
  }

  std::string read_string() {
    std::string out;
    ++at_;
    while (!take('"')) {
      if (at_ >= text_.size() || static_cast<unsigned char>(peek()) < 0x20) refuse("'\"'");
      if (take('\\')) {
        read_escape(out);
      } else {
        out += text_[at_++];
      }
    }
    return out;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int64_t values_ = 0;
};

[[noreturn]] void refuse_type(std::string_view what, std::string_view expected) {
  fail(Code::kModel, what, " is not ", expected);
}

}  // namespace

Json parse_json(std::string_view text) {
  if (text.size() > kMaxBytes) fail(Code::kModel, "JSON text has ", text.size(), " bytes, the limit is ", kMaxBytes);
  if (!is_utf8(text)) fail(Code::kModel, "JSON text is not valid UTF-8");
  return Reader(text).read_document();
}

const Json* Json::find(std::string_view key) const noexcept {
  const Object* members = std::get_if<Object>(&value);
  if (members == nullptr) return nullptr;
  const auto found = std::find_if(members->begin(), members->end(), [&](const auto& m) { return m.first == key; });
  return found == members->end() ? nullptr : &found->second;
}

const std::string& Json::string(std::string_view what) const {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  refuse_type(what, "a string");
}

const Json::Array& Json::array(std::string_view what) const {
  if (const auto* items = std::get_if<Array>(&value)) return *items;
  refuse_type(what, "a list");
}

const Json::Object& Json::object(std::string_view what) const {
  if (const auto* members = std::get_if<Object>(&value)) return *members;
  refuse_type(what, "an object");
}

bool Json::boolean(std::string_view what) const {
  if (const auto* yes = std::get_if<bool>(&value)) return *yes;
  refuse_type(what, "true or false");
}

double Json::number(std::string_view what) const {
  if (const auto* number = std::get_if<double>(&value)) return *number;
  refuse_type(what, "a number");
}

int64_t Json::integer(std::string_view what) const {
  const double number = this->number(what);
  if (std::floor(number) != number || std::fabs(number) > 9007199254740992.0) refuse_type(what, "a whole number");
  return static_cast<int64_t>(number);
}

}  // namespace slipway::infer
