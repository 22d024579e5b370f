// A network in one launch: every block, or cluster of blocks, takes a few images through all stages.
#include "ops/network_block.h"
#include "ops/network_parts.cuh"
#include "ops/network_sums.cuh"
#include "ops/pack.cuh"

namespace slipway::cuda {

namespace {

constexpr int kMostNetworkThreads = 512;

/// Starts to copy what this block needs of a stage's weights: those of its own items.
__device__ void stage_weights(const NetworkStage& stage, const NetworkBlock& block) {
  if (stage.staged < 0) return;
  const NetworkShare own = tiles_of(stage, block.rank);
  const int tile = stage.tile_channels * stage.channel_floats;
  const float* weights = stage.weights + own.begin * tile;
  const int count = (own.end - own.begin) * tile;
  for (int i = 4 * (block.warp * kWarp + block.lane); i < count; i += 4 * block.warps * kWarp) {
    copy_async<16>(block.memory + stage.staged + i, weights + i);
  }
}

/// Starts to copy the stages themselves, as a group of its own.
__device__ inline void load_stages(const NetworkStages& network, NetworkStage* stages, const NetworkBlock& block) {
  auto* to = reinterpret_cast<char*>(stages);
  const auto* from = reinterpret_cast<const char*>(network.stages);
  const int bytes = network.count * static_cast<int>(sizeof(NetworkStage));
  for (int i = 16 * (block.warp * kWarp + block.lane); i < bytes; i += 16 * block.warps * kWarp) {
    copy_async<16>(to + i, from + i);
  }
  commit_copies();
}

template <int kColumns, int kChannels, bool kShares>
__device__ __forceinline__ void run_stage(const NetworkStages& network, const NetworkStage& stage,
                                          NetworkBlock& block) {
  block.staged_weights = block.memory + stage.staged_origin[block.rank];
  clear_border(stage.border, block);
  switch (stage.kind) {
    case StageKind::kSums:
      return make_sums<kColumns, kChannels, kShares>(network, stage, block);
    case StageKind::kDense:
      return make_dense<kShares>(network, stage, block);
    default:
      return make_elements<kShares>(network, stage, block);
  }
}

/// All stages of a network for some images: convolution, dense layer, pooling, sum, with bias and activation.
/// A thread makes kChannels channels x 2 x kColumns pixels at a time from one slice of the terms; a block takes 1 to 16
/// images, or a cluster of up to 8 blocks takes them together. Moves inputs and outputs once, and weights once per
/// block from the second cache. Many images are bound by multiply-adds and shared memory: of 100 instructions for a 5x5
/// or 3x3 kernel 80 to 88 are such, and 14 to 18 of them need 4 floats. Few are bound by the chain of a warp's
/// instructions: some 2,300 clocks for a phase whose sums are short. 512 threads at most, so 128 registers: no
/// accumulator is spilled. Checked against onnxruntime by tests/ops/test_network.py.
template <int kColumns, int kChannels, bool kShares>
__global__ void __launch_bounds__(kMostNetworkThreads) network_kernel(const __grid_constant__ NetworkStages network) {
  SLIPWAY_SHARED(NetworkStage, stages);
  const int rank = network.ranks_log > 0 ? static_cast<int>(cluster_rank()) : 0;
  const int64_t first_image = static_cast<int64_t>(blockIdx.x >> network.ranks_log) << network.images_log;
  NetworkBlock block = {reinterpret_cast<float*>(stages + network.count),
                        network.image,
                        static_cast<int>(min(int64_t{1} << network.images_log, network.batch - first_image)),
                        first_image,
                        rank,
                        static_cast<int>(threadIdx.x % kWarp),
                        static_cast<int>(threadIdx.x / kWarp),
                        static_cast<int>(blockDim.x / kWarp),
                        0,
                        nullptr};
  let_next_start();
  load_stages(network, stages, block);
  wait_for_copies<0>();
  __syncthreads();
  int ahead = 0;  // the next stage whose weights are to be copied
  if (kShares) {
    for (int phase = 0; phase < kStageLead; ++phase) {
      for (; ahead < network.count && stages[ahead].phase <= phase; ++ahead) {
        stage_weights(stages[ahead], block);
      }
      commit_copies();
    }
  }
  wait_for_previous();  // all before this line reads constants only
  for (int i = 0; i < network.inputs; ++i) load_port(network.ports[i], block);
  commit_copies();
  for (int i = 0; i < network.count;) {
    const int phase = stages[i].phase;
    if (kShares) {
      for (; ahead < network.count && stages[ahead].phase <= phase + kStageLead; ++ahead) {
        stage_weights(stages[ahead], block);
      }
      commit_copies();
    }
    if (!kShares || phase == 0) {
      wait_for_copies<kShares ? 1 : 0>();
    } else {
      wait_for_copies<kStageLead>();
    }
    sync_block(network.ranks_log);
    block.turn = 0;
    for (; i < network.count && stages[i].phase == phase; ++i) {
      run_stage<kColumns, kChannels, kShares>(network, stages[i], block);
    }
  }
}

template <int kColumns, int kChannels, bool kShares>
void start_network(const OpCall& call, const NetworkStages& network) noexcept {
  const int64_t groups = ((network.batch - 1) >> network.images_log) + 1;
  launch(call, &network_kernel<kColumns, kChannels, kShares>,
         {.grid = dim3(static_cast<unsigned>(groups << network.ranks_log)),
          .block = dim3(static_cast<unsigned>(network.threads)),
          .shared_bytes = network.shared_bytes,
          .cluster = 1 << network.ranks_log},
         network);
}

}  // namespace

void run_network_stages(const OpCall& call, const NetworkStages& prepared) noexcept {
  NetworkStages network = prepared;
  for (int i = 0; i < network.inputs; ++i) {
    NetworkPort& port = network.ports[i];
    port.data = call.inputs[static_cast<std::size_t>(i)].as<float>();
    port.has_fours = port.fours.size > 0 && is_aligned<16>(port.data);
  }
  for (std::size_t i = 0; i < call.outputs.size() && i < kMostPorts; ++i) {
    network.outputs[i] = call.outputs[i].as<float>();
  }
  if (network.columns == kSmallColumns) {
    start_network<kSmallColumns, kTileChannels, true>(call, network);
  } else if (network.channels == kTileChannels) {
    start_network<kLargeColumns, kTileChannels, false>(call, network);
  } else {
    start_network<kLargeColumns, kLargeTileChannels, false>(call, network);
  }
}

}  // namespace slipway::cuda
