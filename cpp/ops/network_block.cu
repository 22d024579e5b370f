// A network in one launch: every block, or cluster of blocks, takes a few images through all stages.
#include "ops/network_block.h"
#include "ops/network_parts.cuh"
#include "ops/network_sums.cuh"

namespace slipway::cuda {

namespace {

constexpr int kMostNetworkThreads = 512;

/// Starts to copy what this block needs of a stage's weights: those of its own items.
__device__ void stage_weights(const NetworkStage& stage, const NetworkBlock& block) {
  if (stage.staged < 0) return;
  const int channels =
      stage.kind == StageKind::kSums ? (stage.channels + kTileChannels - 1) / kTileChannels : stage.channels;
  const int teams = block.images == 1 ? 1 : (block.images + kDenseImages - 1) / kDenseImages;
  const int items = (stage.kind == StageKind::kSums ? block.images * stage.tiles : teams) << stage.slices_log;
  const NetworkChunks chunks = chunks_of(channels * items, block.rank, block.ranks);
  if (chunks.begin == chunks.end) return;
  const int first = chunks.begin * kWarp / items * stage.group_floats;
  const int last = (min(chunks.end * kWarp - 1, channels * items - 1) / items + 1) * stage.group_floats;
  for (int i = first + 4 * (block.warp * kWarp + block.lane); i < last; i += 4 * block.warps * kWarp) {
    copy_async<16>(block.memory + stage.staged + i, stage.weights + i);
  }
}

template <int kColumns, bool kShares>
__device__ __forceinline__ void run_stage(const NetworkStages& network, const NetworkStage& stage,
                                          NetworkBlock& block) {
  clear_border(stage.border, block);
  switch (stage.kind) {
    case StageKind::kSums:
      return make_sums<kColumns, kShares>(network, stage, block);
    case StageKind::kDense:
      return make_dense<kShares>(network, stage, block);
    default:
      return make_elements<kShares>(network, stage, block);
  }
}

/// All stages of a network for some images: convolution, dense layer, pooling, sum, with bias and activation.
/// A thread makes 4 channels x 2 x kColumns pixels at a time from one slice of the terms; a block takes 1 to 16 images,
/// or a cluster of up to 8 blocks takes them together.
/// Moves inputs and outputs once, and weights once per block from the second cache. Bound by multiply-adds: of 100
/// instructions for a 5x5 or 3x3 kernel 80 to 88 are such, and shared memory gives 4 floats for each 14 to 18 of them.
/// 512 threads at most, so 128 registers: no accumulator is spilled.
/// Checked against onnxruntime by tests/ops/test_network.py.
template <int kColumns, bool kShares>
__global__ void __launch_bounds__(kMostNetworkThreads) network_kernel(const __grid_constant__ NetworkStages network) {
  SLIPWAY_SHARED(float, memory);
  const int rank = network.ranks > 1 ? static_cast<int>(cluster_rank()) : 0;
  const int64_t first_image = blockIdx.x / network.ranks * static_cast<int64_t>(network.images);
  NetworkBlock block = {memory,
                        network.image,
                        static_cast<int>(min(static_cast<int64_t>(network.images), network.batch - first_image)),
                        first_image,
                        rank,
                        network.ranks,
                        static_cast<int>(threadIdx.x % kWarp),
                        static_cast<int>(threadIdx.x / kWarp),
                        static_cast<int>(blockDim.x / kWarp),
                        0};
  for (int i = 0; i < network.inputs; ++i) load_port(network.ports[i], block);
  int ahead = 0;  // the next stage whose weights are to be copied
  if (kShares) {
    for (int phase = 0; phase < kStageLead; ++phase) {
      for (; ahead < network.count && network.stages[ahead].phase <= phase; ++ahead) {
        stage_weights(network.stages[ahead], block);
      }
      commit_copies();
    }
  } else {
    commit_copies();
  }
  for (int i = 0; i < network.count;) {
    const int phase = network.stages[i].phase;
    if (kShares) {
      for (; ahead < network.count && network.stages[ahead].phase <= phase + kStageLead; ++ahead) {
        stage_weights(network.stages[ahead], block);
      }
      commit_copies();
      wait_for_copies<kStageLead>();
    } else {
      wait_for_copies<0>();
    }
    sync_block(network.ranks);
    block.turn = 0;
    for (; i < network.count && network.stages[i].phase == phase; ++i) {
      run_stage<kColumns, kShares>(network, network.stages[i], block);
    }
  }
}

template <int kColumns, bool kShares>
void start_network(const OpCall& call, const NetworkStages& network) noexcept {
  const int64_t groups = (network.batch + network.images - 1) / network.images;
  launch(call, &network_kernel<kColumns, kShares>,
         {.grid = dim3(static_cast<unsigned>(groups * network.ranks)),
          .block = dim3(static_cast<unsigned>(network.threads)),
          .shared_bytes = network.shared_bytes,
          .cluster = network.ranks},
         network);
}

}  // namespace

void run_network_stages(const OpCall& call, const NetworkStages& prepared) noexcept {
  NetworkStages network = prepared;
  for (int i = 0; i < network.inputs; ++i) network.ports[i].data = call.inputs[static_cast<std::size_t>(i)].as<float>();
  for (std::size_t i = 0; i < call.outputs.size() && i < kMostPorts; ++i) {
    network.outputs[i] = call.outputs[i].as<float>();
  }
  if (network.columns == 4) {
    start_network<4, false>(call, network);
  } else {
    start_network<2, true>(call, network);
  }
}

}  // namespace slipway::cuda
