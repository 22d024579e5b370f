#include "ops/conv_rules.h"

#include <algorithm>
#include <limits>

#include "cuda/device.h"
#include "ops/activation_rules.h"
#include "ops/product_rules.h"
#include "ops/types.h"
#include "ops/window_rules.h"
#include "simd/panels.h"

namespace slipway {

namespace {

struct OwnedConvCall final : ConvCall {
  std::shared_ptr<const Tensor> weights;
  DirectConv how;
  std::vector<int32_t> offsets;
  std::shared_ptr<const DeviceMemory> there;
};

/// Floats of one slot of a direct convolution at most: what its inner loops touch should stay in the second cache.
constexpr int64_t kBandFloats = int64_t{1} << 17;
/// And where not even one row of outputs is that small.
constexpr int64_t kMostFloats = int64_t{1} << 23;
constexpr int64_t kMostSlots = 64;
/// Multiply-adds of an image from which on it is cut into bands for several threads.
constexpr int64_t kBandWork = int64_t{1} << 22;

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

/// The sizes of a band of `rows` rows; false where they are out of hand.
bool set_band(const ConvCall& call, int64_t rows, int64_t lanes, DirectConv& how) {
  const WindowAxis& h = call.window.axes[1];
  const WindowAxis& w = call.window.axes[2];
  how.rows = rows;
  how.bands = (h.output + rows - 1) / rows;
  how.width = w.output + reach(w);
  how.height = rows + reach(h);
  const int64_t planes = saturating_product(call.channels, h.stride, w.stride);
  if (saturating_product(planes, how.height, how.width) > kMostFloats) return false;
  how.places = how.places_of(rows, lanes);
  how.source = (planes * how.plane() + 2 * lanes + how.width + 15) / 16 * 16;
  how.slot = how.source + saturating_product(call.outputs, how.places) + lanes;  // a last vector reaches over the end
  return how.slot <= kMostFloats;
}

/// True where the places computed in vain cost less than laying the inputs out under every tap, in multiply-adds of
/// vectors for each term of the sums. Few pixels with many channels are better laid out.
bool is_worth_a_copy(const ConvCall& call, const DirectConv& how, int64_t lanes) {
  constexpr int64_t kRun = 15;  // what it costs to lay out what one row of outputs reads
  const int64_t copied = call.outputs * how.bands * how.places / lanes;
  const int64_t laid_out =
      call.outputs * ((call.window.outputs() + lanes - 1) / lanes) + call.window.axes[1].output * kRun;
  return copied <= laid_out;
}

/// Decides for a direct convolution where it can be had: everything but windows of one element that do not jump, which
/// have nothing to copy, and three spatial axes.
void plan_direct(OwnedConvCall& call, int64_t lanes, PrepareContext& context) {
  const auto& [d, h, w] = call.window.axes;
  const bool is_flat = d.input == 1 && d.output == 1 && d.kernel == 1 && d.begin == 0 && d.end == 0;
  const bool is_point = call.window.taps() == 1 && h.stride == 1 && w.stride == 1;
  const int64_t images = saturating_product(call.batch, call.groups);
  const int64_t image = saturating_product(call.outputs, call.window.outputs(), call.channels * call.window.taps());
  if (!is_flat || is_point || images == 0 || image == 0) return;
  DirectConv& how = call.how;
  how.phases[0] = h.stride;
  how.phases[1] = w.stride;
  int64_t rows = h.output;
  if (images < 8 && image >= kBandWork) rows = (rows + 3) / 4;
  while (!set_band(call, rows, lanes, how) || how.slot > kBandFloats) {
    if (rows == 1) break;
    rows = (rows + 1) / 2;
  }
  if (!set_band(call, rows, lanes, how) || !is_worth_a_copy(call, how, lanes)) return;
  how.slots = std::min(
      {kMostSlots, saturating_product(images, how.bands), std::max<int64_t>(1, kMostSlots * kBandFloats / how.slot)});
  for (int64_t c = 0; c < call.channels; ++c) {
    for (int64_t i = 0; i < h.kernel; ++i) {
      for (int64_t j = 0; j < w.kernel; ++j) {
        const int64_t y = i * h.dilation;
        const int64_t x = j * w.dilation;
        const int64_t plane = (c * h.stride + y % h.stride) * w.stride + x % w.stride;
        call.offsets.push_back(static_cast<int32_t>(plane * how.plane() + y / h.stride * how.width + x / w.stride));
      }
    }
  }
  how.offsets = call.offsets.data();
  call.direct = &how;
  context.scratch_bytes = how.slots * how.slot * static_cast<int64_t>(sizeof(float));
}

/// Decides for a matrix product on a device where there are two spatial axes, all places within 32 bits.
void plan_product(OwnedConvCall& call, const PrepareContext& context) {
  const WindowAxis& d = call.window.axes[0];
  const WindowAxis& h = call.window.axes[1];
  const WindowAxis& w = call.window.axes[2];
  const bool is_flat = d.input == 1 && d.output == 1 && d.kernel == 1 && d.begin == 0 && d.end == 0;
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max() / 4;
  const auto reach = [](const WindowAxis& axis) {
    return (axis.output + 1) * axis.stride + axis.kernel * axis.dilation + axis.begin;
  };
  if (!is_flat || saturating_product(call.channels, call.window.inputs()) > kMost) return;
  if (call.window.outputs() > kMost || call.window.taps() > kNoTap || reach(h) > kMost || reach(w) > kMost) return;
  const int64_t terms = call.channels * call.window.taps();
  call.product = choose_product(context, call.outputs, call.batch * call.window.outputs(), terms, call.groups, false);
  if (call.product.slice == 0) return;
  const std::string key =
      concat("cuda terms ", terms, " of ", h.kernel, " x ", w.kernel, " in ", h.input, " x ", w.input);
  call.there = context.uploaded({}, key, [&] {
    Tensor list(DType::kInt64, Shape{(terms + 31) / 32 * 32});
    auto* to = reinterpret_cast<ConvTerm*>(list.mutable_view().data);
    for (int64_t k = 0; k < list.shape().count(); ++k) {
      const int64_t tap = k % call.window.taps();
      const int64_t row = k / call.window.taps() * h.input + tap / w.kernel * h.dilation;
      const int64_t offset = row * w.input + tap % w.kernel * w.dilation;
      to[k] = k < terms ? ConvTerm{static_cast<int32_t>(offset), static_cast<int32_t>(tap)} : ConvTerm{0, kNoTap};
    }
    return list;
  });
  call.terms = call.there->as<ConvTerm>();
}

}  // namespace

void infer_convolution(InferContext& context, bool fused) {
  if (fused) {
    context.allow_attributes({"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides", "activation",
                              "activation_alpha", "activation_beta"});
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
  if (weights != nullptr && weights->dtype() == DType::kFloat32 && host_isa(context.isa()) != Isa::kScalar) {
    call->weights = context.shared<Tensor>({1}, concat("tiles ", name_of(context.isa())), [&] {
      return pack_weights(*weights, call->groups, call->outputs, terms, lanes_of(context.isa()));
    });
    call->packed = call->weights->as<float>();
    plan_direct(*call, lanes_of(context.isa()), context);
  }
  if (context.device() != nullptr) plan_product(*call, context);
  context.work = {saturating_product(y.count(), terms, 2),
                  (x.count() + w.count() + y.count()) * size_of(context.dtype(0))};
  return std::shared_ptr<const ConvCall>(std::move(call));
}

namespace scalar {

namespace {

constexpr int64_t kMultiplyAddsPerNanosecond = 1;

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
    parallel_for(call.pool, conv.batch * channels, grain_of(work, kMultiplyAddsPerNanosecond), body);
  });
}

}  // namespace scalar
}  // namespace slipway
