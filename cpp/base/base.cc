// Out-of-line parts of error.h, shape.h and tensor.h.
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <new>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/memory_budget.h"
#include "base/shape.h"
#include "base/tensor.h"

namespace slipway {

namespace {

constexpr std::align_val_t kAlignment{64};

// Length of the well-formed UTF-8 sequence at the start of `text` (RFC 3629, section 4), or 0.
std::size_t utf8_length(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xC2 ? 0
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                             : lead < 0xF5 ? 4
                                           : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;
  if (lead == 0xED && byte(1) > 0x9F) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

}  // namespace

void append_text(std::string& out, std::string_view text) { out += text; }
void append_text(std::string& out, char character) { out += character; }
void append_text(std::string& out, bool number) { out += number ? '1' : '0'; }
void append_text(std::string& out, int64_t number) { out += std::to_string(number); }
void append_text(std::string& out, uint64_t number) { out += std::to_string(number); }
void append_text(std::string& out, double number) {
  char text[32];  // printf() would write a comma where the locale has one
  const auto written = std::to_chars(text, text + sizeof text, number, std::chars_format::general, 6);
  out.append(text, written.ptr);
}

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string quote(std::string_view text, std::size_t limit) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  out.reserve(std::min(text.size(), limit) + 2);
  out += '"';
  std::size_t i = 0;
  while (i < text.size() && out.size() < limit) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0 || byte < 0x20 || byte == 0x7F ||
        (byte == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0)) {
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
      ++i;
      continue;
    }
    if (byte == '"' || byte == '\\') out += '\\';
    out += text.substr(i, length);
    i += length;
  }
  out += i < text.size() ? "...\"" : "\"";
  return out;
}

void Shape::require_rank(std::size_t rank) {
  if (rank > kMaxRank) fail(Code::kUnsupported, "a tensor has rank ", rank, ", supported are ranks 0 to ", kMaxRank);
}

Shape::Shape(std::span<const int64_t> sizes) {
  require_rank(sizes.size());
  for (const int64_t size : sizes) push_back(size);
}

int64_t Shape::checked_bytes(int64_t element_bytes) const {
  int64_t bytes = element_bytes;
  bool is_empty = false;
  for (const int64_t size : sizes()) {
    if (size < 0) fail(Code::kInput, "shape ", text(), " has a negative size");
    is_empty = is_empty || size == 0;
    if (size > 0 && __builtin_mul_overflow(bytes, size, &bytes)) {
      fail(Code::kLimit, "shape ", text(), " is too large to be held in memory");
    }
  }
  return is_empty ? 0 : bytes;
}

std::string Shape::text() const {
  std::string out = "[";
  for (int axis = 0; axis < rank_; ++axis) {
    if (axis > 0) out += ", ";
    out += std::to_string(sizes_[axis]);
  }
  return out + "]";
}

Buffer::Buffer(int64_t bytes) {
  // One byte at least, so that a view of an empty tensor never has a null pointer.
  const std::shared_ptr<MemoryBudget>& budget = MemoryBudget::current();
  if (budget) budget->take(bytes);
  void* memory = ::operator new(static_cast<std::size_t>(bytes > 0 ? bytes : 1), kAlignment, std::nothrow);
  if (memory == nullptr) {
    if (budget) budget->give(bytes);
    fail(Code::kLimit, "cannot allocate ", bytes, " bytes");
  }
  data_ = {static_cast<std::byte*>(memory), CountedFree{budget, bytes}};
}

std::byte* Buffer::release() noexcept {
  data_.get_deleter().stop_counting();
  return data_.release();
}

void CountedFree::stop_counting() const noexcept {
  if (budget) budget->give(bytes);
}

void CountedFree::operator()(std::byte* data) const noexcept {
  Buffer::release_aligned(data);
  stop_counting();
}

void Buffer::release_aligned(std::byte* data) noexcept { ::operator delete(data, kAlignment); }

}  // namespace slipway
