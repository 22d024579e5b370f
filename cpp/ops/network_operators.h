// Which nodes a network may have, by operator, attributes and constants; for the pass that groups them and for
// read_network().
#pragma once

#include "ops/op.h"

namespace slipway {

/// True where a program, or a kernel of CUDA, may have this operator. Shapes and attributes are not looked at.
[[nodiscard]] bool network_has(const Node& node, bool is_for_cuda);

/// True of a reduction of [N, C, H, W] whose axes, an attribute or the constant `given`, are the last two.
[[nodiscard]] bool reduces_planes(const Node& node, const Tensor* given);

/// True of a convolution that sums each channel alone, with these weights.
[[nodiscard]] bool is_depthwise(const Node& node, const Shape& weights);

}  // namespace slipway
