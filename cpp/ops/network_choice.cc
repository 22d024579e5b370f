#include "ops/network_choice.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "base/error.h"
#include "base/layout.h"
#include "cuda/device.h"
#include "ops/network_cuda.h"
#include "ops/network_items.h"
#include "ops/window_rules.h"

namespace slipway {

namespace {

/// Of both kernels, as the compiler reports them.
constexpr int kRegisters = 128;
constexpr int kSchedulers = 4;

// Clocks, fitted to what an H200 took for eight models at batches of 1, 64 and 1024 in every way that there is: the way
// with the lowest count is the fastest there, or within a tenth of it in most cells.

/// Of a barrier in a block, in a cluster, and of a launch with its first loads.
constexpr double kBarrier = 500;
constexpr double kClusterBarrier = 1800;
constexpr double kStart = 3300;
/// Of an instruction: where only one warp has work, where every scheduler has a few, and where there are enough to keep
/// the units busy, in the kernel of small tiles and that of large ones.
constexpr double kAlone = 7.5;
constexpr double kFew = 3.2;
constexpr double kBusySmall = 3.8;
constexpr double kBusyLarge = 3.1;
/// What another block on the same multiprocessor adds to the time of a warp.
constexpr double kNeighbour = 0.033;
/// Numbers of items, 32 more included, fit an int.
constexpr int64_t kMostItems = int64_t{1} << 30;
/// Bytes per clock that a multiprocessor reads from the second cache.
constexpr double kFarBytes = 60;

bool is_sum(const NetworkStage& stage) { return stage.kind == StageKind::kSums || stage.kind == StageKind::kDense; }

int images_of(const OwnedNetworkStages& network) { return 1 << network.images_log; }
int ranks_of(const OwnedNetworkStages& network) { return 1 << network.ranks_log; }

int64_t weight_bytes(const NetworkStage& stage) {
  return is_sum(stage) ? int64_t{stage.channels} * stage.channel_floats * 4 : 0;
}

/// Bytes of weights of the block that needs most.
int64_t own_bytes(const NetworkStage& stage, const OwnedNetworkStages& network) {
  int most = 0;
  for (int rank = 0; rank < ranks_of(network); ++rank) {
    const NetworkShare own = tiles_of(stage, rank);
    most = std::max(most, own.end - own.begin);
  }
  return int64_t{most} * stage.tile_channels * stage.channel_floats * 4;
}

void set_share(NetworkStage& stage, const OwnedNetworkStages& network) {
  const int chunks = (stage.items + 31) / 32;
  stage.share = (chunks + ranks_of(network) - 1) / ranks_of(network);
}

/// `items` of a tile of channels.
void set_items(NetworkStage& stage, const OwnedNetworkStages& network, int items) {
  stage.tile_items = small_divisor(items);
  stage.items = (stage.channels + stage.tile_channels - 1) / stage.tile_channels * items;
  set_share(stage, network);
}

/// Times that a warp makes 32 items of a stage, at most.
int rounds_of(const NetworkStage& stage, const OwnedNetworkStages& network) {
  const int warps = network.threads / 32;
  return (stage.share + warps - 1) / warps;
}

/// Clocks that a warp needs for 32 items of a stage, waiting not counted.
double clocks_of(const NetworkStage& stage, const OwnedNetworkStages& network) {
  const double slices = 1 << stage.slices_log;
  const int outputs = kTileRows * network.columns;
  if (stage.kind == StageKind::kSums) {
    const int channels = stage.tile_channels;
    const double loads = stage.taps > 0 ? 2.0 * (stage.taps + network.columns) / network.columns : 0.0;
    const double tap = channels * outputs + channels / kGroupChannels + (stage.taps > 0 ? 0 : 4 + outputs);
    return 120 + stage.units / slices * (8 + loads + stage.columns.kernel * tap) + 8.0 * channels * outputs / slices;
  }
  if (stage.kind == StageKind::kDense) {
    const int team = 1 << network.team_log;
    const int sums = team * stage.tile_channels;
    const double loads = 4.0 * (stage.tile_channels + team);
    return 80 + stage.units / slices * (4 + loads + 4 * sums) + 3.0 * sums;
  }
  return stage.kind == StageKind::kPool ? 120 + 8.0 * stage.rows.kernel * stage.columns.kernel : 100;
}

/// Sets what an item of each stage makes, and who has it.
void set_tiles(OwnedNetworkStages& network) {
  network.team_log = network.images_log == 0 ? 0 : network.images_log <= kSmallTeamLog ? kSmallTeamLog : kTeamLog;
  const int teams_log = std::max(0, network.images_log - network.team_log);
  for (NetworkStage& stage : network.list) {
    if (!is_sum(stage)) {
      stage.items = (stage.channels * stage.height * stage.width) << network.images_log;
      set_share(stage, network);
      continue;
    }
    if (stage.kind == StageKind::kDense) {
      // One channel a lane where that keeps warps busy more evenly.
      const auto set_channels = [&](int16_t channels) {
        stage.tile_channels = channels;
        set_items(stage, network, 1 << (teams_log + stage.slices_log));
        return channels * rounds_of(stage, network);
      };
      const int alone = set_channels(1);
      if (set_channels(kTileChannels) > alone && network.team_log == 0) (void)set_channels(1);
      continue;
    }
    stage.tiles_down = small_divisor((stage.height * stage.pool + kTileRows - 1) / kTileRows);
    stage.tiles_across = small_divisor((stage.width * stage.pool + network.columns - 1) / network.columns);
    stage.tile_channels = static_cast<int16_t>(network.channels);
    const int tiles = stage.tiles_down.size * stage.tiles_across.size;
    set_items(stage, network, tiles << (network.images_log + stage.slices_log));
    const int first = stage.in.start - stage.rows.begin * stage.in.pitch - stage.columns.begin;
    const bool is_aligned = (stage.in.pitch | stage.in.plane | first) % network.columns == 0;
    const int taps = stage.columns.kernel;
    const bool is_plain = stage.columns.stride == 1 && (stage.columns.dilation == 1 || taps == 1);
    const bool is_known = taps == 1 || taps == 3 || taps == 5;
    stage.taps = is_aligned && is_plain && is_known ? static_cast<int16_t>(taps) : int16_t{0};
  }
}

/// Gives weights places behind the images as far as `bytes` reach, smallest first; returns the floats of all.
int64_t stage_weights(OwnedNetworkStages& network, int64_t bytes) {
  std::vector<NetworkStage*> wanted;
  for (NetworkStage& stage : network.list) {
    stage.staged = -1;
    if (is_sum(stage)) wanted.push_back(&stage);
  }
  std::stable_sort(wanted.begin(), wanted.end(), [&](const NetworkStage* a, const NetworkStage* b) {
    return own_bytes(*a, network) < own_bytes(*b, network);
  });
  const int behind = network.image << network.images_log;
  int64_t used = 0;
  std::vector<Lifetime> lives;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    // Copying begins while the phase before the lead still runs.
    lives.push_back(
        {own_bytes(*wanted[i], network), std::max(0, wanted[i]->phase - kStageLead - 1), wanted[i]->phase, 0});
    std::vector<Lifetime> laid_out = lives;
    const int64_t needed = lay_out(laid_out);
    if (needed > bytes) break;
    used = needed;
    for (std::size_t k = 0; k <= i; ++k) wanted[k]->staged = behind + static_cast<int>(laid_out[k].offset / 4);
  }
  for (NetworkStage* stage : wanted) {
    for (int rank = 0; rank < ranks_of(network); ++rank) {
      stage->staged_origin[rank] =
          stage->staged - tiles_of(*stage, rank).begin * stage->tile_channels * stage->channel_floats;
    }
  }
  return used / 4;
}

/// Clocks of the whole batch.
double cost_of(const OwnedNetworkStages& network, const CudaDevice& device) {
  const int ranks = ranks_of(network);
  const int64_t groups = (network.batch + images_of(network) - 1) / images_of(network);
  const int64_t blocks = groups * ranks;
  const int64_t fit = std::min<int64_t>({(device.shared_bytes() + 1024) / (network.shared_bytes + 1024),
                                         2048 / network.threads, 65536 / (kRegisters * network.threads), 32});
  const int64_t places = std::max(device.multiprocessors() / ranks * ranks, 1);
  const int64_t here = std::min(fit, (blocks + places - 1) / places);
  const int64_t waves = (blocks + places * here - 1) / (places * here);
  const double alone = kAlone * (1 + kNeighbour * static_cast<double>(here - 1));
  const double busy =
      (network.columns == kSmallColumns ? kBusySmall : kBusyLarge) * static_cast<double>(here) / kSchedulers;
  const int warps = network.threads / 32;
  double sum = 0;
  double far = 0;
  const std::vector<NetworkStage>& stages = network.list;
  for (std::size_t i = 0; i < stages.size();) {
    const int phase = stages[i].phase;
    double issued = 0;
    double longest = 0;
    int64_t chunks = 0;
    for (; i < stages.size() && stages[i].phase == phase; ++i) {
      const NetworkStage& stage = stages[i];
      issued += stage.share * clocks_of(stage, network);
      chunks += stage.share;
      longest = std::max(longest, clocks_of(stage, network));
      far += static_cast<double>(weight_bytes(stage)) / ranks;
    }
    const auto rounds = static_cast<double>((chunks + warps - 1) / warps);
    const double mean = issued / static_cast<double>(std::max<int64_t>(chunks, 1));
    sum += std::max({issued * busy, issued / warps * kFew, longest * alone, rounds * mean * alone});
    sum += ranks > 1 ? kClusterBarrier : kBarrier;
  }
  return kStart + static_cast<double>(waves) * std::max(sum, far * static_cast<double>(here) / kFarBytes);
}

/// Items of a stage are fewer than its outputs before pooling, slice by slice.
int64_t most_items(const OwnedNetworkStages& network) {
  int64_t most = 0;
  for (const NetworkStage& stage : network.list) {
    const int64_t channels = stage.channels + kTileChannels - 1;
    const int64_t pixels = (int64_t{stage.height} * stage.pool + 1) * (int64_t{stage.width} * stage.pool + 1);
    most = std::max(most, saturating_product(channels, pixels, int64_t{1} << (stage.slices_log + network.images_log)));
  }
  return most;
}

/// One way to launch: a kernel's tile, images of a block or cluster, its blocks, and threads of each.
struct Way {
  int columns = 0;
  int channels = 0;
  int images = 0;
  int ranks = 0;
  int threads = 0;
};

/// False where the way does not fit.
bool set_launch(OwnedNetworkStages& network, const CudaDevice& device, const Way& way) {
  network.columns = way.columns;
  network.channels = way.channels;
  network.images_log = std::countr_zero(static_cast<unsigned>(way.images));
  network.ranks_log = std::countr_zero(static_cast<unsigned>(way.ranks));
  network.threads = way.threads;
  if (most_items(network) > kMostItems) return false;
  set_tiles(network);
  const auto listed = static_cast<int64_t>(network.list.size() * sizeof(NetworkStage));
  const int64_t images_bytes = int64_t{4} * network.image * way.images;
  const int64_t left = device.shared_bytes() - listed - images_bytes;
  if (left < 0) return false;
  const bool copies = way.columns == kSmallColumns;
  const int64_t weights = copies ? stage_weights(network, left) : 0;
  if (!copies) {
    for (NetworkStage& stage : network.list) stage.staged = -1;
  }
  network.shared_bytes = static_cast<int>(listed + images_bytes + weights * 4);
  return true;
}

/// All that there are; small tiles take one image, or several where all layers are dense.
std::vector<Way> ways_of(const OwnedNetworkStages& network) {
  const bool is_dense = std::none_of(network.list.begin(), network.list.end(),
                                     [](const NetworkStage& stage) { return stage.kind == StageKind::kSums; });
  std::vector<Way> ways;
  for (const int threads : {128, 256, 512}) {
    for (const int images : {1, 2, 4, 8, 16}) {
      for (const int ranks : {1, 2, 4, 8}) {
        const bool takes_images = images == 1 || (is_dense && images > 2);
        if (takes_images) ways.push_back({kSmallColumns, kTileChannels, images, ranks, threads});
      }
      ways.push_back({kLargeColumns, kTileChannels, images, 1, threads});
      if (!is_dense) ways.push_back({kLargeColumns, kLargeTileChannels, images, 1, threads});
    }
  }
  return ways;
}

}  // namespace

std::string choose_network_launch(OwnedNetworkStages& network, const CudaDevice& device) {
  Way best;
  double least = -1;
  for (const Way& way : ways_of(network)) {
    if (way.images > 1 && way.images / 2 >= network.batch) continue;
    if (way.ranks > 1 && !device.has_clusters()) continue;
    if (!set_launch(network, device, way)) continue;
    const double cost = cost_of(network, device);
    if (least >= 0 && cost >= least) continue;
    least = cost;
    best = way;
  }
  require_fit(least >= 0);
  (void)set_launch(network, device, best);
  return concat("      one launch: tiles of ", best.channels, " x 2 x ", best.columns, ", ", best.images, " images on ",
                best.ranks, " blocks of ", best.threads, " threads, ", network.shared_bytes, " bytes each, ",
                static_cast<int64_t>(least), " clocks counted\n");
}

}  // namespace slipway
