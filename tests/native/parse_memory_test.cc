// What the reader takes of memory, counted: never more than the bytes at hand justify.
#include "base/error.h"
#include "check.h"
#include "counted_memory.h"
#include "onnx_writer.h"

namespace slipway {
namespace {

using namespace check;

// Most bytes held at once while reading, beyond those held before.
int64_t peak_of(const std::string& bytes) {
  const int64_t before = counted::now;
  counted::peak = before;
  try {
    (void)parse_text(bytes);
  } catch (const Error&) {
  }
  EXPECT_EQ(counted::now.load(), before) << "everything is given back";
  return counted::peak - before;
}

Model empty() {
  Model model;
  model.inputs = {value("x", {"N"})};
  model.outputs = {value("x", {"N"})};
  return model;
}

std::string repeated(const Message& one, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += one.bytes;
  return out;
}

constexpr int64_t kFixed = 64 * 1024;

TEST(ParseMemory, of_tensors_is_what_they_hold) {
  Model model = empty();
  model.initializers = {tensor("w", 1, {1 << 20}, std::string(4 << 20, '\0'))};
  const std::string raw = model.bytes();
  EXPECT_LE(peak_of(raw), static_cast<int64_t>(raw.size()) + kFixed);

  // The worst that a file can ask for: an int64 of one byte, which becomes eight.
  model.initializers = {Message().number(1, 1 << 20).number(2, 7).text(8, "w").text(7, std::string(1 << 20, '\1'))};
  const std::string packed = model.bytes();
  EXPECT_LE(peak_of(packed), 8 * static_cast<int64_t>(packed.size()) + kFixed);
}

TEST(ParseMemory, a_stated_size_alone_takes_none) {
  Model model = empty();
  model.initializers = {tensor("w", 1, {1 << 28}, "1234")};
  EXPECT_LE(peak_of(model.bytes()), kFixed);
  model.initializers = {Message().number(1, 1 << 28).number(2, 7).text(8, "w").number(7, 1)};
  EXPECT_LE(peak_of(model.bytes()), kFixed);
  EXPECT_LE(peak_of(Message().tag(7, 2).varint(uint64_t{1} << 40).bytes), kFixed);
}

// The graph's own structures are larger than the few bytes that ask for them; their number has a limit.
TEST(ParseMemory, of_many_tiny_things_is_bounded_by_their_number) {
  constexpr int64_t kCount = 20'000;
  const Message tiny = Message().text(4, "A").text(2, "");
  Model nodes = empty();
  nodes.graph_extra.bytes = repeated(Message().message(1, tiny), kCount);
  EXPECT_LE(peak_of(nodes.bytes()), 1024 * kCount);

  Model values = empty();
  Message reader = tiny;
  for (int64_t i = 0; i < kCount; ++i) reader.text(1, std::to_string(i));
  values.nodes = {reader};
  EXPECT_LE(peak_of(values.bytes()), 512 * kCount);

  Model attributes = empty();
  Message many = node("A", {"x"}, {"y"});
  for (int64_t i = 0; i < kCount; ++i) many.message(5, attribute(std::to_string(i), int64_t{1}));
  attributes.nodes = {many};
  EXPECT_LE(peak_of(attributes.bytes()), 16 * static_cast<int64_t>(attributes.bytes().size()) + kFixed);

  Model strings = empty();
  Message list = Message().text(1, "s").number(20, 8);
  list.bytes += repeated(Message().text(9, ""), kCount);
  strings.nodes = {node("A", {"x"}, {"y"}, {list})};
  EXPECT_LE(peak_of(strings.bytes()), 17 * static_cast<int64_t>(strings.bytes().size()) + kFixed);

  Model infos = empty();
  infos.graph_extra.bytes = repeated(Message().message(13, Message()), kCount);
  EXPECT_LE(peak_of(infos.bytes()), kFixed);
}

}  // namespace
}  // namespace slipway
