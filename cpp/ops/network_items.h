// A network's graph as a list of items: what its program will do, one after the other, whatever the layout.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "ops/network.h"
#include "ops/op.h"
#include "ops/window.h"

namespace slipway {

/// Thrown where a graph is none that programs have; make_network_program() catches it.
struct NetworkUnfit {};

struct NetworkResize;

inline void require_fit(bool fits) {
  if (!fits) throw NetworkUnfit{};
}

/// A value of the graph; views share the one of what they view. [N, C] has one pixel.
struct NetworkValue {
  int64_t channels = 0;
  int64_t depth = 1;
  int64_t height = 1;
  int64_t width = 1;
  bool is_slice = false;  ///< some channels of another one

  [[nodiscard]] int64_t pixels() const noexcept { return depth * height * width; }
  [[nodiscard]] int64_t elements() const noexcept { return channels * pixels(); }
  [[nodiscard]] bool has_pixels_of(const NetworkValue& other) const noexcept {
    return depth == other.depth && height == other.height && width == other.width;
  }
};

[[nodiscard]] inline NetworkValue form_of(const Shape& shape) {
  NetworkValue made;
  made.channels = shape[1];
  if (shape.rank() > 2) made.width = shape[shape.rank() - 1];
  if (shape.rank() > 3) made.height = shape[shape.rank() - 2];
  if (shape.rank() > 4) made.depth = shape[2];
  return made;
}

/// True of a convolution, a transposed one, or a dense layer.
[[nodiscard]] constexpr bool sums_windows(NetworkKind kind) noexcept {
  return kind == NetworkKind::kSums || kind == NetworkKind::kDepthwise || kind == NetworkKind::kGrouped ||
         kind == NetworkKind::kSpread;
}

/// One operation to be. Values by index; -1: there is none.
struct NetworkItem {
  NetworkKind kind = NetworkKind::kMap;  ///< kCopy: a value enters; kGather: it leaves
  const Node* node = nullptr;            ///< of sums: whose weights they are
  int in = -1;
  int other = -1;
  int out = -1;  ///< -1, but for kGather: it went into another item
  ActivationCall activation;
  Window window;        ///< of kSpread: of the convolution that it transposes
  int64_t fellows = 1;  ///< of kGrouped: channels of a group
  bool is_mean = false;
  bool counts_padding = false;
  std::shared_ptr<const NetworkResize> resize;  ///< of kBlend, and of a kMap that takes the nearest pixels
  int64_t pool = 1;                             ///< 2: the maximum of 2 x 2 sums
  int port = 0;                                 ///< input or output of the network
};

/// A value that is several others one after the other.
struct NetworkConcat {
  int whole;
  std::vector<int> parts;
};

/// A value that is some channels of another, from `first` on.
struct NetworkSlice {
  int part;
  int whole;
  int64_t first;
};

struct NetworkItems {
  int64_t batch = 0;
  std::vector<NetworkValue> values;
  std::vector<NetworkItem> list;
  std::vector<NetworkConcat> concats;
  std::vector<NetworkSlice> slices;

  /// The concatenation that the value is, or is part of; null where there is none.
  [[nodiscard]] const NetworkConcat* concat_of(int whole) const {
    const auto found = std::find_if(concats.begin(), concats.end(), [&](const auto& c) { return c.whole == whole; });
    return found != concats.end() ? &*found : nullptr;
  }
  [[nodiscard]] const NetworkConcat* concat_with(int part) const {
    const auto found = std::find_if(concats.begin(), concats.end(), [&](const NetworkConcat& concat) {
      return std::find(concat.parts.begin(), concat.parts.end(), part) != concat.parts.end();
    });
    return found != concats.end() ? &*found : nullptr;
  }
};

/// `facts` are those of every value of `body`, concrete. Throws NetworkUnfit.
[[nodiscard]] NetworkItems read_network(const Graph& body, const std::vector<Fact>& facts);

/// The constant weights [M, K] of a kSums, kDepthwise or kGrouped, row by row or, where is_transposed, column by
/// column; bias may be null.
struct NetworkWeights {
  const Tensor* weights;
  const Tensor* bias;
  bool is_transposed;
};
[[nodiscard]] NetworkWeights weights_of(const Node& node, const std::vector<Fact>& facts);

}  // namespace slipway
