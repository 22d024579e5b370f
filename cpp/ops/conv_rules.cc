#include "ops/conv_rules.h"

#include <algorithm>

#include "ops/activation_rules.h"
#include "ops/types.h"
#include "ops/window_rules.h"
#include "simd/panels.h"

namespace slipway {

namespace {

struct OwnedConvCall final : ConvCall {
  std::shared_ptr<const Tensor> weights;
};

void check_channels(const InferContext& context, const Dims& x, const Dims& w, int64_t group) {
  if (w[0].is_known() && w[0].value() % group != 0) {
    context.reject("the weights have ", w[0].value(), " output channels, which group ", group, " does not divide");
  }
  if (!x[1].is_known() || !w[1].is_known()) return;
  // Dividing instead of multiplying: group may be huge.
  if (x[1].value() % group != 0 || x[1].value() / group != w[1].value()) {
    context.reject("input has ", x[1].value(), " channels, weights expect ", w[1].value(), " in each of ", group,
                   " groups");
  }
}

void check_bias(const InferContext& context, const Dims* w) {
  if (!context.has_input(2)) return;
  context.require_rank(2, 1, 1);
  const Dims* bias = context.dims(2);
  if (bias == nullptr || w == nullptr || !(*bias)[0].is_known() || !(*w)[0].is_known()) return;
  if ((*bias)[0].value() != (*w)[0].value()) {
    context.reject("the bias has ", (*bias)[0].value(), " entries, expected ", (*w)[0].value());
  }
}

/// A window of one element that moves by one sees the spatial axes as a single one: longer rows for the kernels.
void join_axes(Window& window) {
  for (const WindowAxis& axis : window.axes) {
    if (axis.kernel != 1 || axis.stride != 1 || axis.begin != 0 || axis.end != 0) return;
  }
  WindowAxis joined;
  joined.input = joined.output = window.inputs();
  window = {};
  window.axes[2] = joined;
}

std::shared_ptr<const Tensor> pack_weights(const Tensor& weights, int64_t groups, int64_t rows, int64_t terms,
                                           int64_t lanes) {
  auto packed = std::make_shared<Tensor>(DType::kFloat32, Shape{groups * rows * terms});
  for (int64_t g = 0; g < groups; ++g) {
    const float* from = weights.as<float>() + g * rows * terms;
    float* to = packed->as<float>() + g * rows * terms;
    for (int64_t first = 0; first < terms; first += kGemmDepth) {
      pack_tiles(from + first, terms, 1, rows, std::min(kGemmDepth, terms - first), lanes, to + first * rows);
    }
  }
  return packed;
}

}  // namespace

void infer_convolution(InferContext& context, bool fused) {
  if (fused) {
    context.allow_attributes(
        {"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides", "activation", "activation_alpha"});
    if (read_activation(context).kind == Activation::kNone) context.reject("attribute activation is missing");
  } else {
    context.allow_attributes({"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"});
  }
  context.require_counts(2, 3, 1, 1);
  context.require_dtype(0, {DType::kFloat32, DType::kFloat64});
  context.require_same_dtype({0, 1, 2});
  context.require_rank(0, 3, 5);
  context.require_rank(1, 3, 5);
  const int64_t group = context.get_int_in("group", 1, 1, kMaxWindowSize);
  const Dims* x = context.dims(0);
  const Dims* w = context.dims(1);
  check_bias(context, w);
  if (x == nullptr || w == nullptr) {
    return context.output_unknown(0, context.dtype(0), x != nullptr ? static_cast<int>(x->size()) : -1);
  }
  if (x->size() != w->size()) context.reject("input ", text_of(*x), " and weights ", text_of(*w), " differ in rank");
  check_channels(context, *x, *w, group);
  const std::vector<Dim> kernel(w->begin() + 2, w->end());
  const WindowRules rules = read_window(context, static_cast<int>(x->size()) - 2, &kernel);
  Dims out{(*x)[0], (*w)[0]};
  for (Dim& size : window_counts(rules, *x)) out.push_back(std::move(size));
  context.output(0, context.dtype(0), std::move(out));
}

std::shared_ptr<const void> prepare_convolution(PrepareContext& context) {
  const Shape x = context.shape(0);
  const Shape w = context.shape(1);
  const Shape y = context.output_shape(0);
  const std::vector<Dim> kernel(w.sizes().begin() + 2, w.sizes().end());
  auto call = std::make_shared<OwnedConvCall>();
  call->window = window_of(read_window(context, x.rank() - 2, &kernel), x, y);
  call->batch = x[0];
  call->groups = context.get_int("group", 1);
  call->channels = w[1];
  call->outputs = w[0] / call->groups;
  call->activation = read_activation(context);
  const int64_t terms = w.count(1, w.rank());
  if (context.isa() != Isa::kScalar) join_axes(call->window);
  const Tensor* weights = context.constant(1);
  if (weights != nullptr && weights->dtype() == DType::kFloat32 && context.isa() != Isa::kScalar) {
    call->weights = context.shared<Tensor>(concat("tiles ", name_of(context.isa())), [&] {
      return pack_weights(*weights, call->groups, call->outputs, terms, lanes_of(context.isa()));
    });
    call->packed = call->weights->as<float>();
  }
  context.work = {saturating_product(y.count(), terms, 2),
                  (x.count() + w.count() + y.count()) * size_of(context.dtype(0))};
  return std::shared_ptr<const ConvCall>(std::move(call));
}

namespace scalar {

namespace {

/// Multiply-adds below which waking a thread costs more than it saves.
constexpr int64_t kThreadWork = 1 << 16;

/// Sum over one group's channels and the taps that lie in the input.
template <typename T>
double sum_window(const ConvCall& call, const T* x, const T* w, const Taps (&taps)[3], const int64_t (&first)[3]) {
  const auto& [d, h, v] = call.window.axes;
  double sum = 0.0;
  for (int64_t c = 0; c < call.channels; ++c, x += call.window.inputs(), w += call.window.taps()) {
    for (int64_t i = taps[0].begin; i < taps[0].end; ++i) {
      for (int64_t j = taps[1].begin; j < taps[1].end; ++j) {
        const int64_t row = ((first[0] + i * d.dilation) * h.input + first[1] + j * h.dilation) * v.input + first[2];
        const int64_t weights = (i * h.kernel + j) * v.kernel;
        for (int64_t k = taps[2].begin; k < taps[2].end; ++k) {
          sum += static_cast<double>(x[row + k * v.dilation]) * static_cast<double>(w[weights + k]);
        }
      }
    }
  }
  return sum;
}

/// One output channel of one image.
template <typename T>
void convolve_channel(const ConvCall& call, const T* x, const T* w, double bias, T* y) noexcept {
  const auto& axes = call.window.axes;
  for (int64_t i = 0; i < axes[0].output; ++i) {
    for (int64_t j = 0; j < axes[1].output; ++j) {
      for (int64_t k = 0; k < axes[2].output; ++k) {
        const int64_t at[3] = {i, j, k};
        Taps taps[3];
        int64_t first[3];
        for (int a = 0; a < 3; ++a) {
          taps[a] = taps_within(axes[a], at[a], axes[a].input);
          first[a] = at[a] * axes[a].stride - axes[a].begin;
        }
        *y++ = static_cast<T>(activate(call.activation, bias + sum_window(call, x, w, taps, first)));
      }
    }
  }
}

}  // namespace

void convolve(const OpCall& call) noexcept {
  const auto& conv = call.as<ConvCall>();
  dispatch(Floats{}, call.inputs[0].dtype, [&]<typename T>() {
    const int64_t channels = conv.groups * conv.outputs;
    const int64_t image = conv.channels * conv.window.inputs();
    const int64_t terms = conv.channels * conv.window.taps();
    const auto body = [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t n = i / channels;
        const int64_t m = i % channels;
        const T* x = call.inputs[0].as<T>() + (n * conv.groups + m / conv.outputs) * image;
        const double bias = call.has_input(2) ? static_cast<double>(call.inputs[2].as<T>()[m]) : 0.0;
        convolve_channel(conv, x, call.inputs[1].as<T>() + m * terms, bias,
                         call.outputs[0].as<T>() + i * conv.window.outputs());
      }
    };
    const int64_t work = conv.window.outputs() * (terms + 1);
    parallel_for(call.pool, conv.batch * channels, 1 + kThreadWork / (1 + work), body);
  });
}

}  // namespace scalar
}  // namespace slipway
