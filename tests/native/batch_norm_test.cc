// Batch normalisation: which layer before it takes it in, and where it stays.
#include "check.h"
#include "pass_models.h"

namespace slipway {
namespace {

using namespace check;

TEST(BatchNorm, goes_into_conv_with_groups_and_without_bias) {
  EXPECT_EQ(optimised(with_statistics({node("Conv", {"x", "w", "b"}, {"c"}), norm("c", "y")},
                                      {random_tensor("w", {4, 3, 2, 2}, 1), random_tensor("b", {4}, 2)},
                                      {"N", "3", "5", "5"}),
                      {2, 3, 5, 5}, kRounding),
            "Conv");
  EXPECT_EQ(
      optimised(with_statistics({node("Conv", {"x", "w"}, {"c"}, {attribute("group", int64_t{2})}), norm("c", "y")},
                                {random_tensor("w", {4, 2, 3}, 1)}, {"N", "4", "T"}),
                {2, 4, 6}, kRounding),
      "Conv");
}

TEST(BatchNorm, goes_into_transposed_conv_with_groups) {
  EXPECT_EQ(optimised(with_statistics(
                          {node("ConvTranspose", {"x", "w"}, {"c"}, {attribute("group", int64_t{2})}), norm("c", "y")},
                          {random_tensor("w", {6, 2, 2, 2}, 1)}, {"N", "6", "3", "3"}),
                      {1, 6, 3, 3}, kRounding),
            "ConvTranspose");
}

TEST(BatchNorm, goes_into_gemm_with_beta_and_either_layout) {
  EXPECT_EQ(optimised(with_statistics({node("Gemm", {"x", "w", "b"}, {"g"}, {attribute("beta", 0.5F)}), norm("g", "y")},
                                      {random_tensor("w", {3, 4}, 1), random_tensor("b", {1, 4}, 2)}, {"N", "3"}),
                      {5, 3}, kRounding),
            "Gemm");
  EXPECT_EQ(
      optimised(with_statistics({node("Gemm", {"x", "w"}, {"g"}, {attribute("transB", int64_t{1})}), norm("g", "y")},
                                {random_tensor("w", {4, 3}, 1)}, {"N", "3"}),
                {5, 3}, kRounding),
      "Gemm");
}

// A Slice of one axis up to the height of x, which the graph does not know.
Message cut(const std::string& from, const std::string& to, const std::string& axis, const std::string& step = "one") {
  return node("Slice", {from, "start", "end", axis, step}, {to});
}

Model with_cuts(std::vector<Message> nodes, const std::vector<std::string>& outputs = {"y"}) {
  nodes.insert(nodes.begin(), {node("Shape", {"x"}, {"sizes"}), node("Gather", {"sizes", "which"}, {"end"})});
  return with_statistics(
      std::move(nodes),
      {random_tensor("w", {3, 4, 2, 2}, 1), ints("which", {1}, {2}), ints("start", {1}, {0}), ints("last", {1}, {-1}),
       ints("before", {1}, {-9}), ints("one", {1}, {1}), ints("two", {1}, {2}), ints("rows", {1}, {2}),
       ints("columns", {1}, {-1}), ints("channels", {1}, {1}), ints("channels_behind", {1}, {-3})},
      {"N", "3", "H", "W"}, outputs);
}

TEST(BatchNorm, goes_into_transposed_conv_through_slices_of_pixels) {
  const Message conv = node("ConvTranspose", {"x", "w"}, {"c"});
  for (const Shape& shape : {Shape{2, 3, 3, 5}, Shape{1, 3, 1, 1}, Shape{0, 3, 2, 2}}) {
    const Model model =
        with_cuts({conv, cut("c", "a", "rows"), cut("a", "b", "columns"), norm("b", "n"), node("Neg", {"n"}, {"y"})});
    EXPECT_EQ(optimised(model, shape, kRounding), "Shape Gather ConvTranspose Slice Slice Neg");
    EXPECT_EQ(optimised(with_cuts({conv, cut("c", "a", "rows", "two"), norm("a", "y")}), shape, kRounding),
              "Shape Gather ConvTranspose Slice");
  }
}

TEST(BatchNorm, stays_behind_slices_of_channels_or_with_other_readers) {
  const Shape shape{2, 3, 3, 5};
  const Message conv = node("ConvTranspose", {"x", "w"}, {"c"});
  const std::string stays = "Shape Gather ConvTranspose Slice BatchNormalization";
  for (const std::string axis : {"channels", "channels_behind"}) {
    const Message reversed = node("Slice", {"c", "last", "before", axis, "last"}, {"a"});
    EXPECT_EQ(optimised(with_cuts({conv, reversed, norm("a", "y")}), shape, kRounding),
              "ConvTranspose Slice BatchNormalization");
  }
  EXPECT_EQ(optimised(with_cuts({conv, cut("c", "a", "rows"), norm("a", "y"), node("Neg", {"a"}, {"z"})}, {"y", "z"}),
                      shape, kRounding),
            stays + " Neg");
  EXPECT_EQ(optimised(with_cuts({conv, cut("c", "a", "rows"), norm("a", "y")}, {"y", "a"}), shape, kRounding), stays);
  EXPECT_EQ(optimised(with_cuts({conv, cut("c", "a", "rows"), norm("a", "y"), node("Neg", {"c"}, {"z"})}, {"y", "z"}),
                      shape, kRounding),
            stays + " Neg");
}

TEST(BatchNorm, stays_where_the_conv_has_another_reader_or_is_an_output) {
  const Message conv = node("Conv", {"x", "w"}, {"c"});
  const Message weights = random_tensor("w", {4, 3, 1, 1}, 1);
  EXPECT_EQ(optimised(with_statistics({conv, norm("c", "n"), node("Add", {"n", "c"}, {"y"})}, {weights},
                                      {"N", "3", "2", "2"}),
                      {1, 3, 2, 2}),
            "Conv BatchNormalization Add");
  EXPECT_EQ(
      optimised(with_statistics({conv, norm("c", "y")}, {weights}, {"N", "3", "2", "2"}, {"y", "c"}), {1, 3, 2, 2}),
      "Conv BatchNormalization");
}

TEST(BatchNorm, with_a_forbidden_variance_stays) {
  Model model = with_statistics({node("Conv", {"x", "w"}, {"c"}), norm("c", "y")}, {random_tensor("w", {4, 3, 1}, 1)},
                                {"N", "3", "T"});
  model.initializers.back() = floats("var", {4}, {1.0F, -1.0F, 1.0F, 1.0F});
  EXPECT_EQ(operators_of(run_pipeline(read(model))), "Conv BatchNormalization");
}

}  // namespace
}  // namespace slipway
