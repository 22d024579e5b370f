#include "parse/wire.h"

#include "base/error.h"

namespace slipway {

static_assert(std::endian::native == std::endian::little, "the wire format is read by memcpy");

void Field::require(WireType expected) const {
  if (type != expected) {
    fail(Code::kModel, "field ", number, " has wire type ", static_cast<int>(type), ", expected ",
         static_cast<int>(expected));
  }
}

void require_whole(Bytes packed, std::size_t size) {
  if (packed.size() % size != 0) {
    fail(Code::kModel, "a packed field has ", packed.size(), " bytes, expected a multiple of ", size);
  }
}

Bytes WireReader::take(uint64_t count) {
  if (count > rest_.size()) {
    fail(Code::kModel, "a length of ", count, " bytes is stated where ", rest_.size(), " are left");
  }
  const Bytes taken = rest_.first(static_cast<std::size_t>(count));
  rest_ = rest_.subspan(static_cast<std::size_t>(count));
  return taken;
}

// Of more than one byte, or of none.
uint64_t WireReader::long_varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (rest_.empty()) fail(Code::kModel, "the file ends inside a number");
    const auto byte = static_cast<uint64_t>(rest_.front());
    rest_ = rest_.subspan(1);
    if (shift == 63 && byte > 1) break;
    value |= (byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  fail(Code::kModel, "a number is longer than 64 bits");
}

bool WireReader::next(Field& field) {
  if (rest_.empty()) return false;
  const uint64_t tag = varint();
  if (tag < 8 || tag > UINT32_MAX) fail(Code::kModel, "field tag ", tag, " is not valid");
  field.number = static_cast<uint32_t>(tag >> 3);
  field.type = static_cast<WireType>(tag & 7);
  field.bytes = {};
  field.bits = 0;
  switch (field.type) {
    case WireType::kVarint:
      field.bits = varint();
      return true;
    case WireType::kFixed64:
      std::memcpy(&field.bits, take(8).data(), 8);
      return true;
    case WireType::kFixed32:
      std::memcpy(&field.bits, take(4).data(), 4);
      return true;
    case WireType::kBytes:
      field.bytes = take(varint());
      return true;
  }
  fail(Code::kModel, "field ", field.number, " has wire type ", tag & 7, ", expected 0, 1, 2 or 5");
}

}  // namespace slipway
