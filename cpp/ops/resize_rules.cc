#include "ops/resize_rules.h"

#include <cmath>
#include <numeric>

#include "ops/shapes.h"

namespace slipway {

namespace {

constexpr int kScales = 2;
constexpr int kSizes = 3;
/// 256 MiB for an axis: more than 8 million places, linear.
constexpr int64_t kMostTaps = int64_t{1} << 24;

enum class Policy { kStretch, kNotLarger, kNotSmaller };

Policy policy_of(const NodeReader& node) {
  const std::string name = node.get_string("keep_aspect_ratio_policy", "stretch");
  if (name == "stretch") return Policy::kStretch;
  if (name == "not_larger") return Policy::kNotLarger;
  if (name == "not_smaller") return Policy::kNotSmaller;
  fail(Code::kModel, "keep_aspect_ratio_policy is ", quote(name), ", expected stretch, not_larger or not_smaller");
}

ResizeMode mode_of(const NodeReader& node) {
  const std::string name = node.get_string("mode", "nearest");
  if (name == "nearest") return ResizeMode::kNearest;
  if (name == "linear") return ResizeMode::kLinear;
  if (name == "cubic") return ResizeMode::kCubic;
  fail(Code::kModel, "mode is ", quote(name), ", expected nearest, linear or cubic");
}

ResizeRounding rounding_of(const NodeReader& node) {
  const std::string name = node.get_string("nearest_mode", "round_prefer_floor");
  if (name == "round_prefer_floor") return ResizeRounding::kPreferFloor;
  if (name == "round_prefer_ceil") return ResizeRounding::kPreferCeil;
  if (name == "floor") return ResizeRounding::kFloor;
  if (name == "ceil") return ResizeRounding::kCeil;
  fail(Code::kModel, "nearest_mode is ", quote(name),
       ", expected round_prefer_floor, round_prefer_ceil, floor or ceil");
}

ResizeCoordinates coordinates_of(const NodeReader& node) {
  const std::string name = node.get_string("coordinate_transformation_mode", "half_pixel");
  if (name == "half_pixel") return ResizeCoordinates::kHalfPixel;
  if (name == "half_pixel_symmetric" && node.opset() >= 19) return ResizeCoordinates::kHalfPixelSymmetric;
  if (name == "pytorch_half_pixel") return ResizeCoordinates::kPytorchHalfPixel;
  if (name == "align_corners") return ResizeCoordinates::kAlignCorners;
  if (name == "asymmetric") return ResizeCoordinates::kAsymmetric;
  fail(name == "tf_crop_and_resize" ? Code::kUnsupported : Code::kModel, "coordinate_transformation_mode is ",
       quote(name), name == "tf_crop_and_resize" ? ", supported are half_pixel, " : ", expected half_pixel, ",
       node.opset() >= 19 ? "half_pixel_symmetric, " : "", "pytorch_half_pixel, align_corners or asymmetric");
}

// An empty list stands for an absent one, as it did before opset 13.
bool is_given(const InferContext& context, int i) {
  if (!context.has_input(i)) return false;
  const Dims* dims = context.dims(i);
  return dims == nullptr || dims->size() != 1 || !(*dims)[0].is_known() || (*dims)[0].value() != 0;
}

std::vector<std::size_t> axes_of(const NodeReader& node, std::size_t rank) {
  std::vector<std::size_t> axes(rank);
  std::iota(axes.begin(), axes.end(), std::size_t{0});
  if (!node.has_attribute("axes")) return axes;
  axes.clear();
  for (const int64_t axis : node.get_ints("axes")) {
    axes.push_back(static_cast<std::size_t>(axis < 0 ? axis + static_cast<int64_t>(rank) : axis));
  }
  return axes;
}

Dim scaled(const InferContext& context, const Dim& x, float scale) {
  if (!std::isfinite(scale) || scale <= 0.0F) {
    context.reject("scales holds ", scale, ", expected a number above 0");
  }
  if (scale == 1.0F || !x.is_known()) return scale == 1.0F ? x : Dim();
  // In float32, as ONNX's own shape inference and the runtimes have it: 10 * 0.7 is 7 there.
  const float size = std::floor(static_cast<float>(x.value()) * scale);
  if (!(size < 0x1p62F)) fail(Code::kLimit, "a size of ", x.value(), " * ", scale, " is too large");
  return static_cast<int64_t>(size);
}

// The one scale of all axes that keeps their proportions, as a fraction.
ResizeScale kept_scale(Policy policy, const std::vector<int64_t>& sizes, const std::vector<int64_t>& x) {
  ResizeScale kept;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const ResizeScale own{static_cast<double>(sizes[i]), static_cast<double>(x[i])};
    const double difference = own.up / own.down - kept.up / kept.down;
    if (i == 0 || (policy == Policy::kNotLarger ? difference < 0.0 : difference > 0.0)) kept = own;
  }
  return kept;
}

void resize_to(const InferContext& context, const std::vector<std::size_t>& axes, const std::vector<int64_t>& sizes,
               Dims& y) {
  const Policy policy = policy_of(context);
  std::vector<int64_t> before;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const Dim& x = y[axes[i]];
    if (sizes[i] < 0) context.reject("sizes holds ", sizes[i], ", expected 0 or more");
    if (x.is_known() && x.value() == 0 && (sizes[i] > 0 || policy != Policy::kStretch)) {
      context.reject("an axis of size 0 cannot become ", sizes[i], " long");
    }
    if (x.is_known()) before.push_back(x.value());
  }
  const bool is_open = before.size() < axes.size();
  const ResizeScale kept = is_open ? ResizeScale() : kept_scale(policy, sizes, before);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (policy == Policy::kStretch) {
      y[axes[i]] = sizes[i];
    } else if (is_open) {
      y[axes[i]] = Dim();
    } else {
      const double size = std::floor(static_cast<double>(before[i]) * kept.up / kept.down + 0.5);
      if (!(size < 0x1p62)) fail(Code::kLimit, "a size of ", size, " is too large");
      y[axes[i]] = static_cast<int64_t>(size);
    }
  }
}

// ---- places ----

// Where place `at` of y lies in x, which need not be within it.
double coordinate(const ResizeAttributes& how, const ResizeScale& scale, int64_t size, int64_t count, int64_t at) {
  const auto place = static_cast<double>(at);
  const auto before = static_cast<double>(size);
  const auto after = static_cast<double>(count);
  const auto scaled_back = [&](double y, double shift) {
    const double x = shift + y * scale.down / scale.up;
    // A third as float32 is a little more than a third: rounded so, place 1 divided by it is 3 and not 2.9999999.
    return scale.is_float32 && how.mode == ResizeMode::kNearest ? static_cast<double>(static_cast<float>(x)) : x;
  };
  switch (how.coordinates) {
    case ResizeCoordinates::kHalfPixelSymmetric: {
      const double shift = before / 2.0 * (1.0 - after * scale.down / (before * scale.up));
      return scaled_back(place + 0.5, shift) - 0.5;
    }
    case ResizeCoordinates::kPytorchHalfPixel:
      return count > 1 ? scaled_back(place + 0.5, 0.0) - 0.5 : 0.0;
    case ResizeCoordinates::kAlignCorners:
      // The length of y itself, as in ONNX's formula, torch and onnxruntime; onnx's reference takes size * scale.
      return count > 1 ? place * (before - 1.0) / (after - 1.0) : 0.0;
    case ResizeCoordinates::kAsymmetric:
      return scaled_back(place, 0.0);
    default:
      return scaled_back(place + 0.5, 0.0) - 0.5;
  }
}

double rounded(ResizeRounding rounding, double x) {
  switch (rounding) {
    case ResizeRounding::kPreferCeil:
      return std::floor(x + 0.5);
    case ResizeRounding::kFloor:
      return std::floor(x);
    case ResizeRounding::kCeil:
      return std::ceil(x);
    default:
      return std::ceil(x - 0.5);
  }
}

// Keys, Cubic Convolution Interpolation for Digital Image Processing, 1981, equation 4, at the four places around.
ResizeTap* write_cubic(const ResizeAttributes& how, double x, int64_t size, int64_t stride, ResizeTap* to) {
  const double a = how.cubic_coefficient;
  const auto near = [a](double d) { return ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0; };
  const auto far = [a](double d) { return ((a * d - 5.0 * a) * d + 8.0 * a) * d - 4.0 * a; };
  // Further outside, all four are the edge.
  x = std::clamp(x, -3.0, static_cast<double>(size) + 2.0);
  const double low = std::floor(x);
  const double d = x - low;
  double weights[] = {far(d + 1.0), near(d), near(1.0 - d), far(2.0 - d)};
  const int64_t first = static_cast<int64_t>(low) - 1;
  if (how.excludes_outside) {
    double total = 0.0;
    for (int64_t k = 0; k < 4; ++k) {
      if (first + k < 0 || first + k >= size) weights[k] = 0.0;
      total += weights[k];
    }
    for (double& weight : weights) weight = total == 0.0 ? weight : weight / total;
  }
  for (int64_t k = 0; k < 4; ++k) {
    *to++ = {std::clamp<int64_t>(first + k, 0, size - 1) * stride, weights[k]};
  }
  return to;
}

}  // namespace

ResizeAttributes resize_attributes(const NodeReader& node) {
  ResizeAttributes how;
  how.mode = mode_of(node);
  how.rounding = rounding_of(node);
  how.coordinates = coordinates_of(node);
  how.cubic_coefficient = static_cast<double>(node.get_float("cubic_coeff_a", -0.75F));
  how.excludes_outside = node.get_int_in("exclude_outside", 0, 0, 1) == 1;
  if (node.get_int_in("antialias", 0, 0, 1) == 1) {
    fail(Code::kUnsupported, "attribute antialias is 1, supported is 0");
  }
  return how;
}

std::optional<Dims> resized_dims(InferContext& context) {
  const bool has_scales = is_given(context, kScales);
  const bool has_sizes = is_given(context, kSizes);
  if (has_scales == has_sizes) {
    context.reject("has ", has_scales ? "both scales and" : "neither scales nor", " sizes, expected one of them");
  }
  const int given = has_scales ? kScales : kSizes;
  context.require_dtype(given, {has_scales ? DType::kFloat32 : DType::kInt64});
  context.require_rank(given, 1, 1);
  const Policy policy = policy_of(context);
  if (has_scales && policy != Policy::kStretch) {
    context.reject("keep_aspect_ratio_policy is ", quote(context.get_string("keep_aspect_ratio_policy", "")),
                   ", expected stretch with scales");
  }
  const Tensor* scales = has_scales ? context.value(kScales) : nullptr;
  const auto sizes = has_sizes ? context.ints(kSizes) : std::nullopt;
  const Dims* x = context.dims(0);
  if (x == nullptr) return std::nullopt;
  (void)normalise_axes(context, context.get_ints("axes"), static_cast<int64_t>(x->size()));
  const std::vector<std::size_t> axes = axes_of(context, x->size());
  Dims y = *x;
  if (scales == nullptr && !sizes) {
    for (const std::size_t axis : axes) y[axis] = Dim();
    return y;
  }
  const int64_t count = scales != nullptr ? scales->shape().count() : static_cast<int64_t>(sizes->size());
  if (count != static_cast<int64_t>(axes.size())) {
    context.reject(has_scales ? "scales" : "sizes", " has ", count, " values, expected ", axes.size());
  }
  if (sizes) {
    resize_to(context, axes, *sizes, y);
  } else {
    for (std::size_t i = 0; i < axes.size(); ++i) y[axes[i]] = scaled(context, y[axes[i]], scales->as<float>()[i]);
  }
  return y;
}

std::vector<ResizeScale> resize_scales(const PrepareContext& context) {
  const Shape x = context.shape(0);
  const Shape y = context.output_shape(0);
  std::vector<ResizeScale> scales(static_cast<std::size_t>(x.rank()));
  const std::vector<std::size_t> axes = axes_of(context, scales.size());
  if (context.has_input(kScales) && context.shape(kScales).count() > 0) {
    const float* given = context.constant(kScales)->as<float>();
    for (std::size_t i = 0; i < axes.size(); ++i) scales[axes[i]] = {static_cast<double>(given[i]), 1.0, true};
    return scales;
  }
  std::vector<int64_t> before;
  for (const std::size_t axis : axes) before.push_back(x[static_cast<int>(axis)]);
  const Policy policy = policy_of(context);
  const ResizeScale kept = kept_scale(policy, context.ints(kSizes), before);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const ResizeScale own{static_cast<double>(y[static_cast<int>(axes[i])]), static_cast<double>(before[i])};
    scales[axes[i]] = policy == Policy::kStretch ? own : kept;
  }
  return scales;
}

int taps_of(const ResizeAttributes& how, int64_t count) {
  const int taps = how.mode == ResizeMode::kNearest ? 1 : how.mode == ResizeMode::kLinear ? 2 : 4;
  if (count > kMostTaps / taps) {
    fail(Code::kLimit, "an axis becomes ", count, " long, allowed are up to ", kMostTaps / taps);
  }
  return taps;
}

ResizeTap* write_taps(const ResizeAttributes& how, const ResizeScale& scale, int64_t size, int64_t count,
                      int64_t stride, ResizeTap* to) {
  const auto last = static_cast<double>(size - 1);
  for (int64_t at = 0; at < count; ++at) {
    const double x = coordinate(how, scale, size, count, at);
    if (how.mode == ResizeMode::kNearest) {
      *to++ = {static_cast<int64_t>(std::clamp(rounded(how.rounding, x), 0.0, last)) * stride, 1.0};
    } else if (how.mode == ResizeMode::kLinear) {
      const double within = std::clamp(x, 0.0, last);
      const auto low = static_cast<int64_t>(within);
      const double part = within - static_cast<double>(low);
      *to++ = {low * stride, 1.0 - part};
      *to++ = {std::min(low + 1, size - 1) * stride, part};
    } else {
      to = write_cubic(how, x, size, stride, to);
    }
  }
  return to;
}

}  // namespace slipway
