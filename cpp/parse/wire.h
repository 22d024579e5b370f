// The protobuf wire format: a cursor over the fields of one message. Nothing is copied, and every length is checked
// against the bytes at hand before it is used.
//
// https://protobuf.dev/programming-guides/encoding. Groups (wire types 3 and 4) are refused: ONNX has none.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace slipway {

using Bytes = std::span<const std::byte>;

enum class WireType : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

/// One field of a message. Its accessors throw Error(kModel) where the wire type is not the one they need.
struct Field {
  uint32_t number = 0;
  WireType type = WireType::kVarint;
  uint64_t bits = 0;  ///< of a varint or a fixed number
  Bytes bytes;        ///< of a kBytes field

  /// Throws unless the field has the wire type.
  void require(WireType expected) const;

  [[nodiscard]] int64_t integer() const {
    require(WireType::kVarint);
    return static_cast<int64_t>(bits);
  }
  [[nodiscard]] float real() const {
    require(WireType::kFixed32);
    return std::bit_cast<float>(static_cast<uint32_t>(bits));
  }
  [[nodiscard]] Bytes message() const {
    require(WireType::kBytes);
    return bytes;
  }
  [[nodiscard]] std::string_view text() const {
    require(WireType::kBytes);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
};

class WireReader {
 public:
  explicit WireReader(Bytes bytes) noexcept : rest_(bytes) {}

  /// Reads the next field; false at the end of the message. Throws Error(kModel) on malformed bytes.
  [[nodiscard]] bool next(Field& field);
  /// Reads one varint of at most 64 bits.
  [[nodiscard]] uint64_t varint() {
    if (rest_.empty() || static_cast<uint8_t>(rest_.front()) >= 0x80) return long_varint();
    const auto value = static_cast<uint64_t>(rest_.front());
    rest_ = rest_.subspan(1);
    return value;
  }
  [[nodiscard]] bool is_at_end() const noexcept { return rest_.empty(); }

 private:
  [[nodiscard]] uint64_t long_varint();
  [[nodiscard]] Bytes take(uint64_t count);

  Bytes rest_;
};

/// Calls visit(value) for each element of a repeated varint, whether this field holds one or packs many.
template <typename Visit>
void visit_varints(const Field& field, Visit&& visit) {
  if (field.type == WireType::kVarint) return visit(static_cast<int64_t>(field.bits));
  WireReader packed(field.message());
  while (!packed.is_at_end()) visit(static_cast<int64_t>(packed.varint()));
}

/// Throws Error(kModel) unless a packed field holds whole numbers of `size` bytes.
void require_whole(Bytes packed, std::size_t size);

/// The same for float and double.
template <typename T, typename Visit>
void visit_reals(const Field& field, Visit&& visit) {
  using Word = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  constexpr WireType kSingle = sizeof(T) == 4 ? WireType::kFixed32 : WireType::kFixed64;
  if (field.type == kSingle) return visit(std::bit_cast<T>(static_cast<Word>(field.bits)));
  const Bytes packed = field.message();
  require_whole(packed, sizeof(T));
  for (std::size_t i = 0; i < packed.size(); i += sizeof(T)) {
    T value;
    std::memcpy(&value, packed.data() + i, sizeof(T));
    visit(value);
  }
}

}  // namespace slipway
