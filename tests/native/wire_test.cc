// The wire reader: every malformed byte sequence is an Error, nothing is read past the end.
#include "parse/wire.h"

#include <limits>

#include "base/error.h"
#include "check.h"
#include "onnx_writer.h"

namespace slipway {
namespace {

using check::Message;

Bytes as_bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

// Fields until the end; throws what the reader throws.
int count_fields(const std::string& bytes) {
  WireReader reader(as_bytes(bytes));
  Field field;
  int count = 0;
  while (reader.next(field)) ++count;
  return count;
}

TEST(Wire, reads_every_wire_type) {
  const std::string bytes = Message().number(1, -1).real(2, 1.5F).text(3, "abc").tag(4, 1).bytes + std::string(8, '\1');
  WireReader reader(as_bytes(bytes));
  Field field;
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(field.integer(), -1);
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(field.real(), 1.5F);
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(field.text(), "abc");
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(field.number, 4U);
  EXPECT_EQ(field.bits, 0x0101010101010101U);
  EXPECT_FALSE(reader.next(field));
}

TEST(Wire, reads_the_largest_numbers) {
  for (const int64_t value : {int64_t{0}, int64_t{127}, int64_t{128}, std::numeric_limits<int64_t>::max(),
                              std::numeric_limits<int64_t>::min()}) {
    const std::string bytes = Message().number(536870911, value).bytes;
    WireReader reader(as_bytes(bytes));
    Field field;
    ASSERT_TRUE(reader.next(field));
    EXPECT_EQ(field.number, 536870911U);
    EXPECT_EQ(field.integer(), value);
  }
}

// Field 1 with a varint of `count` bytes 0xFF and a last one.
std::string long_varint(std::size_t count, char last) {
  std::string bytes(count + 2, '\xFF');
  bytes.front() = '\x08';
  bytes.back() = last;
  return bytes;
}

TEST(Wire, refuses_a_number_above_64_bits) {
  EXPECT_EQ(count_fields(long_varint(9, '\1')), 1);
  EXPECT_THROW(count_fields(long_varint(9, '\2')), Error);
  EXPECT_THROW(count_fields(long_varint(10, '\1')), Error);
}

TEST(Wire, refuses_lengths_beyond_the_bytes_at_hand) {
  EXPECT_THROW(count_fields(Message().tag(1, 2).varint(5).bytes + "abcd"), Error);
  EXPECT_THROW(count_fields(Message().tag(1, 2).varint(UINT64_MAX).bytes), Error);
  EXPECT_THROW(count_fields(Message().tag(1, 2).varint(uint64_t{1} << 63).bytes), Error);
  EXPECT_THROW(count_fields(Message().tag(1, 5).bytes + "abc"), Error);
  EXPECT_THROW(count_fields(Message().tag(1, 1).bytes + "abcdefg"), Error);
}

TEST(Wire, refuses_every_truncation_inside_a_field) {
  const std::string whole = Message().number(1, 300).text(2, "abc").real(3, 1.0F).bytes;
  int complete = 0;
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    try {
      (void)count_fields(whole.substr(0, size));
      ++complete;
    } catch (const Error&) {
    }
  }
  EXPECT_EQ(complete, 4);  // after none, one, two and three fields
}

TEST(Wire, refuses_groups_field_zero_and_tags_above_32_bits) {
  for (const int type : {3, 4, 6, 7}) EXPECT_THROW(count_fields(Message().tag(1, type).bytes), Error) << type;
  EXPECT_THROW(count_fields(Message().tag(0, 0).bytes + "\1"), Error);
  EXPECT_THROW(count_fields(Message().varint(uint64_t{1} << 32).bytes + "\1"), Error);
}

TEST(Wire, refuses_the_wrong_wire_type) {
  const std::string bytes = Message().number(1, 3).bytes;
  WireReader reader(as_bytes(bytes));
  Field field;
  ASSERT_TRUE(reader.next(field));
  EXPECT_THROW(field.text(), Error);
  EXPECT_THROW(field.real(), Error);
  EXPECT_THROW(field.message(), Error);
}

TEST(Wire, reads_repeated_numbers_packed_or_not) {
  Message packed;
  packed.varint(1).varint(300);
  const std::string bytes = Message().number(7, 5).message(7, packed).bytes;
  std::vector<int64_t> got;
  WireReader reader(as_bytes(bytes));
  Field field;
  while (reader.next(field)) visit_varints(field, [&](int64_t value) { got.push_back(value); });
  EXPECT_TRUE((got == std::vector<int64_t>{5, 1, 300}));
}

TEST(Wire, refuses_packed_floats_of_odd_length) {
  const std::string bytes = Message().text(4, "1234567").bytes;
  WireReader reader(as_bytes(bytes));
  Field field;
  ASSERT_TRUE(reader.next(field));
  EXPECT_THROW(visit_reals<float>(field, [](float) {}), Error);
  EXPECT_THROW(visit_reals<double>(field, [](double) {}), Error);
}

}  // namespace
}  // namespace slipway
