// Layers of networks: products, convolutions, pools, normalisations; and chains of them that passes make one of.
#include <algorithm>

#include "maker.h"

namespace slipway::fuzz {

namespace {

using check::Message;

// What a window makes of one axis.
struct WindowAxis {
  int64_t kernel;
  int64_t stride;
  int64_t dilation;
  int64_t begin;
  int64_t end;

  [[nodiscard]] int64_t extent() const { return (kernel - 1) * dilation + 1; }
  [[nodiscard]] int64_t out(int64_t size) const { return (size + begin + end - extent()) / stride + 1; }
};

struct Windows {
  std::vector<WindowAxis> axes;

  [[nodiscard]] Sizes all(int64_t WindowAxis::* part) const {
    Sizes values;
    for (const WindowAxis& axis : axes) values.push_back(axis.*part);
    return values;
  }
  [[nodiscard]] Sizes pads() const {
    Sizes values = all(&WindowAxis::begin);
    for (const WindowAxis& axis : axes) values.push_back(axis.end);
    return values;
  }
};

// Windows that fit sizes of 1 and more; pads are smaller than the window.
Windows windows_for(Maker& maker, const Sizes& x) {
  Windows windows;
  for (std::size_t i = 2; i < x.size(); ++i) {
    WindowAxis axis{maker.d.from(1, std::min<int64_t>(x[i], 4)), maker.d.from(1, 3), 1, 0, 0};
    if (axis.kernel > 1 && 2 * axis.kernel - 1 <= x[i] && maker.d.chance(3)) axis.dilation = 2;
    if (axis.kernel > 1 && maker.d.chance(2)) axis.begin = maker.d.from(0, axis.kernel - 1);
    if (axis.kernel > 1 && maker.d.chance(2)) axis.end = maker.d.from(0, axis.kernel - 1);
    windows.axes.push_back(axis);
  }
  return windows;
}

std::vector<Message> attributes_of(Maker& maker, const Windows& windows, bool has_dilations = true) {
  std::vector<Message> attributes = {maker.numbers("kernel_shape", windows.all(&WindowAxis::kernel)),
                                     maker.numbers("strides", windows.all(&WindowAxis::stride)),
                                     maker.numbers("pads", windows.pads())};
  if (has_dilations) attributes.push_back(maker.numbers("dilations", windows.all(&WindowAxis::dilation)));
  return attributes;
}

// [N, C, ...] with something at every place.
Made planes(Maker& maker, std::initializer_list<int> ranks) {
  const int rank = *(ranks.begin() + maker.d.pick(ranks.size()));
  const Made x = maker.pick(kFloats, rank, rank);
  if (x.count() > 0) return x;
  Sizes dims = {maker.d.from(1, 3), maker.d.from(1, 4)};
  while (static_cast<int>(dims.size()) < rank) dims.push_back(maker.d.from(3, 7));
  return maker.fresh(x.dtype, dims);
}

Made make_conv_of(Maker& maker, const Made& x) {
  const Windows windows = windows_for(maker, x.dims);
  const int64_t groups = x.dims[1] % 2 == 0 && maker.d.chance(3) ? 2 : 1;
  const int64_t channels = groups * maker.d.from(1, 5);
  Sizes w = {channels, x.dims[1] / groups};
  Sizes to = {x.dims[0], channels};
  for (std::size_t i = 0; i < windows.axes.size(); ++i) {
    w.push_back(windows.axes[i].kernel);
    to.push_back(windows.axes[i].out(x.dims[i + 2]));
  }
  std::vector<Made> inputs = {x, maker.fresh(x.dtype, w)};
  if (maker.d.chance(2)) inputs.push_back(maker.fresh(x.dtype, {channels}));
  std::vector<Message> attributes = attributes_of(maker, windows);
  attributes.push_back(maker.number("group", groups));
  return maker.add("Conv", inputs, attributes, x.dtype, to);
}

void make_conv(Maker& maker, std::string_view) { make_conv_of(maker, planes(maker, {3, 4, 5})); }

Made make_conv_transpose_of(Maker& maker, const Made& x) {
  const int64_t groups = x.dims[1] % 2 == 0 && maker.d.chance(3) ? 2 : 1;
  const int64_t channels = maker.d.from(1, 4);
  Windows windows;
  Sizes w = {x.dims[1], channels};
  Sizes to = {x.dims[0], channels * groups};
  Sizes more;
  for (std::size_t i = 2; i < x.dims.size(); ++i) {
    WindowAxis axis{maker.d.from(1, 3), maker.d.from(1, 3), maker.d.from(1, 2), 0, 0};
    if (axis.kernel > 1 && maker.d.chance(2)) axis.begin = 1;
    more.push_back(axis.stride > 1 ? maker.d.from(0, 1) : 0);
    w.push_back(axis.kernel);
    to.push_back(axis.stride * (x.dims[i] - 1) + more.back() + axis.extent() - axis.begin);
    windows.axes.push_back(axis);
  }
  std::vector<Made> inputs = {x, maker.fresh(x.dtype, w)};
  if (maker.d.chance(2)) inputs.push_back(maker.fresh(x.dtype, {channels * groups}));
  std::vector<Message> attributes = attributes_of(maker, windows);
  attributes.push_back(maker.number("group", groups));
  attributes.push_back(maker.numbers("output_padding", more));
  return maker.add("ConvTranspose", inputs, attributes, x.dtype, to);
}

void make_conv_transpose(Maker& maker, std::string_view) { make_conv_transpose_of(maker, planes(maker, {3, 4, 5})); }

void make_pool(Maker& maker, std::string_view op) {
  const Made x = planes(maker, {3, 4, 5});
  Windows windows = windows_for(maker, x.dims);
  const bool has_dilations = op == "MaxPool" || maker.opset >= 19;
  for (WindowAxis& axis : windows.axes) axis.dilation = has_dilations ? axis.dilation : 1;
  Sizes to = {x.dims[0], x.dims[1]};
  for (std::size_t i = 0; i < windows.axes.size(); ++i) to.push_back(windows.axes[i].out(x.dims[i + 2]));
  std::vector<Message> attributes = attributes_of(maker, windows, has_dilations);
  if (op == "AveragePool") {
    if (maker.d.chance(2)) attributes.push_back(maker.number("count_include_pad", 1));
  } else if (maker.d.chance(2)) {
    const std::vector<Made> outputs = {Made{"", x.dtype, to}, Made{"", DType::kInt64, to}};
    attributes.push_back(maker.number("storage_order", maker.d.from(0, 1)));
    return static_cast<void>(maker.add(op, {x.name}, attributes, outputs));
  }
  maker.add(op, {x}, attributes, x.dtype, to);
}

void make_global_pool(Maker& maker, std::string_view op) {
  const Made x = planes(maker, {3, 4, 5});
  Sizes to = x.dims;
  std::fill(to.begin() + 2, to.end(), 1);
  maker.add(op, {x}, {}, x.dtype, to);
}

Made make_batch_normalization_of(Maker& maker, const Made& x) {
  std::vector<Made> inputs = {x};
  for (int i = 0; i < 3; ++i) inputs.push_back(maker.fresh(x.dtype, {x.dims[1]}));
  inputs.push_back(maker.fresh(x.dtype, {x.dims[1]}, {1, 3}));  // the variance
  return maker.add("BatchNormalization", inputs, {maker.real("epsilon", 1e-3)}, x.dtype, x.dims);
}

void make_batch_normalization(Maker& maker, std::string_view) {
  make_batch_normalization_of(maker, planes(maker, {2, 3, 4, 5}));
}

void make_instance_normalization(Maker& maker, std::string_view op) {
  const Made x = planes(maker, {3, 4, 5});
  const Made scale = maker.fresh(x.dtype, {x.dims[1]});
  maker.add(op, {x, scale, maker.fresh(x.dtype, {x.dims[1]})}, {maker.real("epsilon", 1e-3)}, x.dtype, x.dims);
}

void make_matmul(Maker& maker, std::string_view op) {
  const Made a = maker.pick(kWide, 1, 4);
  const bool is_vector = maker.d.chance(4);
  Sizes b = {a.dims.back()};
  Sizes to(a.dims.begin(), a.dims.end() - 1);
  if (!is_vector) {
    b.push_back(maker.d.from(1, 9));
    to.push_back(b.back());
    if (a.rank() > 2 && maker.d.chance(2)) b.insert(b.begin(), a.dims[a.dims.size() - 3]);
  }
  maker.add(op, {a, maker.fresh(a.dtype, b)}, {}, a.dtype, to);
}

Made make_gemm_of(Maker& maker, const Made& a) {
  const bool turns_a = maker.d.chance(4);
  const bool turns_b = maker.d.chance(2);
  const int64_t m = a.dims[turns_a ? 1 : 0];
  const int64_t k = a.dims[turns_a ? 0 : 1];
  const int64_t n = maker.d.from(1, 20);
  std::vector<Made> inputs = {a, maker.fresh(a.dtype, turns_b ? Sizes{n, k} : Sizes{k, n})};
  if (maker.d.chance(2)) inputs.push_back(maker.fresh(a.dtype, maker.d.chance(2) ? Sizes{n} : Sizes{m, 1}));
  std::vector<Message> attributes = {maker.number("transA", turns_a ? 1 : 0), maker.number("transB", turns_b ? 1 : 0)};
  if (maker.d.chance(3)) attributes.push_back(maker.real("alpha", 0.5));
  if (maker.d.chance(3)) attributes.push_back(maker.real("beta", 2));
  return maker.add("Gemm", inputs, attributes, a.dtype, {m, n});
}

void make_gemm(Maker& maker, std::string_view) { make_gemm_of(maker, maker.pick(kFloats, 2, 2)); }

Made activated(Maker& maker, const Made& x) {
  constexpr std::string_view kActivations[] = {"Relu", "Sigmoid", "Tanh", "LeakyRelu", "Clip", "HardSwish"};
  const std::string_view chosen = maker.d.one_of(kActivations);
  if (chosen == "Sigmoid" && maker.d.chance(2)) {
    const Made factor = maker.add("Sigmoid", {x}, {}, x.dtype, x.dims);
    return maker.add("Mul", {x, factor}, {}, x.dtype, x.dims);
  }
  if (chosen == "HardSwish" && maker.opset < 14) return maker.add("Relu", {x}, {}, x.dtype, x.dims);
  std::vector<Made> inputs = {x};
  if (chosen == "Clip") inputs.insert(inputs.end(), {maker.fresh(x.dtype, {}), maker.fresh(x.dtype, {})});
  return maker.add(chosen, inputs, {}, x.dtype, x.dims);
}

void make_conv_activation(Maker& maker, std::string_view) {
  activated(maker, make_conv_of(maker, planes(maker, {3, 4})));
}

void make_gemm_activation(Maker& maker, std::string_view) {
  const Made a = maker.fresh(DType::kFloat32, {maker.d.from(1, 5), maker.d.from(1, 9)});
  activated(maker, make_gemm_of(maker, a));
}

// A convolution of groups of so many channels; of one each channel stays alone.
Made in_groups_of(Maker& maker, int64_t fellows, const Made& x) {
  const Windows windows = windows_for(maker, x.dims);
  Sizes w = {x.dims[1], fellows};
  Sizes to = {x.dims[0], x.dims[1]};
  for (std::size_t i = 0; i < windows.axes.size(); ++i) {
    w.push_back(windows.axes[i].kernel);
    to.push_back(windows.axes[i].out(x.dims[i + 2]));
  }
  std::vector<Message> attributes = attributes_of(maker, windows);
  attributes.push_back(maker.number("group", x.dims[1] / fellows));
  return maker.add("Conv", {x, maker.weights(x.dtype, w)}, attributes, x.dtype, to);
}

Made make_depthwise_of(Maker& maker, const Made& x) { return in_groups_of(maker, 1, x); }

// A convolution of single places, for `channels` of them.
Made widened(Maker& maker, const Made& x, int64_t channels) {
  Sizes to = x.dims;
  to[1] = channels;
  Sizes w(x.dims.size(), 1);
  w[0] = channels;
  w[1] = x.dims[1];
  return maker.add("Conv", {x, maker.weights(x.dtype, w)}, {}, x.dtype, to);
}

// A convolution of groups of several channels.
Made make_grouped_of(Maker& maker, const Made& from) {
  constexpr int64_t kFellows[] = {2, 3, 4, 8, 16};
  const int64_t fellows = maker.d.one_of(kFellows);
  const int64_t groups = maker.d.from(2, 5);
  return in_groups_of(maker, fellows, widened(maker, from, fellows * groups));
}

// Half of the channels times the other half, which may begin between vectors.
Made make_gate_of(Maker& maker, const Made& from) {
  const int64_t half = 8 * maker.d.from(1, 4);
  const Made x = widened(maker, from, 2 * half);
  Made part = x;
  part.dims[1] = half;
  const Made sizes = maker.constant(DType::kInt64, {2}, {static_cast<double>(half), static_cast<double>(half)});
  const std::vector<Made> parts = maker.add("Split", {x.name, sizes.name}, {maker.number("axis", 1)}, {part, part});
  const Made gate = maker.add("Sigmoid", {parts[1]}, {}, x.dtype, part.dims);
  return maker.add("Mul", {parts[0], gate}, {}, x.dtype, part.dims);
}

// Each number times another, or times that of its channel.
Made make_product_of(Maker& maker, const Made& x) {
  const bool is_whole = maker.d.chance(2);
  Sizes pixel(x.dims.size(), 1);
  std::copy_n(x.dims.begin(), 2, pixel.begin());
  const Made factor =
      is_whole ? maker.add("Sigmoid", {x}, {}, x.dtype, x.dims) : maker.add("GlobalMaxPool", {x}, {}, x.dtype, pixel);
  const bool turned = maker.d.chance(2);
  return maker.add("Mul", {turned ? factor : x, turned ? x : factor}, {}, x.dtype, x.dims);
}

// Layers that each read all that was made before, which is concatenated part by part or two by two.
Made make_growing_of(Maker& maker, const Made& from) {
  const int64_t growth = maker.d.chance(3) ? maker.d.from(1, 9) : 16;
  const bool is_chained = maker.d.chance(2);
  std::vector<Made> parts = {maker.d.chance(4) ? from : widened(maker, from, 16 * maker.d.from(1, 2))};
  Made all = parts.front();
  for (int64_t more = maker.d.from(1, 3); more > 0; --more) {
    parts.push_back(widened(maker, all, growth));
    Sizes to = all.dims;
    to[1] += growth;
    const std::vector<Made> joined = is_chained ? std::vector<Made>{all, parts.back()} : parts;
    all = maker.add("Concat", joined, {maker.number("axis", 1)}, all.dtype, to);
  }
  return all;
}

// Convolutions and a dense layer on an input whose first size varies, which become one program.
void make_network(Maker& maker, std::string_view) {
  const int64_t n = maker.d.from(1, 9);
  Sizes dims = {n, maker.d.from(1, 3), maker.d.from(4, 9), maker.d.from(4, 9)};
  if (maker.d.chance(4)) dims.insert(dims.begin() + 2, maker.d.from(2, 4));
  Made x = maker.fresh(DType::kFloat32, dims);
  for (int64_t more = maker.d.from(1, 2); more > 0; --more) {
    x = make_conv_of(maker, x);
    if (maker.d.chance(2)) x = make_batch_normalization_of(maker, x);
    x = activated(maker, x);
    if (maker.d.chance(4)) x = make_depthwise_of(maker, x);
    if (maker.d.chance(4)) x = make_conv_transpose_of(maker, x);
    if (maker.d.chance(4)) x = make_product_of(maker, x);
    if (maker.d.chance(6)) x = make_grouped_of(maker, x);
    if (maker.d.chance(6)) x = make_gate_of(maker, x);
    if (maker.d.chance(6)) x = make_growing_of(maker, x);
  }
  const Made flat = maker.add("Flatten", {x}, {}, x.dtype, {n, x.count() / n});
  make_gemm_of(maker, flat);
}

// The same with channels enough for convolutions in tiles, which may be pooled, and added to their input.
void make_tiles(Maker& maker, std::string_view) {
  const int64_t n = maker.d.from(1, 3);
  const int64_t channels = maker.d.from(6, 34);
  Made x = maker.input(DType::kFloat32, {n, channels, maker.d.from(2, 9), maker.d.from(2, 9)});
  for (int64_t more = maker.d.from(1, 2); more > 0; --more) {
    Windows windows;
    for (int axis = 2; axis < 4; ++axis) {
      const int64_t half = maker.d.chance(3) ? 2 : 1;
      windows.axes.push_back({2 * half + 1, 1, 1, half, half});
    }
    const Sizes window = windows.all(&WindowAxis::kernel);
    const Made w = maker.weights(x.dtype, {channels, channels, window[0], window[1]});
    std::vector<Message> attributes = attributes_of(maker, windows);
    Made y = maker.add("Conv", {x, w, maker.weights(x.dtype, {channels})}, attributes, x.dtype, x.dims);
    if (maker.d.chance(2)) y = maker.add("Add", {y, x}, {}, x.dtype, x.dims);
    if (!maker.d.chance(3)) y = activated(maker, y);
    x = y;
  }
  if (maker.d.chance(2)) {
    const std::vector<Message> attributes = {maker.numbers("kernel_shape", {2, 2}), maker.numbers("strides", {2, 2})};
    x = maker.add("MaxPool", {x}, attributes, x.dtype, {n, channels, x.dims[2] / 2, x.dims[3] / 2});
  }
  const Made flat = maker.add("Flatten", {x}, {}, x.dtype, {n, x.count() / n});
  maker.add("Gemm", {flat, maker.weights(x.dtype, {x.count() / n, 3})}, {}, x.dtype, {n, 3});
}

void make_space(Maker& maker, std::string_view op) {
  const int64_t size = maker.d.from(1, 3);
  const int64_t area = size * size;
  const Sizes deep = {maker.d.from(0, 2), area * maker.d.from(1, 2), maker.d.from(1, 3), maker.d.from(1, 3)};
  const Sizes wide = {deep[0], deep[1] / area, deep[2] * size, deep[3] * size};
  const bool widens = op == "DepthToSpace";
  const Made x = maker.fresh(maker.d.one_of(kAny), widens ? deep : wide);
  std::vector<Message> attributes = {maker.number("blocksize", size)};
  if (widens && maker.d.chance(2)) attributes.push_back(maker.text("mode", "CRD"));
  maker.add(op, {x}, attributes, x.dtype, widens ? wide : deep);
}

}  // namespace

std::vector<OpMaker> layer_makers() {
  std::vector<OpMaker> makers = {{"Conv", &make_conv},
                                 {"ConvTranspose", &make_conv_transpose},
                                 {"AveragePool", &make_pool},
                                 {"MaxPool", &make_pool},
                                 {"GlobalAveragePool", &make_global_pool},
                                 {"GlobalMaxPool", &make_global_pool},
                                 {"BatchNormalization", &make_batch_normalization},
                                 {"InstanceNormalization", &make_instance_normalization},
                                 {"MatMul", &make_matmul},
                                 {"Gemm", &make_gemm},
                                 {"DepthToSpace", &make_space},
                                 {"SpaceToDepth", &make_space}};
  makers.push_back({"Conv", &make_conv_activation, "ConvActivation"});
  makers.push_back({"Gemm", &make_gemm_activation, "GemmActivation"});
  makers.push_back({"Conv", &make_network, "Network"});
  makers.push_back({"Conv", &make_tiles, "NetworkTiles"});
  return makers;
}

}  // namespace slipway::fuzz
