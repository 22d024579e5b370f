// The functions of slipway/c.h under the sanitizers; tests/consumer has every answer, right and wrong.
#include <string>
#include <vector>

#include "check.h"
#include "onnx_writer.h"
#include "slipway/c.h"

namespace slipway {
namespace {

using namespace check;

std::string two_outputs() {
  Model model;
  model.inputs = {value("x", {"N", "2"})};
  model.nodes = {node("Relu", {"x"}, {"y"}), node("Neg", {"x"}, {"z"})};
  model.outputs = {value("y", {"N", "2"}), value("z", {"N", "2"})};
  return model.bytes();
}

struct Closed {
  slipway_session* session = nullptr;
  Closed() = default;
  Closed(const Closed&) = delete;
  Closed& operator=(const Closed&) = delete;
  ~Closed() { slipway_close(session); }
};

TEST(CAbi, what_fits_is_written_and_what_does_not_is_told) {
  const std::string bytes = two_outputs();
  Closed opened;
  ASSERT_EQ(slipway_read(bytes.data(), bytes.size(), nullptr, &opened.session, nullptr, 0), SLIPWAY_OK);
  const std::vector<float> x = {1, -2, 3, -4};
  const slipway_view input = {x.data(), SLIPWAY_FLOAT32, 2, {2, 2}};
  std::vector<float> y(3);
  std::vector<float> z(4);
  slipway_mutable_view outputs[2] = {{y.data(), 12, 0, 0, {}}, {z.data(), 16, 0, 0, {}}};
  std::string message(300, '?');
  EXPECT_EQ(slipway_run(opened.session, &input, 1, outputs, 2, message.data(), message.size()), SLIPWAY_INPUT);
  EXPECT_EQ(std::string(message.c_str()), "output \"y\" is float32 [2, 2] and needs 16 bytes, its memory has 12");
  EXPECT_EQ(outputs[0].sizes[0], 2);
  EXPECT_EQ(y, std::vector<float>(3));
  y.resize(4);
  outputs[0] = {y.data(), 16, 0, 0, {}};
  EXPECT_EQ(slipway_run(opened.session, &input, 1, outputs, 2, message.data(), message.size()), SLIPWAY_OK);
  EXPECT_EQ(y, (std::vector<float>{1, 0, 3, 0}));
  EXPECT_EQ(z, (std::vector<float>{-1, 2, -3, 4}));
}

TEST(CAbi, sizes_that_no_memory_has_are_refused) {
  Model model;
  model.inputs = {value("x", {"N", "M"})};
  model.nodes = {node("ReduceMax", {"x"}, {"y"}, {attribute("keepdims", int64_t{0})})};
  model.outputs = {value("y", {})};
  const std::string bytes = model.bytes();
  Closed opened;
  ASSERT_EQ(slipway_read(bytes.data(), bytes.size(), nullptr, &opened.session, nullptr, 0), SLIPWAY_OK);
  constexpr int64_t kMuch = int64_t{1} << 62;
  float x = 0;
  float y = 0;
  std::string message(300, '?');
  const auto run = [&](const slipway_view& input) {
    slipway_mutable_view output = {&y, sizeof y, 0, 0, {}};
    return slipway_run(opened.session, &input, 1, &output, 1, message.data(), message.size());
  };
  EXPECT_EQ(run({&x, SLIPWAY_FLOAT32, 2, {kMuch, 4}}), SLIPWAY_LIMIT);
  EXPECT_EQ(std::string(message.c_str()),
            "input \"x\": shape [4611686018427387904, 4] is too large to be held in memory");
  EXPECT_EQ(run({&x, SLIPWAY_FLOAT32, 2, {0, kMuch}}), SLIPWAY_LIMIT);
  EXPECT_EQ(run({&x, SLIPWAY_FLOAT32, 2, {INT64_MIN, -1}}), SLIPWAY_INPUT);
  EXPECT_EQ(run({&x, SLIPWAY_FLOAT32, 8, {kMuch, kMuch, kMuch, kMuch, kMuch, kMuch, kMuch, kMuch}}), SLIPWAY_INPUT);
}

TEST(CAbi, a_failure_keeps_nothing) {
  const std::string bytes = two_outputs();
  slipway_session* session = nullptr;
  char message[8];
  EXPECT_EQ(slipway_read(bytes.data(), bytes.size() - 3, nullptr, &session, message, sizeof message), SLIPWAY_MODEL);
  EXPECT_EQ(session, nullptr);
  EXPECT_EQ(std::string(message).size(), 7U);
  EXPECT_EQ(slipway_open(nullptr, nullptr, nullptr, nullptr, 0), SLIPWAY_USAGE);
  EXPECT_EQ(slipway_run(nullptr, nullptr, 0, nullptr, 0, message, 1), SLIPWAY_USAGE);
  EXPECT_EQ(std::string(message), "");
}

}  // namespace
}  // namespace slipway
