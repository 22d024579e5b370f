// A block's share of a network (network_stage.h): who does what, where results go, and how images come in.
#pragma once

#include "ops/activation.cuh"
#include "ops/launch.cuh"
#include "ops/network_stage.h"

namespace slipway::cuda {

/// What a thread knows of its block.
struct NetworkBlock {
  float* memory;        ///< of all images, then staged weights
  int image;            ///< floats of an image
  int images;           ///< that the block really has
  int64_t first_image;  ///< in the batch
  int rank;
  int ranks;
  int lane;
  int warp;
  int warps;
  int turn;  ///< warps that earlier stages of the phase have kept busy

  [[nodiscard]] __device__ float* at(int image_index, int place) const { return memory + image_index * image + place; }
};

/// Chunks of 32 items that this block of the cluster has of a stage.
struct NetworkChunks {
  int begin;
  int end;
};

[[nodiscard]] __device__ inline NetworkChunks chunks_of(int items, int rank, int ranks) {
  const int chunks = (items + kWarp - 1) / kWarp;
  const int share = (chunks + ranks - 1) / ranks;
  return {min(rank * share, chunks), min((rank + 1) * share, chunks)};
}

/// Calls f(item, is_there) for every item of this warp, in all lanes; a lane beyond the end repeats the last item.
template <typename F>
__device__ __forceinline__ void for_each_item(NetworkBlock& block, int items, const F& f) {
  const NetworkChunks chunks = chunks_of(items, block.rank, block.ranks);
  const int first = block.warp - block.turn;
  for (int chunk = chunks.begin + (first < 0 ? first + block.warps : first); chunk < chunks.end; chunk += block.warps) {
    const int item = chunk * kWarp + block.lane;
    f(min(item, items - 1), item < items);
  }
  block.turn = (block.turn + chunks.end - chunks.begin) % block.warps;
}

/// Where a stage's results go: to an image's memory, where kShares in all blocks of the cluster, or to an output.
template <bool kShares>
struct StageResult {
  float* data;
  int plane;
  int pitch;
  int copies;  ///< blocks that get one; 0: an output
};

template <bool kShares>
[[nodiscard]] __device__ __forceinline__ StageResult<kShares> result_of(const NetworkStages& network,
                                                                        const NetworkStage& stage,
                                                                        const NetworkBlock& block, int image) {
  if (stage.port < 0) return {block.at(image, stage.out.start), stage.out.plane, stage.out.pitch, block.ranks};
  const int plane = stage.height * stage.width;
  float* output = network.outputs[stage.port] + (block.first_image + image) * stage.channels * plane;
  return {output, plane, stage.width, 0};
}

template <bool kShares>
__device__ __forceinline__ void put(const StageResult<kShares>& result, int place, float value) {
  if (!kShares || result.copies <= 1) {
    result.data[place] = value;
    return;
  }
#pragma unroll 1
  for (int rank = 0; rank < result.copies; ++rank) *in_cluster(result.data + place, rank) = value;
}

/// The activations that are long to compute. Out of line: many places need them, few networks.
__device__ __noinline__ inline float finish_slowly(Activation kind, float x) {
  return kind == Activation::kTanh ? tanh_fast(x) : sigmoid_exact(x);
}

__device__ __forceinline__ float finish(const ActivationCall& call, float x) {
  if (call.kind == Activation::kSigmoid || call.kind == Activation::kTanh) return finish_slowly(call.kind, x);
  const float below = call.kind == Activation::kRelu ? 0.0f : call.kind == Activation::kNone ? x : call.alpha * x;
  return x < 0.0f ? below : x;
}

/// A barrier of the block, or cluster.
__device__ __forceinline__ void sync_block(int ranks) {
  if (ranks > 1) {
    sync_cluster();
  } else {
    __syncthreads();
  }
}

/// Writes the zeros around a value of every image, in this block alone. A thread takes a row.
__device__ inline void clear_border(const StageBorder& border, const NetworkBlock& block) {
  const int thread = block.warp * kWarp + block.lane;
  const int threads = block.warps * kWarp;
  for (int i = thread; i < border.rows * block.images; i += threads) {
    const int row = i % border.rows;
    const int in_channel = row % border.rows_of_channel - border.top;
    float* to = block.at(i / border.rows, border.start + row * border.pitch);
    const bool has_pixels = in_channel >= 0 && in_channel < border.height;
    const int kept = has_pixels ? border.width : 0;
    for (int x = 0; x < border.left; ++x) to[x] = 0.0f;
    for (int x = border.left + kept; x < border.pitch; ++x) to[x] = 0.0f;
  }
  for (int i = thread; i < border.tail * block.images; i += threads) {
    *block.at(i / border.tail, border.start + border.rows * border.pitch + i % border.tail) = 0.0f;
  }
}

/// Starts to copy an input of every image. A warp takes a row.
__device__ inline void load_port(const NetworkPort& port, const NetworkBlock& block) {
  clear_border(port.border, block);
  const int rows = port.channels * port.height;
  const float* data = port.data + block.first_image * rows * port.width;
  for (int i = block.warp; i < rows * block.images; i += block.warps) {
    const int row = i % rows;
    const int place = port.place.start + row / port.height * port.place.plane + row % port.height * port.place.pitch;
    float* to = block.at(i / rows, place);
    const float* from = data + static_cast<int64_t>(i) * port.width;
    for (int x = block.lane; x < port.width; x += kWarp) copy_async<sizeof(float)>(to + x, from + x);
  }
}

}  // namespace slipway::cuda
