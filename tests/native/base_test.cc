// base/: text that is safe to print, sizes that do not overflow, and memory. Its threads are in thread_pool_test.cc.
#include <cstdint>
#include <limits>
#include <vector>

#include "base/cpu.h"
#include "base/error.h"
#include "base/tensor.h"
#include "check.h"

namespace slipway {
namespace {

TEST(Error, text_that_may_hold_anything_is_safe_to_print) {
  EXPECT_EQ(quote("conv1"), "\"conv1\"");
  EXPECT_EQ(quote(std::string_view("a\0b\n\x1b", 5)), "\"a\\x00b\\x0a\\x1b\"");
  EXPECT_EQ(quote("\xff\xc3"), "\"\\xff\\xc3\"");
  EXPECT_EQ(quote("größe"), "\"größe\"");
  EXPECT_LE(quote(std::string(1000, 'x'), 80).size(), 90u);
}

TEST(Error, numbers_are_written_as_printf_writes_them) {
  EXPECT_EQ(concat(0.5, ' ', -1e-7, ' ', 1e6, ' ', 1234567.0, ' ', std::numeric_limits<double>::infinity()),
            "0.5 -1e-07 1e+06 1.23457e+06 inf");
}

TEST(Error, a_stage_adds_its_place_and_keeps_the_code) {
  const Error error = Error(Code::kFault, "index is 7").at("Gather \"g\"");
  EXPECT_EQ(error.message(), "Gather \"g\": index is 7");
  EXPECT_TRUE(error.code() == Code::kFault);
}

TEST(Shape, sizes_that_overflow_are_refused) {
  const int64_t large = int64_t{1} << 32;
  EXPECT_EQ(Shape({2, 3, 4}).checked_bytes(4), 96);
  EXPECT_THROW(Shape({large, large}).checked_bytes(1), Error);
  EXPECT_THROW(Shape({std::numeric_limits<int64_t>::max()}).checked_bytes(2), Error);
  EXPECT_THROW(Shape({-1}).checked_bytes(1), Error);
  EXPECT_THROW(Shape({large, 0, large}).checked_bytes(1), Error);  // its strides would not fit either
  EXPECT_EQ(Shape({large, 0}).checked_bytes(8), 0);
  EXPECT_THROW(Shape(std::vector<int64_t>(kMaxRank + 1, 1)), Error);
}

TEST(Tensor, memory_is_aligned_and_never_null) {
  Tensor empty(DType::kFloat32, {0, 4});
  EXPECT_TRUE(empty.view().data != nullptr);
  EXPECT_EQ(empty.bytes(), 0);
  Tensor tensor(DType::kInt64, {3});
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.view().data) % 64, 0u);
  EXPECT_EQ(tensor.bytes(), 24);
}

TEST(Cpu, the_scalar_column_always_runs) {
  EXPECT_TRUE(can_run(Isa::kScalar));
  EXPECT_TRUE(can_run(choose_isa()));
}

}  // namespace
}  // namespace slipway
