#include "ops/network_choice.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/layout.h"
#include "cuda/device.h"
#include "ops/network_items.h"

namespace slipway {

namespace {

/// Of both kernels, as the compiler reports them.
constexpr int kRegistersShared = 64;
constexpr int kRegistersAlone = 112;
constexpr int kSchedulers = 4;
/// Clocks: of a barrier in a block and in a cluster, of a launch with its first loads, of a warp's instructions against
/// those that it waits.
constexpr double kBarrier = 60;
constexpr double kClusterBarrier = 400;
constexpr double kStart = 2500;
constexpr double kWait = 1.6;
/// Bytes per clock that a multiprocessor reads from the second cache.
constexpr double kFarBytes = 40;

bool is_sum(const NetworkStage& stage) { return stage.kind == StageKind::kSums || stage.kind == StageKind::kDense; }

int64_t groups_of(const NetworkStage& stage) {
  return stage.kind == StageKind::kSums ? (stage.channels + kTileChannels - 1) / kTileChannels : stage.channels;
}

int64_t weight_bytes(const NetworkStage& stage) {
  return is_sum(stage) ? groups_of(stage) * stage.group_floats * int64_t{4} : 0;
}

/// Sets what depends on the pixels of a tile's row.
void set_columns(NetworkStages& network, int columns) {
  network.columns = columns;
  for (NetworkStage* stage = network.stages; stage < network.stages + network.count; ++stage) {
    if (stage->kind != StageKind::kSums) continue;
    const int rows = (stage->height * stage->pool + kTileRows - 1) / kTileRows;
    stage->tiles_across = (stage->width * stage->pool + columns - 1) / columns;
    stage->tiles = rows * stage->tiles_across;
    const int first = stage->in.start - stage->rows.begin * stage->in.pitch - stage->columns.begin;
    const bool is_aligned = (stage->in.pitch | stage->in.plane | first) % columns == 0;
    const int taps = stage->columns.kernel;
    const bool is_plain = stage->columns.stride == 1 && (stage->columns.dilation == 1 || taps == 1);
    const bool is_known = taps == 1 || taps == 3 || taps == 5;
    stage->taps = is_aligned && is_plain && is_known ? static_cast<int16_t>(taps) : int16_t{0};
  }
}

/// Gives weights places behind the images as far as `bytes` reach, smallest first; returns the floats of all.
int64_t stage_weights(NetworkStages& network, int64_t bytes) {
  std::vector<NetworkStage*> wanted;
  for (NetworkStage* stage = network.stages; stage < network.stages + network.count; ++stage) {
    stage->staged = -1;
    if (is_sum(*stage)) wanted.push_back(stage);
  }
  std::stable_sort(wanted.begin(), wanted.end(),
                   [](const NetworkStage* a, const NetworkStage* b) { return weight_bytes(*a) < weight_bytes(*b); });
  const int behind = network.image * network.images;
  int64_t used = 0;
  std::vector<Lifetime> lives;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    // Copying begins while the phase before the lead still runs.
    lives.push_back({weight_bytes(*wanted[i]), std::max(0, wanted[i]->phase - kStageLead - 1), wanted[i]->phase, 0});
    std::vector<Lifetime> laid_out = lives;
    const int64_t needed = lay_out(laid_out);
    if (needed > bytes) break;
    used = needed;
    for (std::size_t k = 0; k <= i; ++k) wanted[k]->staged = behind + static_cast<int>(laid_out[k].offset / 4);
  }
  return used / 4;
}

/// Clocks that a warp needs for 32 items of a stage, waiting not counted.
double clocks_of(const NetworkStage& stage, const NetworkStages& network) {
  const double slices = 1 << stage.slices_log;
  const int outputs = kTileRows * network.columns;
  if (stage.kind == StageKind::kSums) {
    const double loads = stage.taps > 0 ? 2.0 * (stage.taps + network.columns) / network.columns : 0.0;
    const double tap = kTileChannels * outputs + (stage.taps > 0 ? 1 : 4 + outputs);
    return 120 + stage.units / slices * (8 + loads + stage.columns.kernel * tap) +
           8.0 * kTileChannels * outputs / slices;
  }
  if (stage.kind == StageKind::kDense) {
    const int images = network.images == 1 ? 1 : 4;
    return 80 + stage.units / slices * (4 + 6 * images) + 2 * stage.slices_log * images;
  }
  return stage.kind == StageKind::kPool ? 120 + 8.0 * stage.rows.kernel * stage.columns.kernel : 100;
}

int64_t items_of(const NetworkStage& stage, const NetworkStages& network) {
  const int64_t images = network.images;
  switch (stage.kind) {
    case StageKind::kSums:
      return groups_of(stage) * images * stage.tiles << stage.slices_log;
    case StageKind::kDense:
      return stage.channels * (images == 1 ? 1 : (images + 3) / 4) << stage.slices_log;
    default:
      return images * stage.channels * stage.height * stage.width;
  }
}

/// Clocks of the whole batch.
double cost_of(const NetworkStages& network, const CudaDevice& device) {
  const int64_t groups = (network.batch + network.images - 1) / network.images;
  const int64_t blocks = groups * network.ranks;
  const int registers = network.columns == 2 ? kRegistersShared : kRegistersAlone;
  const int64_t fit = std::min<int64_t>({(device.shared_bytes() + 1024) / (network.shared_bytes + 1024),
                                         2048 / network.threads, 65536 / (registers * network.threads), 32});
  const int64_t here = std::min(fit, (blocks + device.multiprocessors() - 1) / device.multiprocessors());
  const int64_t waves = (blocks + device.multiprocessors() * here - 1) / (device.multiprocessors() * here);
  const int warps = network.threads / 32;
  double sum = 0;
  double far = 0;
  for (int i = 0; i < network.count;) {
    const int phase = network.stages[i].phase;
    double issued = 0;
    double longest = 0;
    double chunks = 0;
    for (; i < network.count && network.stages[i].phase == phase; ++i) {
      const NetworkStage& stage = network.stages[i];
      const auto share = static_cast<double>((items_of(stage, network) + 31) / 32 + network.ranks - 1) / network.ranks;
      issued += static_cast<int64_t>(share) * clocks_of(stage, network);
      chunks += static_cast<int64_t>(share);
      longest = std::max(longest, clocks_of(stage, network));
      far += static_cast<double>(weight_bytes(stage)) / network.ranks;
    }
    const double rounds = static_cast<double>((static_cast<int64_t>(chunks) + warps - 1) / warps);
    sum += std::max({issued * static_cast<double>(here) / kSchedulers, issued / warps * kWait, longest * kWait,
                     rounds * issued / std::max(chunks, 1.0) * kWait});
    sum += network.ranks > 1 ? kClusterBarrier : kBarrier;
  }
  return kStart + static_cast<double>(waves) * std::max(sum, far * static_cast<double>(here) / kFarBytes);
}

/// One way to launch; false where it does not fit.
bool set_launch(NetworkStages& network, const CudaDevice& device, int columns, int images, int ranks, int threads) {
  network.images = images;
  network.ranks = ranks;
  network.threads = threads;
  set_columns(network, columns);
  const int64_t floats = int64_t{network.image} * images;
  if (floats * 4 > device.shared_bytes()) return false;
  const int64_t weights = columns == 2 ? stage_weights(network, device.shared_bytes() - floats * 4) : 0;
  if (columns != 2) {
    for (int i = 0; i < network.count; ++i) network.stages[i].staged = -1;
  }
  network.shared_bytes = static_cast<int>((floats + weights) * 4);
  return true;
}

}  // namespace

std::string choose_network_launch(NetworkStages& network, const CudaDevice& device) {
  struct Way {
    double cost = -1;
    int columns = 0;
    int images = 0;
    int ranks = 0;
    int threads = 0;
  };
  Way best;
  const auto consider = [&](int columns, int images, int ranks, int threads) {
    if (images > 1 && images / 2 >= network.batch) return;
    if (!set_launch(network, device, columns, images, ranks, threads)) return;
    const double cost = cost_of(network, device);
    if (best.cost < 0 || cost < best.cost) best = {cost, columns, images, ranks, threads};
  };
  for (const int threads : {128, 256, 512}) {
    for (const int ranks : {1, 2, 4, 8}) {
      if (ranks == 1 || device.has_clusters()) consider(2, 1, ranks, threads);
    }
    for (const int images : {1, 2, 4, 8, 16}) consider(4, images, 1, threads);
  }
  require_fit(best.cost >= 0);
  (void)set_launch(network, device, best.columns, best.images, best.ranks, best.threads);
  return concat("      one launch: tiles of 2 x ", best.columns, ", ", best.images, " images on ", best.ranks,
                " blocks of ", best.threads, " threads, ", network.shared_bytes, " bytes each, ",
                static_cast<int64_t>(best.cost), " clocks counted\n");
}

}  // namespace slipway
