#include "mutate.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>

#include "limit_numbers.h"
#include "onnx_writer.h"

namespace slipway::fuzz {

namespace {

// Messages inside messages further down are changed as bytes.
constexpr int kMaxDepth = 12;

// One field as it stands: `head` is its tag (and length), `value` what follows.
struct Piece {
  uint64_t tag = 0;
  std::string_view value;

  [[nodiscard]] int wire_type() const { return static_cast<int>(tag & 7); }
};

std::optional<uint64_t> take_varint(std::string_view& rest) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64 && !rest.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    value |= uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

// The fields of a message, or nothing where the bytes are none.
std::optional<std::vector<Piece>> pieces_of(std::string_view rest) {
  std::vector<Piece> pieces;
  while (!rest.empty()) {
    const auto tag = take_varint(rest);
    if (!tag || *tag < 8) return std::nullopt;
    std::size_t size = 0;
    if ((*tag & 7) == 0) {
      std::string_view behind = rest;
      if (!take_varint(behind)) return std::nullopt;
      size = rest.size() - behind.size();
    } else if ((*tag & 7) == 2) {
      const auto length = take_varint(rest);
      if (!length || *length > rest.size()) return std::nullopt;
      size = *length;
    } else if ((*tag & 7) == 1 || (*tag & 7) == 5) {
      size = (*tag & 7) == 1 ? 8 : 4;
      if (rest.size() < size) return std::nullopt;
    } else {
      return std::nullopt;
    }
    pieces.push_back({*tag, rest.substr(0, size)});
    rest.remove_prefix(size);
  }
  return pieces;
}

void append(check::Message& out, const Piece& piece) {
  out.varint(piece.tag);
  if (piece.wire_type() == 2) out.varint(piece.value.size());
  out.bytes += piece.value;
}

std::string limit_varint(int64_t value) { return check::Message().varint(static_cast<uint64_t>(value)).bytes; }

std::string raw(int64_t value, std::size_t size) {
  return std::string(std::bit_cast<std::array<char, 8>>(value).data(), size);
}

}  // namespace

Mutator::Mutator(const Target& target, std::vector<std::string> words, uint64_t seed)
    : target_(target), words_(std::move(words)), random_(seed) {}

std::size_t Mutator::pick(std::size_t count) { return static_cast<std::size_t>(random_() % count); }

std::string Mutator::changed(std::string bytes, std::string_view other) {
  for (std::size_t round = pick(4) + 1; round > 0; --round) {
    if (target_.form == Form::kMessage && pick(4) > 0) {
      change_message(bytes, other, 0);
    } else {
      change_bytes(bytes, other);
    }
  }
  if (bytes.size() > target_.max_bytes) bytes.resize(target_.max_bytes);
  return bytes;
}

void Mutator::change_bytes(std::string& bytes, std::string_view other) {
  constexpr std::array<char, 6> kBytes = {0, 1, 2, 0x7F, static_cast<char>(0x80), static_cast<char>(0xFF)};
  const std::size_t at = pick(bytes.size() + 1);
  const std::size_t count = std::min(pick(16) + 1, bytes.size() - at);
  const auto part = [&](std::string_view from, std::size_t most) {
    return from.empty() ? std::string() : std::string(from.substr(pick(from.size()), pick(most) + 1));
  };
  switch (pick(10)) {
    case 0:
      return static_cast<void>(bytes.replace(at, std::min<std::size_t>(count, 1), 1, static_cast<char>(pick(256))));
    case 1:
      return static_cast<void>(bytes.replace(at, std::min<std::size_t>(count, 1), 1, kBytes[pick(kBytes.size())]));
    case 2:
      if (count > 0) bytes[at] = static_cast<char>(bytes[at] ^ (1 << pick(8)));
      return;
    case 3:
      return static_cast<void>(bytes.erase(at, count));
    case 4:
      return static_cast<void>(bytes.insert(at, part(bytes, 16)));
    case 5:
      if (count > 0) bytes[at] = static_cast<char>(bytes[at] + static_cast<char>(pick(2) == 0 ? 1 : -1));
      return;
    case 6:
      if (!words_.empty()) bytes.insert(at, words_[pick(words_.size())]);
      return;
    case 7: {
      if (words_.empty()) return;
      const std::string& word = words_[pick(words_.size())];
      return static_cast<void>(bytes.replace(at, std::min(word.size(), bytes.size() - at), word));
    }
    case 8:
      return static_cast<void>(bytes.replace(at, count, part(other, 64)));
    default:
      if (pick(8) == 0) bytes.resize(at);
  }
}

void Mutator::change_message(std::string& bytes, std::string_view other, int depth) {
  std::optional<std::vector<Piece>> pieces = pieces_of(bytes);
  if (!pieces || pieces->empty() || depth == kMaxDepth) return change_bytes(bytes, other);
  const std::size_t at = pick(pieces->size());
  Piece& piece = (*pieces)[at];
  // What stands at the same place of another message, or this one.
  std::vector<Piece> others = pieces_of(other).value_or(std::vector<Piece>());
  std::erase_if(others, [&](const Piece& candidate) { return candidate.tag != piece.tag; });
  const Piece twin = others.empty() ? piece : others[pick(others.size())];
  std::string changed;  // what piece.value looks at, where it is new
  if (piece.wire_type() == 2 && pick(5) > 0) {
    changed = piece.value;
    change_message(changed, twin.value, depth + 1);
    piece.value = changed;
  } else {
    switch (pick(7)) {
      case 0:
        pieces->insert(pieces->begin() + static_cast<std::ptrdiff_t>(at), piece);
        break;
      case 1:
        pieces->erase(pieces->begin() + static_cast<std::ptrdiff_t>(at));
        break;
      case 2:
        std::swap(piece, (*pieces)[pick(pieces->size())]);
        break;
      case 3:
        piece.value = twin.value;
        break;
      case 4:
        pieces->push_back(twin);
        break;
      case 5:
        piece.tag = piece.tag ^ (uint64_t{8} << pick(3));
        break;
      default: {
        const int64_t limit = pick(3) == 0 ? kLimits[pick(std::size(kLimits))] : static_cast<int64_t>(pick(12));
        if (piece.wire_type() == 0) changed = limit_varint(limit);
        if (piece.wire_type() == 1) changed = raw(limit, 8);
        if (piece.wire_type() == 5) {
          const auto real = static_cast<float>(kRealLimits[pick(std::size(kRealLimits))]);
          changed = raw(std::bit_cast<int32_t>(real), 4);
        }
        if (piece.wire_type() == 2 && !words_.empty()) changed = words_[pick(words_.size())];
        piece.value = changed;
      }
    }
  }
  check::Message out;
  for (const Piece& kept : *pieces) append(out, kept);
  bytes = std::move(out.bytes);
}

std::vector<std::string> words_of(const Target& target) {
  std::vector<std::string> words;
  if (target.words != nullptr) words = target.words();
  if (target.form != Form::kText) {
    for (const int64_t limit : kLimits) {
      words.push_back(limit_varint(limit));
      words.push_back(raw(limit, 8));
    }
  } else {
    for (const int64_t limit : kLimits) words.push_back(std::to_string(limit));
    for (const char* word :
         {"nan", "-inf", "1e999", "0x10", "-0", "1e-320", "\xEF\xBB\xBF", "\xC3\xA9", "\xED\xA0\x80"})
      words.emplace_back(word);
  }
  return words;
}

bool add_dictionary(const std::string& file, std::vector<std::string>& words) {
  std::ifstream in(file);
  if (!in) return false;
  for (std::string line; std::getline(in, line);) {
    const std::size_t from = line.find('"');
    const std::size_t to = line.rfind('"');
    if (line.starts_with('#') || from == to) continue;
    std::string word;
    for (std::size_t i = from + 1; i < to; ++i) {
      if (line[i] == '\\' && line.compare(i + 1, 1, "x") == 0 && i + 3 < to) {
        word += static_cast<char>(std::stoi(line.substr(i + 2, 2), nullptr, 16));
        i += 3;
      } else {
        word += line[i];
      }
    }
    words.push_back(std::move(word));
  }
  return true;
}

}  // namespace slipway::fuzz
