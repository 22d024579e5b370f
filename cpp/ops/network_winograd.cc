#include "ops/network_winograd.h"

#include <algorithm>
#include <array>

#include "ops/network_places.h"
#include "simd/panels.h"

namespace slipway {

namespace {

/// Most channels on either side: scratch of one tile stays small.
constexpr int64_t kMostChannels = 1024;
/// Vector multiply-adds that pass while a point is transformed and stored, per channel read, and while one is stored,
/// loaded and added up, per channel made (measured).
constexpr double kInCost = 2.1;
constexpr double kOutCost = 3.5;
/// Lanes that the choice is made for, whatever the instruction set: of a vector of channels, where most are wasted.
constexpr int64_t kWide = 16;
/// Fewer tiles, or pixels, wait for weights from afar.
constexpr int64_t kFewest = 3;
/// Direct sums are taken where the gain would be less.
constexpr double kLeastGain = 1.15;
/// Floats of a group's scratch, at most, but for groups of the least tiles: so it stays in the second cache.
constexpr int64_t kScratchFloats = int64_t{1} << 15;
constexpr int64_t kMostFloats = int64_t{1} << 22;
constexpr int64_t kMostTiles = 48;
/// Tiles of a part, at least: fewer do not fill the tiles of sums, and every part reads all weights.
constexpr int64_t kLeastPart = 8;

/// Kernels of three taps side by side, or 0.
int64_t kernels_of(const WindowAxis& axis) {
  if (axis.stride != 1 || axis.dilation != 1) return 0;
  return axis.kernel == 3 ? 1 : axis.kernel == 5 ? 2 : 0;
}

/// As even as can be, whole pieces of what a tile of sums takes at once.
int64_t group_size(int64_t tiles, int64_t floats, int64_t piece) {
  const int64_t most = std::clamp(kScratchFloats / floats / piece * piece, piece, kMostTiles);
  const int64_t groups = (tiles + most - 1) / most;
  const int64_t even = (tiles + groups - 1) / groups;
  return std::min(tiles, (even + piece - 1) / piece * piece);
}

const int32_t* keep(OwnedNetworkWinograd& made, std::vector<int32_t> list) {
  made.places.push_back(std::move(list));
  return made.places.back().data();
}

/// The first pixels of the patches.
std::vector<int32_t> patches_of(const WinogradForm& form, const WinogradSetting& setting) {
  const auto& [d, h, w] = setting.item.window.axes;
  const NetworkRoot& root = setting.places.root_of(setting.item.in);
  std::vector<int32_t> list;
  for (int64_t g = 0; g < setting.places.groups(); ++g) {
    for (int64_t y = 0; y < form.down; ++y) {
      for (int64_t x = 0; x < form.across; ++x) {
        list.push_back(setting.places.pixel_at(root, g, 0, 2 * y - h.begin, 2 * x - w.begin));
      }
    }
  }
  return list;
}

/// The pixels of the tiles in a value that is written or added.
std::vector<int32_t> tiles_of(const WinogradForm& form, const WinogradSetting& setting, int value) {
  if (setting.item.pool == 2) return setting.places.pixels_of(value);
  const NetworkRoot& root = setting.places.root_of(value);
  std::vector<int32_t> list;
  for (int64_t t = 0; t < form.tiles() * setting.places.groups(); ++t) {
    for (int64_t k = 0; k < 4; ++k) {
      const int64_t y = t % form.tiles() / form.across * 2 + k / 2;
      const int64_t x = t % form.across * 2 + k % 2;
      const bool exists = y < root.height && x < root.width;
      list.push_back(exists ? setting.places.pixel_at(root, t / form.tiles(), 0, y, x) : -1);
    }
  }
  return list;
}

/// Places of a point's terms: kernel by kernel, channel by channel.
std::vector<int32_t> terms_of(const WinogradForm& form, const WinogradSetting& setting, int point, int64_t floats) {
  const int64_t channels = setting.items.values[static_cast<std::size_t>(setting.item.in)].channels;
  std::vector<int32_t> list;
  for (int64_t k = 0; k < form.kernels(); ++k) {
    if (!form.has_point(k, point)) continue;
    for (int64_t c = 0; c < channels; ++c) {
      list.push_back(static_cast<int32_t>(k * floats + setting.places.lane_of(setting.item.in, c)));
    }
  }
  return list;
}

/// The products of all points; their weights are set where they are packed.
void add_products(const WinogradForm& form, const WinogradSetting& setting, const NetworkOp& op,
                  OwnedNetworkWinograd& made) {
  const int64_t kernel = made.in_rows * setting.lanes;
  for (int p = 0; p < kWinogradPoints; ++p) {
    NetworkOp& product = made.products[p];
    product.kind = NetworkKind::kSums;
    product.rows = op.rows;
    product.ends_in_half = op.ends_in_half;
    std::vector<int32_t> offsets = terms_of(form, setting, p, kernel);
    product.terms = static_cast<int64_t>(offsets.size());
    product.offsets = keep(made, std::move(offsets));
  }
}

using Points = std::array<float, kWinogradPoints>;

/// G g of three taps, or of two; halves are exact.
std::array<double, 4> transformed(const std::array<double, 3>& g, int64_t taps) {
  if (taps == 2) return {g[0], g[0] + g[1], 0.0, g[1]};
  return {g[0], (g[0] + g[1] + g[2]) / 2, (g[0] - g[1] + g[2]) / 2, g[2]};
}

/// G g G^T of the taps [height, width] from (y, x) on, at most three each way.
Points points_from(const float* taps, int64_t height, int64_t width, int64_t y, int64_t x) {
  const int64_t down = std::min<int64_t>(height - y, 3);
  const int64_t across = std::min<int64_t>(width - x, 3);
  std::array<std::array<double, 3>, 4> columns{};  // of each point of the rows
  for (int64_t i = 0; i < down; ++i) {
    std::array<double, 3> row{};
    for (int64_t j = 0; j < across; ++j) row[static_cast<std::size_t>(j)] = taps[(y + i) * width + x + j];
    const auto made = transformed(row, across);
    for (std::size_t j = 0; j < 4; ++j) columns[j][static_cast<std::size_t>(i)] = made[j];
  }
  Points points{};
  for (std::size_t j = 0; j < 4; ++j) {
    const auto made = transformed(columns[j], down);
    for (std::size_t i = 0; i < 4; ++i) points[i * 4 + j] = static_cast<float>(made[i]);
  }
  return points;
}

/// From weights [M, C, KH, KW], or [M, C, 1, KH, KW], the matrix [M, kernels * channels] of each point, one after the
/// other.
Tensor matrices_of(const WinogradForm& form, const Tensor& weights) {
  const Shape& shape = weights.shape();
  const int64_t channels = shape[1];
  const int64_t height = shape[shape.rank() - 2];
  const int64_t width = shape[shape.rank() - 1];
  constexpr int64_t kAtOnce = 16;  // the matrices of all points may lie in one set of a cache
  Tensor made(DType::kFloat32, Shape{form.points() * shape[0] * channels});
  struct Place {
    float* matrix;
    int64_t row;  // floats
    bool is_there;
  };
  std::array<Place, kWinogradPoints> places{};
  float* next = made.as<float>();
  for (int p = 0; p < kWinogradPoints; ++p) {
    int64_t row = 0;
    for (int64_t k = 0; k < form.kernels(); ++k) row += form.has_point(k, p) ? channels : 0;
    places[static_cast<std::size_t>(p)] = {next, row, false};
    next += row * shape[0];
  }
  for (int64_t k = 0; k < form.kernels(); ++k) {
    for (int p = 0; p < kWinogradPoints; ++p) places[static_cast<std::size_t>(p)].is_there = form.has_point(k, p);
    const float* taps = weights.as<float>();
    const int64_t y = k / form.column_kernels * 3;
    const int64_t x = k % form.column_kernels * 3;
    for (int64_t m = 0; m < shape[0]; ++m) {
      for (int64_t first = 0; first < channels; first += kAtOnce) {
        const int64_t count = std::min(kAtOnce, channels - first);
        std::array<Points, kAtOnce> points{};
        for (int64_t c = 0; c < count; ++c, taps += height * width) {
          points[static_cast<std::size_t>(c)] = points_from(taps, height, width, y, x);
        }
        for (std::size_t p = 0; p < places.size(); ++p) {
          float* to = places[p].matrix + m * places[p].row + first;
          for (int64_t c = 0; places[p].is_there && c < count; ++c) to[c] = points[static_cast<std::size_t>(c)][p];
        }
      }
    }
    for (Place& place : places) place.matrix += place.is_there ? channels : 0;
  }
  return made;
}

}  // namespace

std::optional<WinogradForm> winograd_of(const NetworkItems& items, const NetworkItem& item) {
  if (item.kind != NetworkKind::kSums || item.out < 0) return std::nullopt;
  const NetworkValue& in = items.values[static_cast<std::size_t>(item.in)];
  const NetworkValue& out = items.values[static_cast<std::size_t>(item.out)];
  const auto& [d, h, w] = item.window.axes;
  WinogradForm form;
  form.row_kernels = kernels_of(h);
  form.column_kernels = kernels_of(w);
  const bool is_plane = in.depth * d.kernel * out.depth == 1 && d.begin == 0;
  if (!is_plane || form.row_kernels == 0 || form.column_kernels == 0) return std::nullopt;
  if (std::max(in.channels, out.channels) > kMostChannels) return std::nullopt;
  form.down = item.pool == 2 ? out.height : (out.height + 1) / 2;
  form.across = item.pool == 2 ? out.width : (out.width + 1) / 2;
  const int64_t pixels = out.height * out.width * item.pool * item.pool;
  const auto halves = static_cast<double>((2 * out.channels + kWide - 1) / kWide);
  const auto products = static_cast<double>(in.channels) * halves / 2;
  const auto points = static_cast<double>(form.points());
  const double direct = static_cast<double>(std::max(pixels, kFewest) * h.kernel * w.kernel) * products;
  const double transforms = kInCost * points * static_cast<double>((in.channels + kWide - 1) / kWide) +
                            kOutCost * kWinogradPoints * static_cast<double>((out.channels + kWide - 1) / kWide);
  const double winograd = static_cast<double>(std::max(form.tiles(), kFewest)) * points * products +
                          static_cast<double>(form.tiles()) * transforms;
  if (winograd * kLeastGain >= direct) return std::nullopt;
  return form;
}

std::shared_ptr<OwnedNetworkWinograd> make_winograd(const WinogradForm& form, const WinogradSetting& setting,
                                                    NetworkOp& op) {
  const NetworkPlaces& places = setting.places;
  const NetworkItem& item = setting.item;
  auto made = std::make_shared<OwnedNetworkWinograd>();
  const NetworkSteps steps = places.steps_of(places.root_of(item.in));
  made->form = form;
  made->matrix_rows = setting.has_sample_lanes ? op.rows : op.rows * setting.lanes;
  made->row_kernels = form.row_kernels;
  made->column_kernels = form.column_kernels;
  made->row_step = steps.y;
  made->column_step = steps.x;
  made->in_rows = places.rows_of(item.in);
  op.kind = NetworkKind::kWinograd;
  const int64_t tiles = form.tiles() * places.groups();
  op.pixels = tiles;
  op.in = places.place_of(item.in, keep(*made, patches_of(form, setting)));
  op.out = places.place_of(item.out, keep(*made, tiles_of(form, setting, item.out)));
  if (item.other >= 0) op.other = places.place_of(item.other, keep(*made, tiles_of(form, setting, item.other)));

  const int64_t in_floats = form.kernels() * made->in_rows * setting.lanes;
  const int64_t out_floats = op.rows * setting.lanes;
  const int64_t piece = setting.has_sample_lanes ? 4 : 8;
  made->group = group_size(tiles, kWinogradPoints * (in_floats + out_floats), piece);
  made->in_point = odd_lines(made->group * in_floats);
  made->out_point = odd_lines(made->group * out_floats);
  made->part = kWinogradPoints * (made->in_point + made->out_point);
  const int64_t wanted = std::clamp<int64_t>(tiles / kLeastPart, 1, setting.most_parts);
  made->parts = std::clamp<int64_t>(kMostFloats / made->part, 1, wanted);
  add_products(form, setting, op, *made);

  const int64_t halves = op.rows * 2 - (op.ends_in_half ? 1 : 0);
  int64_t terms = 0;
  for (const NetworkOp& product : made->products) terms += product.terms;
  const auto transforms = kInCost * static_cast<double>(form.points() * made->in_rows) +
                          kOutCost * static_cast<double>(kWinogradPoints * op.rows);
  made->work = tiles * (halves * terms / 2 + static_cast<int64_t>(transforms));
  return made;
}

std::shared_ptr<Tensor> pack_winograd(const OwnedNetworkWinograd& made, const NetworkWeights& given, int64_t lanes,
                                      bool has_sample_lanes) {
  const int64_t m = given.weights->shape()[0];
  const int64_t terms = made.form.points() * given.weights->shape()[1];
  const int64_t biases = made.products[0].rows * lanes;
  auto packed = std::make_shared<Tensor>(DType::kFloat32, Shape{made.matrix_rows * terms + biases});
  const Tensor matrices = matrices_of(made.form, *given.weights);
  const auto fill = has_sample_lanes ? pack_even_tiles : pack_row_vectors;
  const float* from = matrices.as<float>();
  float* to = packed->as<float>();
  for (const NetworkOp& product : made.products) {
    fill(from, product.terms, 1, m, product.terms, lanes, to);
    from += m * product.terms;
    to += made.matrix_rows * product.terms;
  }
  for (int64_t i = 0; i < biases; ++i) {
    const int64_t channel = has_sample_lanes ? i / lanes : i;
    to[i] = given.bias != nullptr && channel < m ? given.bias->as<float>()[channel] : 0.0F;
  }
  return packed;
}

void set_weights(OwnedNetworkWinograd& made, const float* packed, NetworkOp& op) {
  for (NetworkOp& product : made.products) {
    product.weights = packed;
    packed += made.matrix_rows * product.terms;
  }
  op.bias = packed;
}

}  // namespace slipway
