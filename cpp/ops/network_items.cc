#include "ops/network_items.h"

#include <algorithm>
#include <limits>

#include "ops/activation_rules.h"
#include "ops/conv_transpose_rules.h"
#include "ops/network_operators.h"
#include "ops/network_resize.h"
#include "ops/network_windows.h"
#include "ops/window_rules.h"

namespace slipway {

namespace {

class ItemReader final {
 public:
  ItemReader(const Graph& body, const std::vector<Fact>& facts)
      : body_(body), facts_(facts), value_of_(body.values.size(), -1) {}

  NetworkItems read_all() {
    read_inputs();
    for (const Node& node : body_.nodes) read_node(node);
    read_outputs();
    return std::move(items_);
  }

 private:
  [[nodiscard]] NetworkValue& value(int index) { return items_.values[static_cast<std::size_t>(index)]; }
  [[nodiscard]] Shape shape_of(ValueId id) const { return facts_[static_cast<std::size_t>(id)].shape(); }
  [[nodiscard]] const Tensor* constant(ValueId id) const {
    return id == kNoValue ? nullptr : facts_[static_cast<std::size_t>(id)].constant.get();
  }

  /// A value of the graph's: [N, C], [N, C, W], [N, C, H, W] or [N, C, D, H, W].
  int add_value(ValueId id) {
    const Fact& fact = facts_[static_cast<std::size_t>(id)];
    require_fit(fact.dtype == DType::kFloat32);
    const Shape shape = fact.shape();
    require_fit(shape.rank() >= 2 && shape.rank() <= 5 && shape[0] == items_.batch && shape.count() > 0);
    require_fit(shape.count(1, shape.rank()) < kMostNetworkElements);
    items_.values.push_back(form_of(shape));
    maker_.push_back(-1);
    value_of_[static_cast<std::size_t>(id)] = static_cast<int>(items_.values.size()) - 1;
    return static_cast<int>(items_.values.size()) - 1;
  }

  [[nodiscard]] int read(ValueId id) const {
    const int index = value_of_[static_cast<std::size_t>(id)];
    require_fit(index >= 0);
    return index;
  }

  void read_inputs() {
    require_fit(!body_.inputs.empty());
    items_.batch = shape_of(body_.inputs[0]).rank() > 0 ? shape_of(body_.inputs[0])[0] : 0;
    require_fit(items_.batch > 0);
    for (std::size_t i = 0; i < body_.inputs.size(); ++i) {
      NetworkItem item;
      item.kind = NetworkKind::kCopy;
      item.out = add_value(body_.inputs[i]);
      item.port = static_cast<int>(i);
      add_item(item);
    }
    count_readers();
  }

  /// Nodes and outputs that read a value, or a view of it.
  void count_readers() {
    node_readers_.assign(body_.values.size(), 0);
    std::vector<ValueId> viewed(body_.values.size());
    for (std::size_t i = 0; i < viewed.size(); ++i) viewed[i] = static_cast<ValueId>(i);
    for (const Node& node : body_.nodes) {
      if (node.row->kind == RowKind::kView) {
        viewed[static_cast<std::size_t>(node.outputs[0])] = viewed[static_cast<std::size_t>(node.inputs[0])];
        continue;
      }
      for (const ValueId id : node.inputs) {
        if (id != kNoValue) ++node_readers_[static_cast<std::size_t>(viewed[static_cast<std::size_t>(id)])];
      }
    }
    for (const ValueId id : body_.outputs)
      ++node_readers_[static_cast<std::size_t>(viewed[static_cast<std::size_t>(id)])];
  }

  void add_item(const NetworkItem& item) {
    maker_[static_cast<std::size_t>(item.out)] = static_cast<int>(items_.list.size());
    items_.list.push_back(item);
  }

  /// The item that makes the value, where nobody but one node reads it; else null. Ids are of the graph.
  NetworkItem* sole_maker(ValueId id) {
    if (node_readers_[static_cast<std::size_t>(id)] != 1) return nullptr;
    const int index = value_of_[static_cast<std::size_t>(id)];
    if (index < 0 || items_.concat_of(index) != nullptr || value(index).is_slice) return nullptr;
    return &items_.list[static_cast<std::size_t>(maker_[static_cast<std::size_t>(index)])];
  }

  /// `item` makes `id` from now on, in place of what it made.
  void retarget(NetworkItem& item, ValueId id) {
    const auto index = static_cast<int>(&item - items_.list.data());
    item.out = add_value(id);
    maker_[static_cast<std::size_t>(item.out)] = index;
  }

  void read_node(const Node& node) {
    const std::string& op = node.op;
    if (op == "Split") return read_split(node);
    for (std::size_t i = 1; i < node.outputs.size(); ++i) require_fit(node.outputs[i] == kNoValue);
    if (node.row->kind == RowKind::kView) return read_view(node);
    if (op.starts_with("Conv")) return read_convolution(node);
    if (op == "Gemm" || op == "GemmActivation") return read_dense(node);
    if (op == "MaxPool" || op == "AveragePool") return read_pool(node);
    if (op == "GlobalMaxPool" || op == "GlobalAveragePool") return add_global_pool(node, op == "GlobalAveragePool");
    if (op == "ReduceMax" || op == "ReduceMean") return read_reduction(node);
    if (op == "Add") return read_add(node);
    if (op == "Mul") return read_mul(node);
    if (op == "BatchNormalization") return read_normalization(node);
    if (op == "Resize") return read_resize(node);
    if (op == "Concat") return read_concat(node);
    read_activation_node(node);
  }

  void read_view(const Node& node) {
    const int index = value_of_[static_cast<std::size_t>(node.inputs[0])];
    require_fit(index >= 0);
    const Shape shape = shape_of(node.outputs[0]);
    const bool is_same = shape == shape_of(node.inputs[0]);
    const bool is_flat = shape.rank() == 2 && shape[1] == value(index).elements();
    const bool is_pixel = shape.count(2, shape.rank()) == 1 && shape[1] == value(index).channels &&
                          value(index).elements() == value(index).channels;
    require_fit(is_same || (shape[0] == items_.batch && (is_flat || is_pixel)));
    value_of_[static_cast<std::size_t>(node.outputs[0])] = index;
  }

  void require_constants(const Node& node) const {
    for (std::size_t i = 1; i < node.inputs.size(); ++i) {
      require_fit(node.inputs[i] == kNoValue || constant(node.inputs[i]) != nullptr);
    }
  }

  void read_convolution(const Node& node) {
    const NodeReader reader(node);
    require_constants(node);
    const Shape x = shape_of(node.inputs[0]);
    const Shape y = shape_of(node.outputs[0]);
    const Shape w = shape_of(node.inputs[1]);
    const bool is_transposed = node.op == "ConvTranspose";
    require_fit(x.rank() > 2 && (!is_transposed || x.rank() < 5));
    NetworkItem item;
    const bool has_groups = reader.get_int("group", 1) != 1;
    item.kind = is_transposed           ? NetworkKind::kSpread
                : !has_groups           ? NetworkKind::kSums
                : is_depthwise(node, w) ? NetworkKind::kDepthwise
                                        : NetworkKind::kGrouped;
    require_fit(is_transposed ? !has_groups : item.kind != NetworkKind::kGrouped || is_grouped(node, w));
    if (item.kind == NetworkKind::kGrouped) item.fellows = w[1];
    item.node = &node;
    item.in = read(node.inputs[0]);
    require_fit(same_form(node.inputs[0], value(item.in)));
    const std::vector<Dim> kernel(w.sizes().begin() + 2, w.sizes().end());
    const WindowRules rules = read_window(reader, x.rank() - 2, &kernel);
    item.window = is_transposed ? transposed_window(reader, rules, x, y) : window_of(rules, x, y);
    item.activation = read_activation(reader);
    item.out = add_value(node.outputs[0]);
    add_item(item);
  }

  /// A factor and a shift for each channel: one tap.
  void read_normalization(const Node& node) {
    NetworkItem item;
    item.kind = NetworkKind::kDepthwise;
    item.node = &node;
    item.in = read(node.inputs[0]);
    require_fit(same_form(node.inputs[0], value(item.in)));
    item.window = single_taps(value(item.in));
    item.out = add_value(node.outputs[0]);
    add_item(item);
  }

  void read_resize(const Node& node) {
    NetworkItem item;
    item.resize = resize_of(node, facts_);
    item.kind = item.resize->is_nearest ? NetworkKind::kMap : NetworkKind::kBlend;
    item.in = read(node.inputs[0]);
    require_fit(same_form(node.inputs[0], value(item.in)));
    item.out = add_value(node.outputs[0]);
    add_item(item);
  }

  void read_dense(const Node& node) {
    const NodeReader reader(node);
    require_fit(constant(node.inputs[1]) != nullptr && reader.get_int("transA", 0) == 0);
    require_fit(reader.get_float("alpha", 1.0F) == 1.0F && reader.get_float("beta", 1.0F) == 1.0F);
    NetworkItem item;
    item.kind = NetworkKind::kSums;
    item.node = &node;
    item.in = read(node.inputs[0]);
    item.activation = read_activation(reader);
    item.out = add_value(node.outputs[0]);
    if (node.inputs.size() > 2 && node.inputs[2] != kNoValue) {
      const Tensor* bias = constant(node.inputs[2]);
      require_fit(bias != nullptr && bias->shape().count() == value(item.out).channels);
      const int rank = bias->shape().rank();
      require_fit(rank == 0 || bias->shape()[rank - 1] == value(item.out).channels);
    }
    item.window = whole_window(value(item.in));
    add_item(item);
  }

  void read_pool(const Node& node) {
    const NodeReader reader(node);
    const Shape x = shape_of(node.inputs[0]);
    require_fit(x.rank() > 2);
    const Window window = window_of(read_window(reader, x.rank() - 2, nullptr), x, shape_of(node.outputs[0]));
    const auto is_half = [](const WindowAxis& axis) {
      return axis.kernel == 2 && axis.stride == 2 && axis.dilation == 1 && axis.begin == 0 &&
             axis.output * 2 <= axis.input;
    };
    NetworkItem* maker = sole_maker(node.inputs[0]);
    if (node.op == "MaxPool" && x.rank() < 5 && is_half(window.axes[1]) && is_half(window.axes[2]) &&
        maker != nullptr && maker->kind == NetworkKind::kSums && maker->pool == 1 && maker->other < 0 &&
        (maker->activation.kind == Activation::kNone || maker->activation.kind == Activation::kRelu)) {
      maker->pool = 2;
      return retarget(*maker, node.outputs[0]);
    }
    NetworkItem item;
    item.kind = NetworkKind::kPool;
    item.in = read(node.inputs[0]);
    item.window = window;
    item.is_mean = node.op == "AveragePool";
    item.counts_padding = reader.get_int("count_include_pad", 0) == 1;
    item.out = add_value(node.outputs[0]);
    add_item(item);
  }

  void add_global_pool(const Node& node, bool is_mean) {
    require_fit(shape_of(node.inputs[0]).rank() > 2);
    NetworkItem item;
    item.kind = NetworkKind::kPool;
    item.in = read(node.inputs[0]);
    item.window = whole_window(value(item.in));
    item.is_mean = is_mean;
    item.out = add_value(node.outputs[0]);
    require_fit(value(item.out).channels == value(item.in).channels);
    add_item(item);
  }

  void read_reduction(const Node& node) {
    const int rank = shape_of(node.inputs[0]).rank();
    require_fit(reduces_planes(node, node.inputs.size() > 1 ? constant(node.inputs[1]) : nullptr, rank));
    add_global_pool(node, node.op == "ReduceMean");
  }

  void read_add(const Node& node) {
    require_fit(shape_of(node.inputs[0]) == shape_of(node.inputs[1]) && node.inputs[0] != node.inputs[1]);
    for (const std::size_t i : {std::size_t{1}, std::size_t{0}}) {
      NetworkItem* maker = sole_maker(node.inputs[i]);
      if (maker == nullptr || maker->kind != NetworkKind::kSums || maker->pool != 1 || maker->other >= 0 ||
          maker->activation.kind != Activation::kNone) {
        continue;
      }
      // It runs where the Add did: by then the other term is there, and nobody else has waited for it.
      NetworkItem moved = *maker;
      *maker = {};
      moved.other = read(node.inputs[1 - i]);
      require_fit(value(moved.other).elements() == shape_of(node.outputs[0]).count() / items_.batch);
      moved.out = add_value(node.outputs[0]);
      return add_item(moved);
    }
    NetworkItem item;
    item.kind = NetworkKind::kAdd;
    item.in = read(node.inputs[0]);
    item.other = read(node.inputs[1]);
    item.out = add_value(node.outputs[0]);
    add_item(item);
  }

  /// Of values of one form, or of a value and one number for each of its channels.
  void read_mul(const Node& node) {
    NetworkItem item;
    item.kind = NetworkKind::kMul;
    item.in = read(node.inputs[0]);
    item.other = read(node.inputs[1]);
    if (value(item.in).elements() < value(item.other).elements()) std::swap(item.in, item.other);
    item.out = add_value(node.outputs[0]);
    const NetworkValue& made = value(item.out);
    const NetworkValue& other = value(item.other);
    const Shape shape = shape_of(node.outputs[0]);
    require_fit(shape_of(node.inputs[0]).rank() == shape.rank() && shape_of(node.inputs[1]).rank() == shape.rank());
    require_fit(shape_of(node.inputs[0])[0] == items_.batch && shape_of(node.inputs[1])[0] == items_.batch);
    require_fit(same_form(node.outputs[0], value(item.in)) && other.channels == made.channels);
    require_fit(other.pixels() == 1 || same_form(node.outputs[0], other));
    add_item(item);
  }

  /// Parts begin with a vector, whatever the instruction set.
  void read_split(const Node& node) {
    const NodeReader reader(node);
    const int rank = shape_of(node.inputs[0]).rank();
    const int64_t axis = reader.get_int("axis", 0);
    int whole = read(node.inputs[0]);
    require_fit(rank > 1 && (axis == 1 || axis == 1 - rank) && same_form(node.inputs[0], value(whole)));
    const int maker = maker_[static_cast<std::size_t>(whole)];
    if (maker >= 0 && items_.list[static_cast<std::size_t>(maker)].kind == NetworkKind::kCopy) whole = add_copy(whole);
    int64_t first = 0;
    for (const ValueId id : node.outputs) {
      require_fit(id != kNoValue && first % kMostNetworkLanes == 0);
      const int part = add_value(id);
      value(part).is_slice = true;
      items_.slices.push_back({part, whole, first});
      first += value(part).channels;
    }
  }

  void read_concat(const Node& node) {
    const NodeReader reader(node);
    const int64_t axis = reader.require_int("axis");
    const int rank = shape_of(node.outputs[0]).rank();
    require_fit(axis == 1 || axis == 1 - rank);
    const int whole = add_value(node.outputs[0]);
    std::vector<int> parts;
    for (const ValueId id : node.inputs) {
      int part = read(id);
      require_fit(value(part).has_pixels_of(value(whole)));
      const bool is_whole = items_.concat_of(part) != nullptr;
      const bool can_move =
          !is_whole && items_.concat_with(part) == nullptr && !value(part).is_slice &&
          items_.list[static_cast<std::size_t>(maker_[static_cast<std::size_t>(part)])].kind != NetworkKind::kCopy;
      if (!can_move || std::find(parts.begin(), parts.end(), part) != parts.end()) part = add_copy(part);
      parts.push_back(part);
    }
    items_.concats.push_back({whole, std::move(parts)});
  }

  int add_copy(int from) {
    NetworkItem item;
    item.in = from;
    NetworkValue made = value(from);
    made.is_slice = false;
    items_.values.push_back(made);
    maker_.push_back(-1);
    item.out = static_cast<int>(items_.values.size()) - 1;
    add_item(item);
    return item.out;
  }

  void read_activation_node(const Node& node) {
    const ActivationCall activation = activation_of(node, [&](ValueId id) { return constant(id); });
    require_fit(activation.kind != Activation::kNone);
    NetworkItem* maker = sole_maker(node.inputs[0]);
    if (maker != nullptr && maker->kind != NetworkKind::kCopy && maker->activation.kind == Activation::kNone &&
        same_form(node.outputs[0], value(maker->out))) {
      maker->activation = activation;
      return retarget(*maker, node.outputs[0]);
    }
    NetworkItem item;
    item.in = read(node.inputs[0]);
    item.activation = activation;
    item.out = add_value(node.outputs[0]);
    require_fit(same_form(node.outputs[0], value(item.in)));
    add_item(item);
  }

  /// True where the value that `id` becomes has the form of `other`; a flat one of several pixels has not.
  [[nodiscard]] bool same_form(ValueId id, const NetworkValue& other) const {
    const NetworkValue form = form_of(shape_of(id));
    return form.channels == other.channels && form.has_pixels_of(other);
  }

  void read_outputs() {
    for (std::size_t i = 0; i < body_.outputs.size(); ++i) {
      NetworkItem item;
      item.kind = NetworkKind::kGather;
      item.in = read(body_.outputs[i]);
      item.port = static_cast<int>(i);
      items_.list.push_back(item);
    }
  }

  const Graph& body_;
  const std::vector<Fact>& facts_;
  NetworkItems items_;
  std::vector<int> value_of_;      // by the graph's value: index of ours, or -1
  std::vector<int> node_readers_;  // by the graph's value: of it and its views
  std::vector<int> maker_;         // by our value: index of an item, or -1
};

}  // namespace

NetworkItems read_network(const Graph& body, const std::vector<Fact>& facts) {
  return ItemReader(body, facts).read_all();
}

}  // namespace slipway
