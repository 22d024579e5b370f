#include "ops/recurrent_rules.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "ops/recurrent_pack.h"
#include "ops/recurrent_walk.h"
#include "ops/single.h"
#include "ops/table.h"
#include "simd/panels.h"

namespace slipway {

namespace {

// Larger sizes are refused, so that products of a size and a count of gates cannot overflow.
constexpr int64_t kMaxSize = std::numeric_limits<int32_t>::max();

// 16 MiB: up to here a row of a table in memory costs a fraction of its product (docs/decisions/0006).
constexpr double kMaxTableFloats = 4 << 20;
// Multiply-adds, some 10 ms.
constexpr double kMaxTableWork = 1 << 29;

struct ActivationName {
  std::string_view name;
  ActivationKind kind;
  bool has_alpha;
  bool has_beta;
  float alpha;  // NaN: ONNX has no default
  float beta;
};

constexpr float kNone = std::numeric_limits<float>::quiet_NaN();

// ONNX GRU-22, "Activation functions", with the defaults of the ONNX operators of the same name.
constexpr ActivationName kActivations[] = {
    {"Relu", ActivationKind::kRelu, false, false, 0, 0},
    {"Tanh", ActivationKind::kTanh, false, false, 0, 0},
    {"Sigmoid", ActivationKind::kSigmoid, false, false, 0, 0},
    {"Affine", ActivationKind::kAffine, true, true, kNone, kNone},
    {"LeakyRelu", ActivationKind::kLeakyRelu, true, false, 0.01f, 0},
    {"ThresholdedRelu", ActivationKind::kThresholdedRelu, true, false, 1.0f, 0},
    {"ScaledTanh", ActivationKind::kScaledTanh, true, true, kNone, kNone},
    {"HardSigmoid", ActivationKind::kHardSigmoid, true, true, 0.2f, 0.5f},
    {"Elu", ActivationKind::kElu, true, false, 1.0f, 0},
    {"Softsign", ActivationKind::kSoftsign, false, false, 0, 0},
    {"Softplus", ActivationKind::kSoftplus, false, false, 0, 0},
};

const ActivationName& find_activation(std::string_view name) {
  std::string known;
  for (const ActivationName& entry : kActivations) {
    if (entry.name == name) return entry;
    known += concat(known.empty() ? "" : ", ", entry.name);
  }
  fail(Code::kUnsupported, "activation ", quote(name), " is not supported, supported are: ", known);
}

// activation_alpha and activation_beta hold values only for the activations that take one, in order.
float take(const std::vector<float>& values, std::size_t& next, float otherwise, const ActivationName& entry,
           std::string_view attribute) {
  if (next < values.size()) return values[next++];
  if (std::isnan(otherwise)) fail(Code::kModel, "activation ", entry.name, " needs a value in ", attribute);
  return otherwise;
}

void read_activations(const NodeReader& node, const RecurrentKind& kind, Recurrent& out) {
  std::vector<std::string> names = node.get_strings("activations");
  const std::size_t count = kind.activation_count * static_cast<std::size_t>(out.directions);
  if (names.empty()) {
    for (std::size_t i = 0; i < count; ++i) names.emplace_back(kind.activations[i % kind.activation_count]);
  }
  // RNN's own default in the ONNX schema is two names whatever the direction, and exporters write it out.
  const bool is_rnn_default = names == std::vector<std::string>{"Tanh", "Tanh"} && kind.activation_count == 1;
  if (names.size() != count && !is_rnn_default) {
    fail(Code::kModel, "attribute activations has ", names.size(), " names, expected ", count);
  }
  const std::vector<float> alphas = node.get_floats("activation_alpha");
  const std::vector<float> betas = node.get_floats("activation_beta");
  std::size_t next_alpha = 0;
  std::size_t next_beta = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const ActivationName& entry = find_activation(names[i]);
    GateActivation& activation = out.activations[i / kind.activation_count][i % kind.activation_count];
    activation.kind = entry.kind;
    if (entry.has_alpha) activation.alpha = take(alphas, next_alpha, entry.alpha, entry, "activation_alpha");
    if (entry.has_beta) activation.beta = take(betas, next_beta, entry.beta, entry, "activation_beta");
  }
  if (next_alpha < alphas.size() || next_beta < betas.size()) {
    fail(Code::kModel, "activation_alpha or activation_beta has more values than the activations take");
  }
}

void read_direction(const NodeReader& node, Recurrent& out) {
  const std::string direction = node.get_string("direction", "forward");
  if (direction != "forward" && direction != "reverse" && direction != "bidirectional") {
    fail(Code::kModel, "attribute direction is ", quote(direction), ", expected forward, reverse or bidirectional");
  }
  out.is_reverse = direction == "reverse";
  out.directions = direction == "bidirectional" ? 2 : 1;
}

float read_clip(const NodeReader& node) {
  const float clip = node.get_float("clip", std::numeric_limits<float>::infinity());
  if (!(clip >= 0.0f)) fail(Code::kModel, "attribute clip is ", clip, ", expected a number that is not negative");
  return clip;
}

Recurrent read_attributes(const NodeReader& node, const RecurrentKind& kind) {
  node.allow_attributes({"activations", "activation_alpha", "activation_beta", "clip", "direction", "hidden_size",
                         node.opset() < 14 ? "hidden_size" : "layout",
                         kind.own_attribute.empty() ? "hidden_size" : kind.own_attribute});
  Recurrent out;
  out.gates = kind.gates;
  out.is_batch_first = node.get_int_in("layout", 0, 0, 1) == 1;
  out.linear_before_reset = node.get_int("linear_before_reset", 0) != 0;
  out.input_forget = node.get_int("input_forget", 0) != 0;
  out.clip = read_clip(node);
  read_direction(node, out);
  read_activations(node, kind, out);
  return out;
}

/// `dim` becomes what is known of it and of `found`; numbers that differ are refused.
void unify(Dim& dim, const Dim& found, const InferContext& context, int input) {
  if (!dim.is_known() && (found.is_known() || dim.symbol().empty())) dim = found;
  if (found.is_known() && found.value() > kMaxSize) {
    fail(Code::kLimit, "input ", input, " has a size of ", found.value(), ", allowed are at most ", kMaxSize);
  }
  if (dim.is_known() && found.is_known() && dim.value() != found.value()) {
    context.reject("input ", input, " has shape ", text_of(*context.dims(input)), ", where ", found.value(),
                   " was expected to be ", dim.value());
  }
}

/// Checks input i against `expected` and learns unknown sizes from it.
void match(const InferContext& context, int i, std::initializer_list<Dim*> expected) {
  if (!context.has_input(i)) return;
  const auto rank = static_cast<int>(expected.size());
  context.require_rank(i, rank, rank);
  const Dims* dims = context.dims(i);
  if (dims == nullptr) return;
  auto found = dims->begin();
  for (Dim* dim : expected) unify(*dim, *found++, context, i);
}

void check_types(const InferContext& context, const RecurrentKind& kind, bool is_embedded) {
  context.require_counts(3, is_embedded ? kTable + 1 : kind.inputs, 1, kind.outputs);
  if (!is_embedded) {
    context.require_dtype(kX, {DType::kFloat32, DType::kFloat64});
    context.require_same_dtype({kX, kW});
  } else {
    context.require_dtype(kX, {DType::kInt32, DType::kInt64});
    context.require_dtype(kW, {DType::kFloat32, DType::kFloat64});
    if (!context.has_input(kTable)) context.reject("input ", int{kTable}, " is missing");
    for (int i = kind.inputs; i < int{kTable}; ++i) {
      if (context.has_input(i)) context.reject("input ", i, " is not known");
    }
  }
  context.require_same_dtype({kW, kR, kBias, kInitialH, kInitialC, kPeepholes, kTable});
  if (context.has_input(kLengths)) context.require_dtype(kLengths, {DType::kInt32});
}

Dim hidden_size(const InferContext& context) {
  if (!context.has_attribute("hidden_size")) return {};
  return context.get_int_in("hidden_size", 0, 0, kMaxSize);
}

// In double: sizes whose product is too large for an index meet here before anything else refuses them.
Work count_work(const Recurrent& sizes, int64_t element_bytes) {
  constexpr double kMost = 9e18;
  const auto hidden = static_cast<double>(sizes.hidden * sizes.directions);
  const auto features = static_cast<double>(sizes.features);
  const double rows = static_cast<double>(sizes.time) * static_cast<double>(sizes.batch);
  const double weights = static_cast<double>(sizes.gates) * hidden * (features + static_cast<double>(sizes.hidden));
  const double floats = weights + rows * (features + hidden);
  return {static_cast<int64_t>(std::min(kMost, 2 * weights * rows)),
          static_cast<int64_t>(std::min(kMost, floats * static_cast<double>(element_bytes)))};
}

Dim times(int64_t factor, const Dim& dim) { return dim.is_known() ? Dim(factor * dim.value()) : Dim(); }

Recurrent read_sizes(const PrepareContext& context, const RecurrentKind& kind) {
  Recurrent out = read_attributes(context, kind);
  const Shape x = context.shape(kX);
  out.time = x[out.is_batch_first ? 1 : 0];
  out.batch = x[out.is_batch_first ? 0 : 1];
  out.features = context.shape(kW)[2];
  if (context.has_input(kTable)) out.vocabulary = context.shape(kTable)[0];
  out.hidden = context.shape(kR)[2];
  return out;
}

}  // namespace

bool is_plain(const PrepareContext& context, const Recurrent& sizes, const RecurrentKind& kind) {
  const bool has_options = !std::isinf(sizes.clip) || sizes.input_forget || context.has_input(kPeepholes);
  if (context.dtype(kW) != DType::kFloat32 || has_options) return false;
  // Without a step there is nothing to gain, and sizes that no memory stands for.
  if (sizes.time == 0 || sizes.batch == 0 || sizes.hidden == 0) return false;
  for (int64_t d = 0; d < sizes.directions; ++d) {
    for (std::size_t i = 0; i < kind.activation_count; ++i) {
      const ActivationKind found = sizes.activations[d][i].kind;
      const bool is_plain_relu = kind.gates == 1 && found == ActivationKind::kRelu;
      if (found != find_activation(kind.activations[i]).kind && !is_plain_relu) return false;
    }
  }
  return true;
}

bool fits_table(const Recurrent& sizes, int64_t columns) {
  const double floats = static_cast<double>(sizes.vocabulary) * static_cast<double>(columns);
  return sizes.vocabulary > 0 && floats <= kMaxTableFloats &&
         floats * static_cast<double>(sizes.features) <= kMaxTableWork;
}

Tensor multiply_rows(const TensorView& a, const TensorView& b, const TensorView& bias, Isa isa) {
  Node gemm;
  gemm.op = "Gemm";
  gemm.opset = 13;
  gemm.attributes.emplace("transB", int64_t{1});
  gemm.outputs = {0};
  resolve(gemm);
  return std::move(run_single(gemm, std::array{a, b, bias}, isa, nullptr)[0]);
}

namespace {

/// Null where a weight is not constant.
std::shared_ptr<const Buffer> pack_constants(const PrepareContext& context, const Recurrent& sizes, int64_t lanes) {
  const Tensor* w = context.constant(kW);
  const Tensor* r = context.constant(kR);
  const Tensor* bias = context.constant(kBias);
  if (w == nullptr || r == nullptr || (context.has_input(kBias) && bias == nullptr)) return nullptr;
  return context.shared<Buffer>({kW, kR, kBias}, concat("recurrent ", lanes), [&] {
    const int64_t floats = RecurrentPacking(sizes, lanes).size * sizes.directions;
    auto buffer = std::make_shared<Buffer>(floats * static_cast<int64_t>(sizeof(float)));
    pack_recurrent(sizes, lanes, w->as<float>(), r->as<float>(), bias != nullptr ? bias->as<float>() : nullptr,
                   reinterpret_cast<float*>(buffer->data()));
    return buffer;
  });
}

/// W of one direction with the rows in the order of columns, zeros where a column has none; and so the bias of X W'.
std::pair<Tensor, Tensor> in_columns(const RecurrentPacking& at, const Recurrent& sizes, const float* w,
                                     const float* bias) {
  std::pair<Tensor, Tensor> out(Tensor(DType::kFloat32, Shape{at.columns, sizes.features}),
                                Tensor(DType::kFloat32, Shape{at.columns}));
  for (int64_t column = 0; column < at.columns; ++column) {
    float* row = out.first.as<float>() + column * sizes.features;
    const int64_t source = at.source(column);
    if (source >= 0) std::copy_n(w + source * sizes.features, sizes.features, row);
    if (source < 0) std::fill_n(row, sizes.features, 0.0f);
  }
  std::copy_n(bias, at.columns, out.second.as<float>());
  return out;
}

/// What a run would compute of the rows of the table; null where that is too large, or not constant.
std::shared_ptr<const Buffer> multiply_table(const PrepareContext& context, const Recurrent& sizes, int64_t lanes) {
  const Tensor* table = context.constant(kTable);
  const Tensor* w = context.constant(kW);
  const RecurrentPacking at(sizes, lanes);
  const auto packed = pack_constants(context, sizes, lanes);
  if (table == nullptr || !packed || !fits_table(sizes, sizes.directions * at.row)) return nullptr;
  return context.shared<Buffer>({kTable, kW, kR, kBias}, concat("table ", lanes), [&] {
    const int64_t rows = sizes.vocabulary;
    auto buffer = std::make_shared<Buffer>(sizes.directions * rows * at.row * static_cast<int64_t>(sizeof(float)));
    auto* out = reinterpret_cast<float*>(buffer->data());
    for (int64_t d = 0; d < sizes.directions; ++d) {
      const auto* weights = reinterpret_cast<const float*>(packed->data()) + d * at.size;
      const auto [columns, bias] =
          in_columns(at, sizes, w->as<float>() + d * sizes.gates * sizes.hidden * sizes.features, weights + at.bias);
      const Tensor products = multiply_rows(table->view(), columns.view(), bias.view(), context.isa());
      for (int64_t row = 0; row < rows; ++row, out += at.row) {
        std::copy_n(products.as<float>() + row * at.columns, at.columns, out);
        std::fill_n(out + at.columns, at.row - at.columns, 0.0f);
      }
    }
    return buffer;
  });
}

}  // namespace

void infer_recurrent(InferContext& context, const RecurrentKind& kind, bool is_embedded) {
  check_types(context, kind, is_embedded);
  const Recurrent attributes = read_attributes(context, kind);
  const bool swaps = attributes.is_batch_first;
  Dim time;
  Dim batch;
  Dim features;
  Dim hidden = hidden_size(context);
  Dim directions = attributes.directions;
  Dim unknown;
  Dim vocabulary;
  if (is_embedded) {
    match(context, kX, {swaps ? &batch : &time, swaps ? &time : &batch});
    match(context, kTable, {&vocabulary, &features});
  } else {
    match(context, kX, {swaps ? &batch : &time, swaps ? &time : &batch, &features});
  }
  match(context, kR, {&directions, &unknown, &hidden});
  for (const int state : {kInitialH, kInitialC}) {
    match(context, state, {swaps ? &batch : &directions, swaps ? &directions : &batch, &hidden});
  }
  Dim rows = times(kind.gates, hidden);
  Dim biases = times(2 * kind.gates, hidden);
  Dim peepholes = times(3, hidden);
  match(context, kW, {&directions, &rows, &features});
  match(context, kR, {&directions, &rows, &hidden});
  match(context, kBias, {&directions, &biases});
  match(context, kLengths, {&batch});
  match(context, kPeepholes, {&directions, &peepholes});
  if (!hidden.is_known() && rows.is_known() && rows.value() % kind.gates == 0) hidden = rows.value() / kind.gates;

  const DType dtype = context.dtype(kW);
  const Dims state = swaps ? Dims{batch, directions, hidden} : Dims{directions, batch, hidden};
  context.output(kY, dtype, swaps ? Dims{batch, time, directions, hidden} : Dims{time, directions, batch, hidden});
  context.output(kLastH, dtype, state);
  context.output(kLastC, dtype, state);
}

std::shared_ptr<const void> prepare_recurrent(PrepareContext& context, const RecurrentKind& kind) {
  if (context.isa() == Isa::kCuda) {
    const Recurrent sizes = read_sizes(context, kind);
    context.work = count_work(sizes, size_of(context.dtype(kW)));
    return prepare_recurrent_on_device(context, sizes, kind);
  }
  struct Prepared {
    RecurrentPlan plan;
    std::shared_ptr<const Buffer> packed;
    std::shared_ptr<const Buffer> table;
  };
  const auto out = std::make_shared<Prepared>();
  RecurrentPlan& plan = out->plan;
  plan.sizes = read_sizes(context, kind);
  plan.is_vectorised = context.isa() != Isa::kScalar && is_plain(context, plan.sizes, kind);
  context.work = count_work(plan.sizes, size_of(context.dtype(kW)));
  if (!plan.is_vectorised) {
    context.scratch_bytes = scalar::RecurrentState::size(plan.sizes) * static_cast<int64_t>(sizeof(double));
    return {out, &plan};
  }
  const int64_t lanes = lanes_of(context.isa());
  out->packed = pack_constants(context, plan.sizes, lanes);
  if (out->packed) plan.packed = reinterpret_cast<const float*>(out->packed->data());
  out->table = multiply_table(context, plan.sizes, lanes);
  if (out->table) plan.table = reinterpret_cast<const float*>(out->table->data());
  context.scratch_bytes = RecurrentScratch(plan, lanes).bytes;
  return {out, &plan};
}

}  // namespace slipway
