#include "ops/network_cuda.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "cuda/device.h"
#include "ops/network_choice.h"
#include "ops/network_memory.h"

namespace slipway {

namespace {

constexpr int64_t kMostSmall = std::numeric_limits<int16_t>::max();
/// Lanes that a stage of an image should have at most, so that slices are not too many.
constexpr int64_t kMostLanes = 512;
constexpr int kLeastSlice = 8;  ///< units of a slice
constexpr int64_t kMostDenseLanes = 1 << 15;

StageAxis axis_of(const WindowAxis& axis) {
  require_fit(axis.kernel <= kMostSmall && axis.stride <= kMostSmall && axis.dilation <= kMostSmall &&
              axis.begin <= kMostSmall && axis.end <= kMostSmall);
  return {static_cast<int16_t>(axis.kernel), static_cast<int16_t>(axis.stride), static_cast<int16_t>(axis.dilation),
          static_cast<int16_t>(axis.begin), static_cast<int16_t>(axis.end)};
}

/// Channels of a convolution with those of its last tile that are none.
int64_t padded(int64_t channels) {
  return (channels + kLargeTileChannels - 1) / kLargeTileChannels * kLargeTileChannels;
}

/// [channels / 4, units, kernel columns, 4], then the bias, padded with zeros.
Tensor pack_groups_of_4(const NetworkWeights& given, int64_t channels, int64_t terms) {
  Tensor packed(DType::kFloat32, Shape{padded(channels) * (terms + 1)});
  float* to = packed.as<float>();
  for (int64_t m = 0; m < padded(channels); ++m) {
    float* group = to + m / kGroupChannels * kGroupChannels * terms + m % kGroupChannels;
    for (int64_t k = 0; k < terms; ++k) {
      group[k * kGroupChannels] = m < channels ? given.weights->as<float>()[m * terms + k] : 0.0F;
    }
    to[padded(channels) * terms + m] = m < channels && given.bias ? given.bias->as<float>()[m] : 0.0F;
  }
  return packed;
}

/// [channels, 4 * units], then the bias, padded with zeros to whole tiles of channels.
Tensor pack_rows_of_4(const NetworkWeights& given, int64_t channels, int64_t terms) {
  const int64_t row = (terms + 3) / 4 * 4;
  const int64_t rows = (channels + kTileChannels - 1) / kTileChannels * kTileChannels;
  Tensor packed(DType::kFloat32, Shape{rows * row + rows});
  float* to = packed.as<float>();
  std::fill_n(to, rows * row + rows, 0.0F);
  for (int64_t m = 0; m < channels; ++m) {
    for (int64_t k = 0; k < terms; ++k) {
      const int64_t from = given.is_transposed ? k * channels + m : m * terms + k;
      to[m * row + k] = given.weights->as<float>()[from];
    }
    to[rows * row + m] = given.bias ? given.bias->as<float>()[m] : 0.0F;
  }
  return packed;
}

class StageMaker final {
 public:
  StageMaker(const NetworkItems& items, const std::vector<Fact>& facts, const Target& target)
      : items_(items), facts_(facts), target_(target), memory_(items), made_(std::make_shared<OwnedNetworkStages>()) {}

  std::shared_ptr<const OwnedNetworkStages> make() {
    made_->batch = items_.batch;
    constexpr int kBanks = 32;
    const auto floats = static_cast<int>(memory_.floats());
    made_->image = floats + (kImageBank + kBanks - floats % kBanks) % kBanks;
    for (const NetworkItem& item : items_.list) {
      if (item.kind == NetworkKind::kCopy) add_input(item);
    }
    for (const NetworkItem& item : in_order()) add(item);
    // No block of a cluster may write to another that has ended.
    for (const NetworkStage& stage : made_->list) {
      require_fit(stage.port >= 0 || stage.phase < made_->list.back().phase);
    }
    made_->note = choose_network_launch(*made_, *target_.device);
    const std::vector<NetworkStage>& list = made_->list;
    std::shared_ptr<const DeviceMemory> memory =
        target_.device->upload(list.data(), static_cast<int64_t>(list.size() * sizeof(NetworkStage)));
    made_->count = static_cast<int>(list.size());
    made_->stages = memory->as<NetworkStage>();
    made_->uploads.push_back(std::move(memory));
    return made_;
  }

 private:
  [[nodiscard]] const NetworkValue& value(int index) const { return items_.values[static_cast<std::size_t>(index)]; }

  /// Phase by phase.
  [[nodiscard]] std::vector<NetworkItem> in_order() const {
    std::vector<NetworkItem> order;
    for (const NetworkItem& item : items_.list) {
      if (item.kind == NetworkKind::kCopy) continue;
      const bool is_done = item.kind == NetworkKind::kGather && memory_.port_of(item.in) >= 0;
      if (item.kind == NetworkKind::kGather ? !is_done : item.out >= 0) order.push_back(item);
    }
    std::stable_sort(order.begin(), order.end(), [&](const NetworkItem& a, const NetworkItem& b) {
      return memory_.phase_of(a) < memory_.phase_of(b);
    });
    return order;
  }

  void add_input(const NetworkItem& item) {
    require_fit(made_->inputs < kMostPorts && item.port == made_->inputs);
    const NetworkValue& in = value(item.out);
    NetworkPort& port = made_->ports[made_->inputs++];
    port.height = small_divisor(static_cast<int>(in.height));
    port.rows = small_divisor(static_cast<int>(in.channels * in.height));
    port.floats = small_divisor(static_cast<int>(in.width));
    port.place = memory_.place_of(item.out);
    if ((port.floats.size | port.place.start | port.place.plane | port.place.pitch | made_->image) % 4 == 0) {
      port.fours = small_divisor(port.floats.size / 4);
    }
    port.border = memory_.take_border(item.out);
  }

  void add(const NetworkItem& item) {
    require_fit(made_->list.size() < kMostStages);
    require_fit(item.kind != NetworkKind::kDepthwise && item.kind != NetworkKind::kGrouped &&
                item.kind != NetworkKind::kMul && item.kind != NetworkKind::kSpread && item.resize == nullptr);
    NetworkStage& stage = made_->list.emplace_back();
    const bool leaves = item.kind == NetworkKind::kGather;
    const NetworkValue& out = value(leaves ? item.in : item.out);
    const NetworkValue& in = value(item.in);
    stage.phase = memory_.phase_of(item);
    stage.channels = static_cast<int>(out.channels);
    stage.height = static_cast<int>(out.height);
    stage.width = static_cast<int>(out.width);
    stage.by_channels = small_divisor(stage.channels);
    stage.by_height = small_divisor(stage.height);
    stage.by_width = small_divisor(stage.width);
    stage.in_height = static_cast<int>(in.height);
    stage.in_width = static_cast<int>(in.width);
    stage.in = memory_.place_of(item.in);
    if (item.other >= 0) stage.other = memory_.place_of(item.other);
    stage.port = leaves ? item.port : memory_.port_of(item.out);
    require_fit(stage.port < kMostPorts);
    if (stage.port < 0) {
      stage.out = memory_.place_of(item.out);
      stage.border = memory_.take_border(item.out);
    }
    stage.activation = item.activation;
    if (item.kind == NetworkKind::kPool) return set_pool(stage, item);
    if (item.kind != NetworkKind::kSums) return;
    if (is_dense(item, in)) return set_dense(stage, item);
    set_sums(stage, item);
  }

  static void set_pool(NetworkStage& stage, const NetworkItem& item) {
    stage.kind = StageKind::kPool;
    stage.rows = axis_of(item.window.axes[1]);
    stage.columns = axis_of(item.window.axes[2]);
    stage.is_mean = item.is_mean;
    stage.counts_padding = item.counts_padding;
  }

  void set_sums(NetworkStage& stage, const NetworkItem& item) {
    stage.kind = StageKind::kSums;
    stage.rows = axis_of(item.window.axes[1]);
    stage.columns = axis_of(item.window.axes[2]);
    stage.pool = static_cast<int16_t>(item.pool);
    const int64_t channels = value(item.in).channels;
    stage.units = static_cast<int>(channels * stage.rows.kernel);
    stage.kernel_rows = small_divisor(stage.rows.kernel);
    const int64_t terms = channels * item.window.taps();
    stage.channel_floats = static_cast<int>(terms);
    upload(stage, item, "cuda groups of 4", padded(stage.channels) * terms,
           [&](const NetworkWeights& given) { return pack_groups_of_4(given, stage.channels, terms); });
    // Tiles of 4 channels and, before pooling, 2 x 4 pixels, whatever those of the kernel are: bits must not depend on
    // it.
    const int64_t groups = (stage.channels + kTileChannels - 1) / kTileChannels;
    const int64_t tiles = (stage.height * stage.pool + 1) / 2 * ((stage.width * stage.pool + 3) / 4);
    while (stage.slices_log < 4 && groups * tiles << (stage.slices_log + 1) <= kMostLanes &&
           stage.units >= kLeastSlice << stage.slices_log) {
      ++stage.slices_log;
    }
  }

  void set_dense(NetworkStage& stage, const NetworkItem& item) {
    stage.kind = StageKind::kDense;
    const int64_t terms = value(item.in).elements();
    const bool is_part = items_.concat_with(item.in) != nullptr;
    require_fit(stage.in.start % 4 == 0 && (!is_part || terms % 4 == 0));
    stage.units = static_cast<int>((terms + 3) / 4);
    stage.channel_floats = 4 * stage.units;
    const int64_t groups = (stage.channels + kTileChannels - 1) / kTileChannels;
    upload(stage, item, "cuda rows of 4", groups * kTileChannels * stage.channel_floats,
           [&](const NetworkWeights& given) { return pack_rows_of_4(given, stage.channels, terms); });
    while (stage.slices_log < 5 && stage.channels << (stage.slices_log + 1) <= kMostDenseLanes &&
           stage.units >= 4 << stage.slices_log) {
      ++stage.slices_log;
    }
  }

  template <typename Pack>
  void upload(NetworkStage& stage, const NetworkItem& item, const std::string& key, int64_t floats, const Pack& pack) {
    require_fit(floats < std::numeric_limits<int>::max());
    const PrepareContext context(*item.node, {}, {}, target_);  // of the weights that the body holds
    std::shared_ptr<const DeviceMemory> memory =
        context.uploaded({}, key, [&] { return pack(weights_of(*item.node, facts_)); });
    stage.weights = memory->as<float>();
    stage.bias = stage.weights + floats;
    made_->uploads.push_back(std::move(memory));
  }

  const NetworkItems& items_;
  const std::vector<Fact>& facts_;
  const Target& target_;
  NetworkMemory memory_;
  std::shared_ptr<OwnedNetworkStages> made_;
};

}  // namespace

std::shared_ptr<const OwnedNetworkStages> make_network_stages(const Graph& body, const std::vector<Fact>& facts,
                                                              const Target& target) {
  if (target.isa != Isa::kCuda || !target.device->has_tf32()) return nullptr;
  try {
    const NetworkItems items = read_network(body, facts);
    require_fit(items.slices.empty());
    for (const NetworkValue& value : items.values) require_fit(value.depth == 1);
    return StageMaker(items, facts, target).make();
  } catch (const NetworkUnfit&) {
    return nullptr;
  }
}

}  // namespace slipway
