// Fields, varints and lengths of the wire format. Whatever the bytes, the reader ends, and its fields lie inside them.
#include "parse/wire.h"

#include "fuzz.h"
#include "onnx_writer.h"

namespace slipway::fuzz {
namespace {

std::vector<std::string> seeds() {
  using check::Message;
  const std::string fixed = Message().tag(6, 1).bytes + std::string(8, '\1');
  const Message packed = Message().varint(1).varint(300).varint(UINT64_MAX);
  return {Message().number(1, -1).real(2, 1.5F).text(3, "abc").bytes + fixed,
          Message().message(4, Message().message(5, packed)).bytes,
          Message().text(536870911, std::string(300, 'x')).message(7, packed).bytes};
}

bool is_inside(Bytes part, Bytes whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

// Reads a field as what its number chooses, right or wrong.
void read_field(const Field& field) {
  int64_t sum = 0;
  const auto add = [&](auto value) { sum += value > 0 ? 1 : 0; };
  (void)succeeds([&] {
    switch (field.number % 6) {
      case 0:
        return visit_varints(field, add);
      case 1:
        return visit_reals<float>(field, add);
      case 2:
        return visit_reals<double>(field, add);
      case 3:
        return add(field.integer());
      case 4:
        return add(field.real());
      default:
        return add(field.text().size());
    }
  });
}

// `depth` messages inside each other are followed.
void read_message(Bytes bytes, Bytes whole, int depth) {
  WireReader reader(bytes);
  Field field;
  std::size_t count = 0;
  while (reader.next(field)) {
    if (++count > bytes.size()) report("more fields than bytes");
    if (field.number == 0) report("a field has number 0");
    if (field.type == WireType::kBytes && !is_inside(field.bytes, whole)) report("a field lies outside its message");
    read_field(field);
    if (field.type == WireType::kBytes && depth > 0) {
      (void)succeeds([&] { read_message(field.bytes, whole, depth - 1); });
    }
  }
  if (!reader.is_at_end()) report("the reader ended before the message");
}

}  // namespace

const Target kTarget{"wire", Form::kMessage, 4096, &seeds};

}  // namespace slipway::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const bool is_read = slipway::fuzz::reads([&] { slipway::fuzz::read_message(bytes, bytes, 1); });
  if (is_read) ++slipway::fuzz::tally.ran;
  return 0;
}
