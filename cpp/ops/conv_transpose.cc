// ConvTranspose:  y[n, m, i * stride - pad + t * dilation] += x[n, c, i] * w[c, m, t], starting from b[m].
//
// ONNX ConvTranspose 11 and 22 as in opsets 13 to 24. x: [N, C, D...]; w: [C, M / group, K...]; b: [M], optional;
// y: [N, M, O...]; one to three spatial axes; float32, float64. Sizes, pads and output_shape by the formulas of ONNX;
// an output_shape beyond them gets its additional elements at the end, holding the bias.
#include "ops/conv_transpose.h"

#include <algorithm>

#include "ops/conv_transpose_rules.h"
#include "ops/conv_transpose_sum.h"
#include "ops/op.h"
#include "ops/product_rules.h"
#include "ops/types.h"
#include "ops/window_rules.h"
#include "simd/panels.h"

namespace slipway {

namespace {

/// Floats of scratch that a product may take; above it the scalar kernel runs.
constexpr int64_t kMostFloats = int64_t{1} << 26;

/// The same on a device.
constexpr int64_t kMostLanded = int64_t{1} << 28;

/// Size along an axis without any padding.
int64_t full_size(const NodeReader& node, const WindowRules& rules, std::size_t axis, int64_t input) {
  const std::vector<int64_t> more = read_sizes(node, "output_padding", rules.strides.size(), 0, 0);
  return rules.strides[axis] * (input - 1) + more[axis] + (rules.kernel[axis].value() - 1) * rules.dilations[axis] + 1;
}

bool is_same(const WindowRules& rules) {
  return rules.auto_pad == AutoPad::kSameUpper || rules.auto_pad == AutoPad::kSameLower;
}

Dim output_size(const NodeReader& node, const WindowRules& rules, std::size_t axis, const Dim& input) {
  const std::vector<int64_t> wanted = read_sizes(node, "output_shape", rules.strides.size(), 0, -1);
  check_spatial(input);
  if (wanted[axis] >= 0) return wanted[axis];
  if (input.is_known() && input.value() == 0)
    fail(Code::kModel, "a spatial size of the input is 0, expected at least 1");
  if (is_same(rules)) {
    if (rules.strides[axis] == 1) return input;
    return input.is_known() ? Dim(input.value() * rules.strides[axis]) : Dim();
  }
  if (!input.is_known() || !rules.kernel[axis].is_known()) return {};
  const int64_t size = full_size(node, rules, axis, input.value()) - rules.begins[axis] - rules.ends[axis];
  if (size < 0) fail(Code::kModel, "pads leave an output size of ", size);
  return size;
}

void check_channels(const InferContext& context, const Dims& x, const Dims& w, int64_t group) {
  if (w[0].is_known() && x[1].is_known() && w[0].value() != x[1].value()) {
    context.reject("input has ", x[1].value(), " channels, weights expect ", w[0].value());
  }
  for (const Dim& channels : {x[1], w[0]}) {
    if (channels.is_known() && channels.value() % group != 0) {
      context.reject("group ", group, " does not divide ", channels.value(), " channels");
    }
  }
  if (!context.has_input(2)) return;
  context.require_rank(2, 1, 1);
  const Dims* bias = context.dims(2);
  if (bias == nullptr || !(*bias)[0].is_known() || !w[1].is_known()) return;
  if ((*bias)[0].value() % group != 0 || (*bias)[0].value() / group != w[1].value()) {
    context.reject("the bias has ", (*bias)[0].value(), " entries, expected ", w[1].value(), " for each of ", group,
                   " groups");
  }
}

/// Decides for matrix products on a device where there are two spatial axes, all places within 32 bits.
void plan_product(TransposeCall& call, PrepareContext& context) {
  const WindowAxis& depth = call.window.axes[0];
  const bool is_flat = depth.input == 1 && depth.output == 1 && depth.kernel == 1 && depth.begin == 0;
  const int64_t rows = saturating_product(call.outputs, call.window.taps());
  const int64_t copies = saturating_product(call.batch, call.groups);
  const int64_t landed = saturating_product(copies, rows, call.window.outputs());
  if (!is_flat || landed > kMostLanded || call.window.inputs() > kMostLanded) return;
  call.product = choose_product(context, rows, call.window.outputs(), call.channels, copies, false);
  if (call.product.slice > 0) context.scratch_bytes = landed * size_of(DType::kFloat32);
}

}  // namespace

Window transposed_window(const NodeReader& node, const WindowRules& rules, const Shape& x, const Shape& y) {
  const bool fixed = !node.get_ints("output_shape").empty() || is_same(rules);
  const int rank = x.rank() - 2;
  Window window;
  for (int i = 0; i < rank; ++i) {
    const auto from = static_cast<std::size_t>(i);
    WindowAxis& axis = window.axes[3 - rank + i];
    axis = {y[i + 2],           x[i + 2],        rules.kernel[from].value(), rules.strides[from], rules.dilations[from],
            rules.begins[from], rules.ends[from]};
    if (!fixed) continue;
    const int64_t total = std::max<int64_t>(full_size(node, rules, from, x[i + 2]) - y[i + 2], 0);
    axis.begin = rules.auto_pad == AutoPad::kSameUpper ? total / 2 : total - total / 2;
    axis.end = total - axis.begin;
  }
  return window;
}

void infer_conv_transpose(InferContext& context) {
  context.allow_attributes(
      {"auto_pad", "dilations", "group", "kernel_shape", "output_padding", "output_shape", "pads", "strides"});
  context.require_counts(2, 3, 1, 1);
  context.require_dtype(0, {DType::kFloat32, DType::kFloat64});
  context.require_same_dtype({0, 1, 2});
  context.require_rank(0, 3, 5);
  context.require_rank(1, 3, 5);
  const int64_t group = context.get_int_in("group", 1, 1, kMaxWindowSize);
  const Dims* x = context.dims(0);
  const Dims* w = context.dims(1);
  if (x == nullptr || w == nullptr) {
    return context.output_unknown(0, context.dtype(0), x != nullptr ? static_cast<int>(x->size()) : -1);
  }
  if (x->size() != w->size()) context.reject("input ", text_of(*x), " and weights ", text_of(*w), " differ in rank");
  check_channels(context, *x, *w, group);
  const std::vector<Dim> kernel(w->begin() + 2, w->end());
  const WindowRules rules = read_window(context, static_cast<int>(x->size()) - 2, &kernel);
  Dim channels;
  if ((*w)[1].is_known()) {
    int64_t product = 0;
    if (__builtin_mul_overflow((*w)[1].value(), group, &product)) context.reject("too many output channels");
    channels = product;
  }
  Dims out{(*x)[0], channels};
  for (std::size_t axis = 0; axis + 2 < x->size(); ++axis) {
    out.push_back(output_size(context, rules, axis, (*x)[axis + 2]));
  }
  context.output(0, context.dtype(0), std::move(out));
}

std::shared_ptr<const void> prepare_conv_transpose(PrepareContext& context) {
  const Shape x = context.shape(0);
  const Shape w = context.shape(1);
  const Shape y = context.output_shape(0);
  const std::vector<Dim> kernel(w.sizes().begin() + 2, w.sizes().end());
  auto call = std::make_shared<OwnedTransposeCall>();
  call->window = transposed_window(context, read_window(context, x.rank() - 2, &kernel), x, y);
  call->batch = x[0];
  call->groups = context.get_int("group", 1);
  call->channels = x[1] / call->groups;
  call->outputs = w[1];
  if (host_isa(context.isa()) != Isa::kScalar && context.dtype(0) == DType::kFloat32) {
    const int64_t pixels = call->window.outputs();
    const int64_t panels = saturating_product(call->channels, panel_columns(pixels, lanes_of(context.isa())));
    const int64_t sums = saturating_product(call->outputs, call->window.taps(), pixels);
    if (panels <= kMostFloats && sums <= kMostFloats) {
      call->panels = (panels + 15) / 16 * 16;
      context.scratch_bytes = (call->panels + sums) * size_of(DType::kFloat32);
    }
  }
  plan_phases(*call, context);
  if (context.device() != nullptr) plan_product(*call, context);
  context.work = {saturating_product(x.count(), w.count(1, w.rank()), 2),
                  (x.count() + w.count() + y.count()) * size_of(context.dtype(0))};
  return std::shared_ptr<const TransposeCall>(std::move(call));
}

namespace scalar {

namespace {

constexpr int64_t kMultiplyAddsPerNanosecond = 1;

}  // namespace

void conv_transpose(const OpCall& call) noexcept {
  const auto& conv = call.as<TransposeCall>();
  const auto& axes = conv.window.axes;
  const int64_t channels = conv.groups * conv.outputs;
  dispatch(Floats{}, call.inputs[0].dtype, [&]<typename T>() {
    const auto body = [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t m = i % channels;
        const int64_t group = m / conv.outputs;
        const T* x =
            call.inputs[0].as<T>() + (i / channels * conv.groups + group) * conv.channels * conv.window.outputs();
        const T* w = call.inputs[1].as<T>() + group * conv.channels * conv.outputs * conv.window.taps();
        const double bias = call.has_input(2) ? static_cast<double>(call.inputs[2].as<T>()[m]) : 0.0;
        T* y = call.outputs[0].as<T>() + i * conv.window.inputs();
        for (int64_t o = 0; o < conv.window.inputs(); ++o) {
          const int64_t at[3] = {o / (axes[1].input * axes[2].input), o / axes[2].input % axes[1].input,
                                 o % axes[2].input};
          y[o] = static_cast<T>(bias + gather(conv, x, w, m % conv.outputs, at));
        }
      }
    };
    const int64_t work = conv.window.inputs() * conv.channels * conv.window.taps();
    parallel_for(call.pool, conv.batch * channels, grain_of(work, kMultiplyAddsPerNanosecond), body);
  });
}

}  // namespace scalar
}  // namespace slipway
