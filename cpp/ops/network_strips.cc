#include "ops/network_strips.h"

#include <algorithm>
#include <utility>

#include "ops/network_cost.h"
#include "ops/network_places.h"

namespace slipway {

namespace {

const int32_t* keep(OwnedNetworkStrips& made, std::vector<int32_t> list) {
  made.places.push_back(std::move(list));
  return made.places.back().data();
}

}  // namespace

std::shared_ptr<OwnedNetworkStrips> make_strips(const NetworkItem& item, const NetworkPlaces& places, int64_t channels,
                                                int64_t lanes, int64_t work, NetworkOp& op) {
  const NetworkRoot& in = places.root_of(item.in);
  const NetworkRoot& out = places.root_of(item.out);
  const auto& [d, h, w] = item.window.axes;
  const int64_t columns = out.width * item.pool;
  if (!in.is_plane || item.other >= 0 || w.stride != 1 || columns < lanes || channels > lanes) return nullptr;
  const int64_t across = (columns + lanes - 1) / lanes;
  const int64_t rows = out.depth * out.height;
  const int64_t strips = places.groups() * rows * across;
  auto made = std::make_shared<OwnedNetworkStrips>();
  made->lines = item.pool;
  made->work = strips * (item.pool * channels * (op.terms + 1) + lanes * kTurnCost);
  if (made->work >= work) return nullptr;
  made->channels = channels;
  made->step = places.steps_of(out).x;

  std::vector<int32_t> from;
  std::vector<int32_t> lines;
  std::vector<int32_t> to;
  std::vector<int32_t> skipped;
  for (int64_t i = 0; i < places.groups() * rows; ++i) {
    const int64_t g = i / rows;
    const int64_t z = i % rows / out.height;
    const int64_t y = i % out.height;
    for (int64_t k = 0; k < across; ++k) {
      // The last strip of a row ends with it, so that nothing is read beyond; what it shares is written once.
      const int64_t x = std::min(k * lanes, columns - lanes);
      to.push_back(places.pixel_at(out, g, z, y, x / item.pool));
      skipped.push_back(static_cast<int32_t>((k * lanes - x) / item.pool));
      for (int64_t line = 0; line < item.pool; ++line) {
        from.push_back(
            places.pixel_at(in, g, z * d.stride - d.begin, (y * item.pool + line) * h.stride - h.begin, x - w.begin));
        lines.push_back(static_cast<int32_t>(static_cast<int64_t>(lines.size()) % kStripVectors * lanes * lanes));
      }
    }
  }
  made->sums = op;
  made->sums.activation = {};
  made->sums.window = 1;
  made->sums.rows = channels;
  made->sums.in.pixels = keep(*made, std::move(from));
  made->sums.out = {-1, 0, 0, lanes, keep(*made, std::move(lines))};
  op.kind = NetworkKind::kStrips;
  op.pixels = strips;
  op.in.pixels = made->sums.in.pixels;
  op.out.pixels = keep(*made, std::move(to));
  op.taps = keep(*made, std::move(skipped));
  op.strips = made.get();
  return made;
}

}  // namespace slipway
