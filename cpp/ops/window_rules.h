// What convolution and pooling allow as windows: attributes to a checked Window.
//
// kernel_shape, strides, dilations, pads and auto_pad as in ONNX Conv 11, MaxPool 12 and AveragePool 11, with one to
// three spatial axes. ceil_mode rounds the count of windows up, but none may begin behind the input and the padding
// before it (as torch, and ONNX from MaxPool 22 on); it has no meaning beside auto_pad, whose sizes are ONNX's.
#pragma once

#include <string>
#include <vector>

#include "ops/op.h"
#include "ops/window.h"

namespace slipway {

/// Spatial sizes, strides and pads above this are refused, so that products of two of them fit 64 bits.
inline constexpr int64_t kMaxWindowSize = (int64_t{1} << 31) - 1;

enum class AutoPad { kNotSet, kSameUpper, kSameLower, kValid };

/// The attributes of one node, one entry per spatial axis.
struct WindowRules {
  std::vector<Dim> kernel;  ///< unknown where neither attribute nor weights tell it yet
  std::vector<int64_t> strides;
  std::vector<int64_t> dilations;
  std::vector<int64_t> begins;
  std::vector<int64_t> ends;
  AutoPad auto_pad = AutoPad::kNotSet;
  bool rounds_up = false;  ///< ceil_mode
};

/// Reads the attributes for `rank` spatial axes. `weights` are the kernel's sizes by the weights' shape, null for
/// pooling. Throws Error(kModel) or Error(kLimit).
[[nodiscard]] WindowRules read_window(const NodeReader& node, int rank, const std::vector<Dim>* weights);

/// A list attribute of `count` entries in [low, kMaxWindowSize], or `otherwise` repeated where it is absent.
[[nodiscard]] std::vector<int64_t> read_sizes(const NodeReader& node, std::string_view name, std::size_t count,
                                              int64_t low, int64_t otherwise);

/// How many windows fit along an axis; keeps a symbol where the size does not change, unknown where it cannot tell.
[[nodiscard]] Dim window_count(const WindowRules& rules, std::size_t axis, const Dim& input);

/// The spatial output sizes for an input [N, C, spatial...].
[[nodiscard]] Dims window_counts(const WindowRules& rules, const Dims& input);

/// Everything concrete, auto_pad resolved. `input` and `output` are whole shapes [N, C, spatial...].
[[nodiscard]] Window window_of(const WindowRules& rules, const Shape& input, const Shape& output);

/// a * b * c for counting work: the largest number where the product does not fit. None is negative.
[[nodiscard]] int64_t saturating_product(int64_t a, int64_t b, int64_t c = 1) noexcept;

/// Refuses a spatial size above kMaxWindowSize.
void check_spatial(const Dim& size);

}  // namespace slipway
