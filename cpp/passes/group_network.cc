// Neighbouring nodes that treat every sample alike become one Network node, whose body they are: it runs them block by
// block in cache (ops/network.h).
//
// 1. Its values are float32 [N, C], [N, C, W], [N, C, H, W] or [N, C, D, H, W], N the first dimension of all its
//    inputs; weights are constant.
// 2. It holds a convolution or a dense layer. Dense layers whose weights fill a cache stay alone: the matrix product
//    reads them once for all samples. So does a single convolution whose windows do not overlap, and any on CUDA: its
//    own kernel needs no other order of its input, nor of its output.
// 3. It ends before the first node outside that reads what it makes, so that it can stand where its last node stood.
#include <algorithm>
#include <map>
#include <memory>

#include "ops/conv_transpose_rules.h"
#include "ops/network_operators.h"
#include "ops/window_rules.h"
#include "passes/sweep.h"

namespace slipway {

namespace {

/// Weights of dense layers, in floats, that a network without convolutions may have: a core's cache holds them, or that
/// of a GPU, whose blocks share them out.
constexpr int64_t kMostDenseWeights = int64_t{1} << 16;
constexpr int64_t kMostDenseWeightsOnCuda = int64_t{1} << 20;
constexpr std::size_t kMostArgumentsOnCuda = 16;

class Grouping final {
 public:
  Grouping(const Graph& graph, bool is_for_cuda)
      : sweep_(graph),
        is_for_cuda_(is_for_cuda),
        most_dense_weights_(is_for_cuda ? kMostDenseWeightsOnCuda : kMostDenseWeights),
        most_arguments_(is_for_cuda ? kMostArgumentsOnCuda : kMostNetworkArguments),
        readers_(count_readers(graph)),
        in_group_(graph.values.size(), false),
        is_flat_(graph.values.size(), false),
        has_gaps_(graph.values.size(), false) {}

  Rewrite run() {
    const Graph& graph = sweep_.graph();
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      const Node& node = graph.nodes[i];
      if (fits(node)) {
        add(static_cast<int>(i), node);
      } else if (reads_group(node)) {
        close();
      }
    }
    close();
    return sweep_.finish();
  }

 private:
  [[nodiscard]] const Dims* dims(ValueId id) const {
    const auto& known = sweep_.fact(id).dims;
    return known ? &*known : nullptr;
  }

  /// True for a value that a network can have; `batch` is its first dimension, or not known.
  [[nodiscard]] bool is_activation(ValueId id) const {
    const Fact& fact = sweep_.fact(id);
    const std::size_t rank = fact.dims ? fact.dims->size() : 0;
    const bool has_rank = rank == 4 || rank == 2 || ((rank == 3 || rank == 5) && !is_for_cuda_);
    return fact.dtype == DType::kFloat32 && !fact.constant && has_rank && sample_size(id) < kMostNetworkElements;
  }

  /// The size of a sample, or -1.
  [[nodiscard]] int64_t sample_size(ValueId id) const {
    int64_t size = 1;
    for (std::size_t axis = 1; axis < dims(id)->size(); ++axis) {
      const Dim& dim = (*dims(id))[axis];
      if (!dim.is_known()) return -1;
      size = saturating_product(size, dim.value());
    }
    return size;
  }

  /// True where the first dimension of all that the node reads and makes is that of the group, or of its first input.
  [[nodiscard]] bool fits(const Node& node) const {
    const bool is_ours = node.domain.empty() || node.op == "ConvActivation" || node.op == "GemmActivation";
    if (!is_ours || !network_has(node, is_for_cuda_)) return false;
    if (std::max(node.inputs.size(), node.outputs.size()) > most_arguments_) return false;
    if (node.op == "Split") return splits_channels(node);
    if (node.outputs.size() != 1 || !is_activation(node.outputs[0]) || !is_plain(node)) return false;
    const bool has_weights = is_sum(node);
    if (reads(node, is_flat_) && !node.op.starts_with("Gemm") && node.row->kind != RowKind::kView) return false;
    const bool has_constants = node.op != "Add" && node.op != "Mul" && node.op != "Concat";
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId id = node.inputs[i];
      if (id == kNoValue) continue;
      if (sweep_.constant(id) != nullptr) {
        if (i == 0 || !has_constants) return false;
        continue;
      }
      if (!is_activation(id) || (has_weights && i > 0)) return false;
    }
    if (node.op.starts_with("Reduce")) {
      const bool has_axes = node.inputs.size() > 1;
      const auto rank = static_cast<int>(dims(node.inputs[0])->size());
      return reduces_planes(node, has_axes ? sweep_.constant(node.inputs[1]) : nullptr, rank);
    }
    if (node.op == "Resize") return resizes_pixels(node);
    if (node.op == "Mul") return multiplies_alike(node) && has_like_lanes(node);
    if (node.op == "Add") return adds_alike(node) && has_like_lanes(node);
    if (node.op == "Concat") return joins_channels(node);
    if (node.row->kind != RowKind::kView) return true;
    // A view may not move anything from one sample to another.
    const int64_t before = sample_size(node.inputs[0]);
    return before >= 0 && before == sample_size(node.outputs[0]) && keeps_pixels(node) &&
           (!reads(node, is_flat_) || dims(node.outputs[0])->size() == 2);
  }

  /// True where a value of the group that the node reads is one of these.
  [[nodiscard]] bool reads(const Node& node, const std::vector<bool>& marked) const {
    return std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) {
      return id != kNoValue && in_group_[static_cast<std::size_t>(id)] && marked[static_cast<std::size_t>(id)];
    });
  }

  /// Whether what a member makes is several pixels in one row, and whether its channels may leave lanes empty in
  /// between.
  void mark(const Node& node) {
    if (node.op == "Split") return;
    const auto made = static_cast<std::size_t>(node.outputs[0]);
    const bool is_view = node.row->kind == RowKind::kView;
    const bool becomes_flat = is_view && dims(node.outputs[0])->size() == 2 && !is_pixel(*dims(node.inputs[0]));
    is_flat_[made] = becomes_flat || (is_view && reads(node, is_flat_));
    const auto is_filled = [&](ValueId id) { return fills_vectors(id); };
    const bool has_gaps = node.op == "Concat" && !std::all_of(node.inputs.begin(), node.inputs.end() - 1, is_filled);
    const bool begins_anew = is_sum(node) && int_attribute(node, "group", 1) == 1;
    has_gaps_[made] = has_gaps || (!begins_anew && reads(node, has_gaps_));
  }

  /// True where the lanes of both operands may be the same.
  [[nodiscard]] bool has_like_lanes(const Node& node) const {
    const auto has_gaps = [&](ValueId id) {
      return in_group_[static_cast<std::size_t>(id)] && has_gaps_[static_cast<std::size_t>(id)];
    };
    return has_gaps(node.inputs[0]) == has_gaps(node.inputs[1]);
  }

  /// True of a view of one shape, one that is flat, or one that gives a single pixel more axes or less.
  [[nodiscard]] bool keeps_pixels(const Node& node) const {
    const Dims& from = *dims(node.inputs[0]);
    const Dims& to = *dims(node.outputs[0]);
    const auto is_same = [](const Dim& x, const Dim& y) { return x.surely_equals(y); };
    return to.size() == 2 || std::equal(from.begin(), from.end(), to.begin(), to.end(), is_same) ||
           (is_pixel(from) && is_pixel(to));
  }

  [[nodiscard]] static bool is_pixel(const Dims& dims) {
    return std::all_of(dims.begin() + 2, dims.end(), [](const Dim& dim) { return dim.is_known() && dim.value() == 1; });
  }

  /// True where samples and channels stay what they are.
  [[nodiscard]] bool resizes_pixels(const Node& node) const {
    const Dims& from = *dims(node.inputs[0]);
    const Dims& to = *dims(node.outputs[0]);
    return from.size() > 2 && from.size() < 5 && to[0].surely_equals(from[0]) && to[1].surely_equals(from[1]);
  }

  /// True where a product is of values of one shape, or one has one number for each channel of the other.
  [[nodiscard]] bool multiplies_alike(const Node& node) const {
    const Dims& a = *dims(node.inputs[0]);
    const Dims& b = *dims(node.inputs[1]);
    const auto is_same = [](const Dim& x, const Dim& y) { return x.surely_equals(y); };
    if (a.size() != b.size() || !std::equal(a.begin(), a.begin() + 2, b.begin(), is_same)) return false;
    return std::equal(a.begin() + 2, a.end(), b.begin() + 2, is_same) || is_pixel(a) || is_pixel(b);
  }

  /// True where a value of the group is cut between vectors.
  [[nodiscard]] bool splits_channels(const Node& node) const {
    const auto is_vectors = [&](ValueId id) { return id != kNoValue && is_activation(id) && fills_vectors(id); };
    const ValueId from = node.inputs[0];
    if (!in_group_[static_cast<std::size_t>(from)] || reads(node, is_flat_) || reads(node, has_gaps_)) return false;
    const auto rank = static_cast<int64_t>(dims(from)->size());
    const int64_t axis = int_attribute(node, "axis", 0);
    const bool has_sizes =
        node.inputs.size() < 2 || node.inputs[1] == kNoValue || sweep_.constant(node.inputs[1]) != nullptr;
    return (axis == 1 || axis == 1 - rank) && has_sizes &&
           std::all_of(node.outputs.begin(), node.outputs.end(), is_vectors);
  }

  /// True where the value's channels leave no lane empty.
  [[nodiscard]] bool fills_vectors(ValueId id) const {
    const Dim& channels = (*dims(id))[1];
    return channels.is_known() && channels.value() > 0 && channels.value() % kMostNetworkLanes == 0;
  }

  [[nodiscard]] bool joins_channels(const Node& node) const {
    const auto rank = static_cast<int64_t>(dims(node.outputs[0])->size());
    const int64_t axis = int_attribute(node, "axis", 0);
    return axis == 1 || axis == 1 - rank;
  }

  /// False where a sum is surely not of two values of one shape.
  [[nodiscard]] bool adds_alike(const Node& node) const {
    const Dims& a = *dims(node.inputs[0]);
    const Dims& b = *dims(node.inputs[1]);
    const auto may_be_same = [](const Dim& x, const Dim& y) {
      return !x.is_known() || !y.is_known() || x.value() == y.value();
    };
    return node.inputs[0] != node.inputs[1] && std::equal(a.begin(), a.end(), b.begin(), b.end(), may_be_same);
  }

  /// False for what programs have no place for: some groups of several channels, factors, a transposed first matrix.
  [[nodiscard]] bool is_plain(const Node& node) const {
    if (node.op == "BatchNormalization") {
      return !channel_factors(node, [&](ValueId id) { return sweep_.constant(id); }).empty();
    }
    if (node.op.starts_with("Conv")) {
      const Tensor* weights = sweep_.constant(node.inputs[1]);
      if (node.op == "ConvTranspose") {
        return dims(node.outputs[0])->size() < 5 && weights != nullptr && is_finite(*weights) &&
               int_attribute(node, "group", 1) == 1;
      }
      if (int_attribute(node, "group", 1) == 1) return true;
      if (is_for_cuda_ || weights == nullptr) return false;
      return is_depthwise(node, weights->shape()) || (is_grouped(node, weights->shape()) && !reads(node, has_gaps_));
    }
    return !node.op.starts_with("Gemm") ||
           (int_attribute(node, "transA", 0) == 0 && float_attribute(node, "alpha", 1.0F) == 1.0F &&
            float_attribute(node, "beta", 1.0F) == 1.0F);
  }

  [[nodiscard]] static bool is_sum(const Node& node) {
    return node.op.starts_with("Conv") || node.op.starts_with("Gemm");
  }

  [[nodiscard]] bool reads_group(const Node& node) const { return reads(node, in_group_); }

  void add(int index, const Node& node) {
    for (const ValueId id : node.inputs) {
      if (id == kNoValue || sweep_.constant(id) != nullptr || in_group_[static_cast<std::size_t>(id)]) continue;
      const Dim& first = (*dims(id))[0];
      if (!members_.empty() && !first.surely_equals(batch_)) {
        if (!reads_group(node)) return;
        close();
      }
      if (members_.empty()) batch_ = first;
    }
    members_.push_back(index);
    mark(node);
    for (const ValueId id : node.outputs) in_group_[static_cast<std::size_t>(id)] = true;
  }

  /// True where windows are larger than the way from one to the next.
  [[nodiscard]] static bool overlaps(const Node& node, const Shape& weights) {
    int64_t step = 1;
    for (const int64_t stride : NodeReader(node).get_ints("strides")) step = saturating_product(step, stride);
    return weights.count(2, weights.rank()) > step;
  }

  [[nodiscard]] bool is_worth_it() const {
    bool has_overlap = false;
    int convolutions = 0;
    int dense = 0;
    int pools = 0;
    int64_t weights = 0;
    for (const int index : members_) {
      const Node& node = sweep_.graph().nodes[static_cast<std::size_t>(index)];
      pools += node.op.ends_with("Pool") || node.op.starts_with("Reduce") ? 1 : 0;
      if (!is_sum(node)) continue;
      const Shape& shape = sweep_.constant(node.inputs[1])->shape();
      has_overlap |= !is_for_cuda_ && node.op.starts_with("Conv") && overlaps(node, shape);
      (node.op.starts_with("Conv") ? convolutions : dense) += 1;
      weights += shape.count();
    }
    if (convolutions > 0) return has_overlap || convolutions + dense + pools > 1;
    return dense > 0 && weights <= most_dense_weights_;
  }

  void close() {
    if (!members_.empty() && is_worth_it()) make_network();
    for (const int index : members_) {
      for (const ValueId id : sweep_.graph().nodes[static_cast<std::size_t>(index)].outputs)
        in_group_[static_cast<std::size_t>(id)] = false;
    }
    members_.clear();
  }

  void make_network() {
    const Graph& graph = sweep_.graph();
    auto body = std::make_shared<Graph>();
    std::map<ValueId, ValueId> inner;
    Node network;
    const auto enter = [&](ValueId id) {
      if (id == kNoValue) return kNoValue;
      const auto [found, is_new] = inner.try_emplace(id, static_cast<ValueId>(body->values.size()));
      if (is_new) {
        Value copy = graph.values[static_cast<std::size_t>(id)];
        const bool is_input = !copy.fact.constant && !in_group_[static_cast<std::size_t>(id)];
        if (is_input) {
          body->inputs.push_back(found->second);
          network.inputs.push_back(id);
        }
        body->values.push_back(std::move(copy));
      }
      return found->second;
    };
    for (const int index : members_) {
      Node node = graph.nodes[static_cast<std::size_t>(index)];  // with its cache: it is the same node
      for (ValueId& id : node.inputs) id = enter(id);
      for (ValueId& id : node.outputs) id = enter(id);
      body->nodes.push_back(std::move(node));
    }
    const std::map<ValueId, int> inside = count_readers_inside();
    for (const int index : members_) {
      for (const ValueId id : graph.nodes[static_cast<std::size_t>(index)].outputs) {
        const auto found = inside.find(id);
        if (readers_[static_cast<std::size_t>(id)] == (found != inside.end() ? found->second : 0)) continue;
        body->outputs.push_back(inner.at(id));
        network.outputs.push_back(id);
      }
    }
    if (network.outputs.empty() || network.inputs.empty()) return;
    const Node& last = graph.nodes[static_cast<std::size_t>(members_.back())];
    const std::size_t nodes = body->nodes.size();
    network.op = "Network";
    network.domain = "slipway";
    network.opset = last.opset;
    network.name = body->nodes.front().name;
    network.attributes.emplace("body", std::shared_ptr<const Graph>(std::move(body)));
    if (!sweep_.accepts(network)) return;
    for (const int index : members_) sweep_.remove(index);
    sweep_.insert(members_.back(), std::move(network));
    sweep_.note(nodes, " nodes from ", graph.nodes[static_cast<std::size_t>(members_.front())].title(), " to ",
                last.title(), " became a network");
  }

  /// How often nodes of the group read each value.
  [[nodiscard]] std::map<ValueId, int> count_readers_inside() const {
    std::map<ValueId, int> inside;
    for (const int index : members_) {
      for (const ValueId id : sweep_.graph().nodes[static_cast<std::size_t>(index)].inputs) {
        if (id != kNoValue) ++inside[id];
      }
    }
    return inside;
  }

  Sweep sweep_;
  bool is_for_cuda_;
  int64_t most_dense_weights_;
  std::size_t most_arguments_;
  std::vector<int> members_;
  std::vector<int> readers_;  // by value, a graph output being one
  std::vector<bool> in_group_;
  std::vector<bool> is_flat_;   // of values of the group
  std::vector<bool> has_gaps_;  // the same
  Dim batch_;
};

}  // namespace

Rewrite group_network(const Graph& graph, bool is_for_cuda) { return Grouping(graph, is_for_cuda).run(); }

}  // namespace slipway
