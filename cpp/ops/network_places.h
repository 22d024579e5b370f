// Where the values of a network are in the memory of a block, in one layout (network.h).
#pragma once

#include <vector>

#include "base/layout.h"
#include "ops/network_cut.h"
#include "ops/network_items.h"

namespace slipway {

/// Planes, rows and columns around a value that stay zero, so that windows may reach over its edges.
struct NetworkBorder {
  int64_t top = 0;
  int64_t left = 0;
  int64_t bottom = 0;
  int64_t right = 0;
  int64_t front = 0;
  int64_t back = 0;

  void grow(const NetworkBorder& other) noexcept;
  [[nodiscard]] bool is_empty() const noexcept { return top + left + bottom + right + front + back == 0; }
};

/// The floats of an odd number of pieces of 64 bytes, at least `floats`: steps of so many lead through all sets of a
/// cache.
[[nodiscard]] constexpr int64_t odd_lines(int64_t floats) noexcept { return ((floats + 15) / 16 | 1) * 16; }

/// Memory that one value has, or several that are concatenated.
struct NetworkRoot {
  int64_t depth = 0;
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 0;  ///< where lanes are channels: with the padding of every part
  NetworkBorder border;
  bool is_plane = false;  ///< channel by channel though lanes are channels: an input that only sums read
  int port = -1;          ///< the input that it is: nothing is copied
  int64_t groups = 1;     ///< of samples that are there at once
  Lifetime life;

  /// With the border.
  [[nodiscard]] int64_t planes() const noexcept { return border.front + depth + border.back; }
  [[nodiscard]] int64_t rows() const noexcept { return border.top + height + border.bottom; }
  [[nodiscard]] int64_t columns() const noexcept { return border.left + width + border.right; }
};

/// Floats from one column, row, plane, channel, and group of samples to the next.
struct NetworkSteps {
  int64_t x;
  int64_t y;
  int64_t z;
  int64_t channel;
  int64_t group;
};

class NetworkPlaces final {
 public:
  /// `lanes` of a vector. The cut is one of lanes that are channels. Throws NetworkUnfit.
  NetworkPlaces(const NetworkItems& items, int64_t lanes, bool has_sample_lanes, const NetworkCut& cut);

  /// Of samples that this item of the list takes at once; what is listed from now on is for so many.
  void begin(std::size_t item) noexcept { groups_ = item < cut_.first ? 1 : cut_.samples; }
  [[nodiscard]] int64_t groups() const noexcept { return groups_; }
  [[nodiscard]] const NetworkCut& cut() const noexcept { return cut_; }
  /// Samples of a group.
  [[nodiscard]] int64_t group() const noexcept { return has_sample_lanes_ ? lanes_ : 1; }
  [[nodiscard]] NetworkRoot& root_of(int value) { return roots_[static_cast<std::size_t>(at(value).root)]; }
  [[nodiscard]] const NetworkRoot& root_of(int value) const { return roots_[static_cast<std::size_t>(at(value).root)]; }
  [[nodiscard]] int root_index(int value) const { return at(value).root; }
  [[nodiscard]] NetworkSteps steps_of(const NetworkRoot& root) const noexcept;
  /// Place of channel `c` from a pixel's place.
  [[nodiscard]] int64_t channel_at(int value, int64_t c) const;
  /// Place of channel `c` among the vectors of a pixel's rows, one after the other.
  [[nodiscard]] int64_t lane_of(int value, int64_t c) const;
  [[nodiscard]] int64_t channels_of(int value) const { return static_cast<int64_t>(at(value).lanes.size()); }
  /// Channels, or vectors of them.
  [[nodiscard]] int64_t rows_of(int value) const;
  /// True where the channels of a pixel lie one after the other.
  [[nodiscard]] bool is_run(int value) const;

  /// True where all channels of a vector of its pixels are turned at once, on the way from or to the call's arrays.
  [[nodiscard]] bool is_turned(int value) const;

  /// Place of pixel (z, y, x) in group g of samples; it may lie in the border.
  [[nodiscard]] int32_t pixel_at(const NetworkRoot& root, int64_t g, int64_t z, int64_t y, int64_t x) const;
  /// All pixels of a value, group by group; and all elements in ONNX's order.
  [[nodiscard]] std::vector<int32_t> pixels_of(int value) const;
  [[nodiscard]] std::vector<int32_t> elements_of(int value) const;
  /// Runs of floats of the border around a value: where they begin, and their lengths.
  struct Runs {
    std::vector<int32_t> begins;
    std::vector<int32_t> lengths;
  };
  [[nodiscard]] Runs border_of(int value) const;
  [[nodiscard]] NetworkPlace place_of(int value, const int32_t* pixels) const;

  /// Operation `now` uses the value.
  void touch(int value, int now);
  /// Lays out all that was touched; returns the floats of a slot.
  [[nodiscard]] int64_t lay_out_roots();
  /// Where a root begins, in floats.
  [[nodiscard]] int64_t start_of(int root) const { return roots_[static_cast<std::size_t>(root)].life.offset / 4; }

 private:
  struct Placed {
    int root = -1;
    int64_t first = 0;           // channel of the root at which it begins
    std::vector<int64_t> lanes;  // of each channel, after `first`
    int64_t padded = 0;          // channels with padding
  };

  [[nodiscard]] Placed& at(int value) { return placed_[static_cast<std::size_t>(value)]; }
  [[nodiscard]] const Placed& at(int value) const { return placed_[static_cast<std::size_t>(value)]; }
  [[nodiscard]] const NetworkValue& value(int index) const { return items_.values[static_cast<std::size_t>(index)]; }
  void place_channels();
  void set_lanes(int index, int like);
  void add_roots();
  void place_input(const NetworkItem& input);
  void set_cut();

  const NetworkItems& items_;
  int64_t lanes_;
  bool has_sample_lanes_;
  NetworkCut cut_;
  int64_t groups_ = 1;
  std::vector<Placed> placed_;
  std::vector<NetworkRoot> roots_;
};

}  // namespace slipway
