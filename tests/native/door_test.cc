// What Session refuses of its caller's views before anything reads them; tests/consumer asks the same of C.
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "check.h"
#include "slipway/slipway.h"
#include "small_models.h"

namespace slipway {
namespace {

using namespace check;

Session opened() {
  const std::string bytes = perceptron().bytes();
  return Session::read(std::as_bytes(std::span(bytes)));
}

/// "" where `run` throws that code and sentence, else what happened instead.
std::string refused(Code code, const std::string& sentence, const std::function<void()>& run) {
  return thrown<Error>(run, [&](const Error& error) { return error.code() == code && error.message() == sentence; });
}

constexpr int64_t kMuch = int64_t{1} << 62;

TEST(Door, sizes_that_no_memory_has_overflow_nothing) {
  const Session session = opened();
  std::vector<float> memory(64 + 80);
  float* behind = memory.data() + 64;
  const TensorView input{memory.data(), DType::kFloat32, {1, 64}};
  const TensorView much{memory.data(), DType::kFloat32, {kMuch, 64}};
  const MutableView into{behind, DType::kFloat32, {1, 80}};
  const MutableView into_much{behind, DType::kFloat32, {kMuch, kMuch, 80}};
  const std::string sentence = "input \"x\": shape [4611686018427387904, 64] is too large to be held in memory";
  EXPECT_EQ(refused(Code::kLimit, sentence, [&] { (void)session.run(std::span(&much, 1)); }), "");
  EXPECT_EQ(refused(Code::kLimit, sentence, [&] { (void)session.bind(std::span(&much, 1), std::span(&into, 1)); }), "");
  EXPECT_EQ(refused(Code::kInput,
                    "the memory given for output \"y\" is float32 [4611686018427387904, 4611686018427387904, 80], "
                    "expected float32 [1, 80]",
                    [&] { (void)session.run(std::span(&input, 1), std::span(&into_much, 1)); }),
            "");
}

TEST(Door, memory_that_is_not_aligned_is_refused) {
  const Session session = opened();
  std::vector<float> memory(64 + 1);
  std::vector<float> into(80 + 1);
  const void* odd = reinterpret_cast<const char*>(memory.data()) + 1;
  const TensorView good{memory.data(), DType::kFloat32, {1, 64}};
  const TensorView wrong{odd, DType::kFloat32, {1, 64}};
  const TensorView nothing{odd, DType::kFloat32, {0, 64}};
  const MutableView place{into.data(), DType::kFloat32, {1, 80}};
  const MutableView wrong_place{reinterpret_cast<char*>(into.data()) + 2, DType::kFloat32, {1, 80}};
  const std::string sentence = "the memory of input \"x\" is not aligned to its elements of 4 bytes";
  const std::string of_output = "the memory of output \"y\" is not aligned to its elements of 4 bytes";
  EXPECT_EQ(refused(Code::kInput, sentence, [&] { (void)session.run(std::span(&wrong, 1)); }), "");
  EXPECT_EQ(refused(Code::kInput, sentence, [&] { (void)session.bind({&wrong, 1}, {&place, 1}); }), "");
  EXPECT_EQ(refused(Code::kInput, of_output, [&] { (void)session.run({&good, 1}, {&wrong_place, 1}); }), "");
  EXPECT_EQ(refused(Code::kInput, of_output, [&] { (void)session.bind({&good, 1}, {&wrong_place, 1}); }), "");
  EXPECT_EQ(session.run(std::span(&nothing, 1)).size(), 1U);
}

TEST(Door, a_plan_is_told_for_shapes_that_a_run_takes) {
  const Session session = opened();
  const auto told = [&](const Shape& shape) { return [&session, shape] { (void)session.text("plan", {shape}); }; };
  told({3, 64})();
  told({0, 64})();
  EXPECT_EQ(refused(Code::kInput, "input \"x\" is float32 [3, 65], expected float32 [N, 64]", told({3, 65})), "");
  EXPECT_EQ(refused(Code::kInput, "input \"x\" is float32 [64], expected float32 [N, 64]", told({64})), "");
  EXPECT_EQ(refused(Code::kInput, "input \"x\" is float32 [-1, 64], expected float32 [N, 64]", told({-1, 64})), "");
  EXPECT_EQ(refused(Code::kLimit, "input \"x\": shape [4611686018427387904, 64] is too large to be held in memory",
                    told({kMuch, 64})),
            "");
}

TEST(Door, a_plan_is_told_for_one_size_of_a_symbol) {
  Model sum;
  sum.inputs = {value("x", {"N"}), value("y", {"N"})};
  sum.nodes = {node("Add", {"x", "y"}, {"z"})};
  sum.outputs = {value("z", {"N"})};
  const std::string bytes = sum.bytes();
  const Session session = Session::read(std::as_bytes(std::span(bytes)));
  EXPECT_EQ(refused(Code::kInput, "dimension \"N\" is 3 in input \"x\" but 1 in input \"y\"",
                    [&] { (void)session.text("plan", {{3}, {1}}); }),
            "");
}

}  // namespace
}  // namespace slipway
