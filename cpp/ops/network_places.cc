#include "ops/network_places.h"

#include <algorithm>
#include <limits>

#include "ops/network_spread.h"
#include "ops/network_winograd.h"
#include "ops/window_rules.h"

namespace slipway {

namespace {

/// A value takes at most this much memory.
constexpr int64_t kMostBytes = int64_t{1} << 28;
/// Samples of a block of dense layers whose lanes are channels, and vectors of samples of one whose lanes are samples:
/// as many as a tile has pixels.
constexpr int64_t kDenseSamples = 8;
constexpr int64_t kDenseVectors = 4;
/// Tiles read a few pixels of every channel, or every channel of a few pixels. Steps of a multiple of so many floats
/// would lead to the same few sets of a cache (measured: 1.2 to 1.6 times as slow from channel to channel).
constexpr int64_t kChannelConflict = 128;
constexpr int64_t kPixelConflict = 1024;

int64_t apart(int64_t floats, int64_t conflict) { return floats % conflict == 0 ? odd_lines(floats) : floats; }

/// What an item's windows, or tiles, read beyond the edges of its input.
NetworkBorder reach_of(const NetworkItems& items, const NetworkItem& item) {
  if (item.kind == NetworkKind::kSpread) return spread_reach(item);
  const auto& [d, h, w] = item.window.axes;
  const auto beyond = [](const WindowAxis& axis, int64_t last) {
    return std::max<int64_t>(0, last - axis.begin - axis.input + 1);
  };
  const auto last_of = [](const WindowAxis& axis) {
    return (axis.output - 1) * axis.stride + (axis.kernel - 1) * axis.dilation;
  };
  NetworkBorder reach = {
      h.begin, w.begin, beyond(h, last_of(h)), beyond(w, last_of(w)), d.begin, beyond(d, last_of(d))};
  if (const auto form = winograd_of(items, item)) {
    reach.bottom = std::max(reach.bottom, beyond(h, 2 * form->down - 3 + form->patch_rows()));
    reach.right = std::max(reach.right, beyond(w, 2 * form->across - 3 + form->patch_columns()));
  }
  return reach;
}

}  // namespace

void NetworkBorder::grow(const NetworkBorder& other) noexcept {
  top = std::max(top, other.top);
  left = std::max(left, other.left);
  bottom = std::max(bottom, other.bottom);
  right = std::max(right, other.right);
  front = std::max(front, other.front);
  back = std::max(back, other.back);
}

NetworkPlaces::NetworkPlaces(const NetworkItems& items, int64_t lanes, bool has_sample_lanes, const NetworkCut& cut)
    : items_(items), lanes_(lanes), has_sample_lanes_(has_sample_lanes), cut_(cut), placed_(items.values.size()) {
  place_channels();
  add_roots();
  for (const NetworkItem& item : items_.list) {
    if (sums_windows(item.kind) && item.out >= 0) root_of(item.in).border.grow(reach_of(items_, item));
  }
  for (const NetworkItem& item : items_.list) {
    if (item.kind == NetworkKind::kCopy) place_input(item);
  }
  set_cut();
}

void NetworkPlaces::place_channels() {
  for (const NetworkSlice& slice : items_.slices) set_lanes(slice.part, -1);
  for (const NetworkItem& item : items_.list) {
    if (item.kind == NetworkKind::kGather || item.out < 0) continue;
    const bool keeps =
        item.kind == NetworkKind::kDepthwise || !(sums_windows(item.kind) || item.kind == NetworkKind::kCopy);
    for (const int in : {item.in, item.other}) {
      if (in >= 0 && items_.concat_of(in) != nullptr && at(in).lanes.empty()) set_lanes(in, -1);
    }
    set_lanes(item.out, keeps ? item.in : -1);
    if (item.other >= 0) {
      require_fit(at(item.other).lanes == at(item.out).lanes && at(item.other).padded == at(item.out).padded);
    }
  }
  for (const NetworkConcat& concat : items_.concats) {
    if (at(concat.whole).lanes.empty()) set_lanes(concat.whole, -1);
  }
}

// Lanes of a value's channels: one after the other, as those of `like`, or those of its parts.
void NetworkPlaces::set_lanes(int index, int like) {
  Placed& made = at(index);
  if (const NetworkConcat* concat = items_.concat_of(index)) {
    for (const int part : concat->parts) {
      for (const int64_t lane : at(part).lanes) made.lanes.push_back(made.padded + lane);
      at(part).first = made.padded;
      made.padded += at(part).padded;
    }
    return require_fit(static_cast<int64_t>(made.lanes.size()) == value(index).channels);
  }
  if (like >= 0) {
    require_fit(value(like).channels == value(index).channels);
    made.lanes = at(like).lanes;
    made.padded = at(like).padded;
    return;
  }
  for (int64_t c = 0; c < value(index).channels; ++c) made.lanes.push_back(c);
  made.padded = value(index).channels;
  if (!has_sample_lanes_) made.padded = (made.padded + lanes_ - 1) / lanes_ * lanes_;
}

void NetworkPlaces::add_roots() {
  for (std::size_t i = 0; i < placed_.size(); ++i) {
    const int index = static_cast<int>(i);
    if (placed_[i].lanes.empty() || items_.concat_with(index) != nullptr || value(index).is_slice) continue;
    placed_[i].root = static_cast<int>(roots_.size());
    NetworkRoot root;
    root.depth = value(index).depth;
    root.height = value(index).height;
    root.width = value(index).width;
    root.channels = placed_[i].padded;
    root.life = {0, std::numeric_limits<int>::max(), -1, 0};
    roots_.push_back(root);
  }
  for (const NetworkConcat& concat : items_.concats) {
    for (const int part : concat.parts) at(part).root = at(concat.whole).root;
  }
  for (const NetworkSlice& slice : items_.slices) {
    const Placed& whole = at(slice.whole);
    const auto first = static_cast<std::size_t>(slice.first);
    require_fit(has_sample_lanes_ || is_run(slice.whole));
    at(slice.part).root = whole.root;
    at(slice.part).first = whole.first + whole.lanes[first];
  }
}

// Direct sums read numbers: what only they read stays as it is, and is not even copied where nothing is around it.
void NetworkPlaces::place_input(const NetworkItem& input) {
  if (has_sample_lanes_) return;
  for (const NetworkItem& item : items_.list) {
    const bool is_sum = item.kind == NetworkKind::kSums || item.kind == NetworkKind::kSpread;
    const bool reads_numbers = is_sum && item.in == input.out && item.other != input.out && !winograd_of(items_, item);
    if (!reads_numbers && (item.in == input.out || item.other == input.out)) return;
  }
  NetworkRoot& made = root_of(input.out);
  made.is_plane = true;
  made.channels = value(input.out).channels;
  if (made.border.is_empty()) made.port = input.port;
}

void NetworkPlaces::set_cut() {
  for (const NetworkRoot& made : roots_) {
    const int64_t pixels = saturating_product(made.planes(), made.rows(), made.columns());
    require_fit(saturating_product(pixels, made.channels, 4 * lanes_) < kMostBytes);
  }
  // What is computed is single pixels; an input may be an image that is flattened.
  const bool is_dense = std::all_of(items_.list.begin(), items_.list.end(), [&](const NetworkItem& item) {
    return item.kind == NetworkKind::kCopy || item.out < 0 || value(item.out).pixels() == 1;
  });
  if (is_dense || has_sample_lanes_) cut_ = {};
  if (is_dense) {
    cut_.samples = has_sample_lanes_ ? std::min((items_.batch + lanes_ - 1) / lanes_, kDenseVectors)
                                     : std::min(items_.batch, kDenseSamples);
  }
  for (std::size_t i = cut_.first; i < items_.list.size(); ++i) {
    const NetworkItem& item = items_.list[i];
    if (item.kind != NetworkKind::kGather && item.out < 0) continue;
    for (const int index : {item.in, item.other, item.out}) {
      if (index >= 0) root_of(index).groups = cut_.samples;
    }
  }
}

NetworkSteps NetworkPlaces::steps_of(const NetworkRoot& root) const noexcept {
  const bool is_by_channel = has_sample_lanes_ || root.is_plane;
  const int64_t x = !is_by_channel ? apart(root.channels, kPixelConflict) : has_sample_lanes_ ? lanes_ : 1;
  const int64_t y = root.columns() * x;
  const int64_t z = root.rows() * y;
  const int64_t all = has_sample_lanes_ ? apart(root.planes() * z, kChannelConflict) : root.planes() * z;
  return is_by_channel ? NetworkSteps{x, y, z, all, root.channels * all} : NetworkSteps{x, y, z, 1, all};
}

int64_t NetworkPlaces::channel_at(int value, int64_t c) const {
  return at(value).lanes[static_cast<std::size_t>(c)] * steps_of(root_of(value)).channel;
}

int64_t NetworkPlaces::lane_of(int value, int64_t c) const {
  return at(value).lanes[static_cast<std::size_t>(c)] * (has_sample_lanes_ ? lanes_ : 1);
}

int64_t NetworkPlaces::rows_of(int value) const {
  return has_sample_lanes_ ? at(value).padded : at(value).padded / lanes_;
}

bool NetworkPlaces::is_run(int value) const {
  const std::vector<int64_t>& lanes = at(value).lanes;
  return !has_sample_lanes_ && lanes.front() == 0 && lanes.back() == static_cast<int64_t>(lanes.size()) - 1;
}

bool NetworkPlaces::is_turned(int index) const {
  return is_run(index) && !root_of(index).is_plane && 2 * value(index).pixels() >= lanes_;
}

int32_t NetworkPlaces::pixel_at(const NetworkRoot& root, int64_t g, int64_t z, int64_t y, int64_t x) const {
  const NetworkSteps steps = steps_of(root);
  const int64_t place = g * steps.group + (root.border.front + z) * steps.z + (root.border.top + y) * steps.y +
                        (root.border.left + x) * steps.x;
  require_fit(place >= 0 && place <= std::numeric_limits<int32_t>::max());
  return static_cast<int32_t>(place);
}

std::vector<int32_t> NetworkPlaces::pixels_of(int value) const {
  const NetworkRoot& root = root_of(value);
  std::vector<int32_t> list;
  for (int64_t g = 0; g < groups_; ++g) {
    for (int64_t z = 0; z < root.depth; ++z) {
      for (int64_t y = 0; y < root.height; ++y) {
        for (int64_t x = 0; x < root.width; ++x) list.push_back(pixel_at(root, g, z, y, x));
      }
    }
  }
  return list;
}

std::vector<int32_t> NetworkPlaces::elements_of(int index) const {
  const std::vector<int32_t> pixels = pixels_of(index);
  const int64_t count = value(index).pixels();
  std::vector<int32_t> list;
  for (int64_t g = 0; g < groups_; ++g) {
    for (int64_t c = 0; c < value(index).channels; ++c) {
      const auto channel = static_cast<int32_t>(channel_at(index, c));
      for (int64_t i = 0; i < count; ++i) list.push_back(pixels[static_cast<std::size_t>(g * count + i)] + channel);
    }
  }
  return list;
}

NetworkPlaces::Runs NetworkPlaces::border_of(int value) const {
  const NetworkRoot& root = root_of(value);
  const NetworkSteps steps = steps_of(root);
  const int64_t channels = has_sample_lanes_ || root.is_plane ? root.channels : 1;
  Runs runs;
  const auto add = [&](int64_t begin, int64_t length) {
    if (length == 0) return;
    if (!runs.begins.empty() && runs.begins.back() + runs.lengths.back() == begin) {
      runs.lengths.back() += static_cast<int32_t>(length);
    } else {
      runs.begins.push_back(static_cast<int32_t>(begin));
      runs.lengths.push_back(static_cast<int32_t>(length));
    }
  };
  const auto is_beyond = [](int64_t i, int64_t border, int64_t size) { return i < border || i >= border + size; };
  for (int64_t i = 0; i < groups_ * channels; ++i) {
    const int64_t channel = i / channels * steps.group + i % channels * steps.channel;
    for (int64_t k = 0; k < root.planes() * root.rows(); ++k) {
      const int64_t row = channel + k * steps.y;
      if (is_beyond(k / root.rows(), root.border.front, root.depth) ||
          is_beyond(k % root.rows(), root.border.top, root.height)) {
        add(row, steps.y);
        continue;
      }
      add(row, root.border.left * steps.x);
      add(row + (root.border.left + root.width) * steps.x, root.border.right * steps.x);
    }
  }
  return runs;
}

NetworkPlace NetworkPlaces::place_of(int value, const int32_t* pixels) const {
  const NetworkRoot& root = root_of(value);
  const NetworkSteps steps = steps_of(root);
  NetworkPlace place;
  place.port = root.port;
  place.sample = root.port >= 0 || root.groups > 1 ? steps.group : 0;
  place.start = at(value).first * steps.channel;
  place.row = has_sample_lanes_ || root.is_plane ? steps.channel : lanes_;
  place.pixels = pixels;
  return place;
}

void NetworkPlaces::touch(int value, int now) {
  Lifetime& life = root_of(value).life;
  // What all samples leave behind one after the other is there from the first operation on.
  life.first = root_of(value).groups > groups_ ? 0 : std::min(life.first, now);
  life.last = now;
}

int64_t NetworkPlaces::lay_out_roots() {
  std::vector<Lifetime> lives;
  std::vector<std::size_t> owners;
  for (std::size_t i = 0; i < roots_.size(); ++i) {
    NetworkRoot& made = roots_[i];
    if (made.port >= 0 || made.life.last < 0) continue;
    made.life.bytes = saturating_product(steps_of(made).group, made.groups, 4);
    require_fit(made.life.bytes < kMostBytes);
    lives.push_back(made.life);
    owners.push_back(i);
  }
  const int64_t bytes = lay_out(lives);
  for (std::size_t i = 0; i < owners.size(); ++i) roots_[owners[i]].life.offset = lives[i].offset;
  require_fit(bytes < kMostBytes);
  return bytes / 4;
}

}  // namespace slipway
