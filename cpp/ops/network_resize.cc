#include "ops/network_resize.h"

#include "ops/network_program.h"
#include "ops/resize_rules.h"
#include "ops/window_rules.h"

namespace slipway {

namespace {

NetworkResize::Axis axis_of(const ResizeAttributes& how, const ResizeScale& scale, int64_t size, int64_t count) {
  NetworkResize::Axis axis;
  if (scale.is_one() && size == count) {
    for (int64_t i = 0; i < count; ++i) axis.taps.push_back({i, 1.0});
    return axis;
  }
  axis.count = taps_of(how, count);
  axis.taps.resize(static_cast<std::size_t>(axis.count * count));
  (void)write_taps(how, scale, size, count, 1, axis.taps.data());
  return axis;
}

/// f(place of the output's pixel, its first taps) for all pixels, group by group.
template <typename F>
void each_pixel(const NetworkItem& item, const NetworkPlaces& places, const F& f) {
  const NetworkRoot& out = places.root_of(item.out);
  for (int64_t g = 0; g < places.groups(); ++g) {
    for (int64_t y = 0; y < out.height; ++y) {
      for (int64_t x = 0; x < out.width; ++x) {
        f(g, &item.resize->rows.taps[static_cast<std::size_t>(y * item.resize->rows.count)],
          &item.resize->columns.taps[static_cast<std::size_t>(x * item.resize->columns.count)]);
      }
    }
  }
}

}  // namespace

std::shared_ptr<const NetworkResize> resize_of(const Node& node, const std::vector<Fact>& facts) {
  const std::vector<const Fact*> inputs = network_facts_of(node.inputs, facts);
  const std::vector<const Fact*> outputs = network_facts_of(node.outputs, facts);
  const PrepareContext context(node, inputs, outputs, Isa::kScalar);
  const ResizeAttributes how = resize_attributes(context);
  const std::vector<ResizeScale> scales = resize_scales(context);
  const Shape x = context.shape(0);
  const Shape y = context.output_shape(0);
  require_fit(x.rank() > 2 && x.rank() < 5 && scales[0].is_one() && scales[1].is_one() && x[0] == y[0] && x[1] == y[1]);
  auto made = std::make_shared<NetworkResize>();
  const auto last = static_cast<std::size_t>(x.rank() - 1);
  made->rows = x.rank() > 3 ? axis_of(how, scales[2], x[2], y[2]) : axis_of(how, {}, 1, 1);
  made->columns = axis_of(how, scales[last], x[x.rank() - 1], y[x.rank() - 1]);
  made->is_nearest = how.mode == ResizeMode::kNearest;
  return made;
}

std::vector<int32_t> nearest_of(const NetworkItem& item, const NetworkPlaces& places) {
  std::vector<int32_t> pixels;
  each_pixel(item, places, [&](int64_t g, const ResizeTap* row, const ResizeTap* column) {
    pixels.push_back(places.pixel_at(places.root_of(item.in), g, 0, row->from, column->from));
  });
  return pixels;
}

NetworkPoolTaps blended_of(const NetworkItem& item, const NetworkPlaces& places) {
  const NetworkRoot& out = places.root_of(item.out);
  const int64_t each = int64_t{item.resize->rows.count} * item.resize->columns.count;
  require_fit(saturating_product(out.height * out.width, each) <= kMostNetworkTaps);
  NetworkPoolTaps made;
  each_pixel(item, places, [&](int64_t g, const ResizeTap* rows, const ResizeTap* columns) {
    for (int i = 0; i < item.resize->rows.count; ++i) {
      for (int j = 0; j < item.resize->columns.count; ++j) {
        // A weight of 0 takes nothing, not even from infinity.
        if (rows[i].weight == 0.0 || columns[j].weight == 0.0) continue;
        made.taps.push_back(places.pixel_at(places.root_of(item.in), g, 0, rows[i].from, columns[j].from));
        made.counts.push_back(static_cast<float>(rows[i].weight * columns[j].weight));
      }
    }
    made.first.push_back(static_cast<int32_t>(made.taps.size()));
  });
  return made;
}

}  // namespace slipway
