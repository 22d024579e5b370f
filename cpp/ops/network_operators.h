// Which nodes a network may have, by operator, attributes and constants; for the pass that groups them and for
// read_network().
#pragma once

#include <functional>
#include <vector>

#include "ops/op.h"

namespace slipway {

/// Elements of a sample of one value: places in a block fit 32 bits, and a block of samples some memory.
inline constexpr int64_t kMostNetworkElements = int64_t{1} << 21;
/// Of a vector, whatever the instruction set: what a network is must not depend on it.
inline constexpr int64_t kMostNetworkLanes = 16;
/// Of a convolution: each may be an operation.
inline constexpr int64_t kMostNetworkGroups = 1024;

/// Inputs of a node, and outputs: what a DenseNet of 264 layers concatenates.
inline constexpr std::size_t kMostNetworkArguments = 80;

/// True where a program, or a kernel of CUDA, may have this operator. Shapes and attributes are not looked at.
[[nodiscard]] bool network_has(const Node& node, bool is_for_cuda);

/// True of a reduction of a value of that rank whose axes, an attribute or the constant `given`, are all but the first
/// two.
[[nodiscard]] bool reduces_planes(const Node& node, const Tensor* given, int rank);

/// [2, C]: the factors of a BatchNormalization's channels, then what is added; empty where its statistics are no
/// constants of float32, or one that follows from them is not finite.
[[nodiscard]] std::vector<float> channel_factors(const Node& node,
                                                 const std::function<const Tensor*(ValueId)>& constant);

/// True of a convolution that sums each channel alone, with these weights.
[[nodiscard]] bool is_depthwise(const Node& node, const Shape& weights);

/// True of one of groups of several channels that make as many, where groups fill vectors, or several groups one.
[[nodiscard]] bool is_grouped(const Node& node, const Shape& weights);

}  // namespace slipway
