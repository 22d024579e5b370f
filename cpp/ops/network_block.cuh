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
  int lane;
  int warp;
  int warps;
  int turn;                     ///< warps that earlier stages of the phase have kept busy
  const float* staged_weights;  ///< where the stage's weights would begin in shared memory, had the block all of them

  [[nodiscard]] __device__ float* at(int image_index, int place) const { return memory + image_index * image + place; }
};

/// Calls f(chunk) for every 32 items of this warp, in all lanes.
template <typename F>
__device__ __forceinline__ void for_each_chunk(const NetworkStage& stage, NetworkBlock& block, const F& f) {
  const NetworkShare chunks = chunks_of(stage, block.rank);
  const int first = block.warp - block.turn;
  for (int chunk = chunks.begin + (first < 0 ? first + block.warps : first); chunk < chunks.end; chunk += block.warps) {
    f(chunk);
  }
  block.turn = (block.turn + chunks.end - chunks.begin) & (block.warps - 1);
}

/// Calls f(item, is_there) for every item of this warp, in all lanes; a lane beyond the end repeats the last item.
template <typename F>
__device__ __forceinline__ void for_each_item(const NetworkStage& stage, NetworkBlock& block, const F& f) {
  for_each_chunk(stage, block, [&](int chunk) {
    const int item = chunk * kWarp + block.lane;
    f(min(item, stage.items - 1), item < stage.items);
  });
}

/// What a lane is left with after fold_slices(): sums[0] to sums[count - 1], which are those from `first` on.
struct FoldedSums {
  int first;
  int count;
  bool is_own;  ///< false where a neighbour has the same
};

/// One step of fold_slices(): slices `distance` apart give each other one half of their sums, then those after it.
template <int kKept, int kCount, int kInner>
__device__ __forceinline__ void halve_sums(float (&sums)[kCount][kInner], int& distance, int slice, int lanes,
                                           FoldedSums& folded) {
  if constexpr (kKept > 0) {
    if (distance == 0) return;
    const bool is_upper = (slice & distance) != 0;
    folded.first += is_upper ? kKept : 0;
    folded.count = kKept;
#pragma unroll
    for (int m = 0; m < kKept; ++m) {
#pragma unroll
      for (int i = 0; i < kInner; ++i) {
        const float low = sums[m][i];
        const float high = sums[m + kKept][i];
        sums[m][i] = (is_upper ? high : low) + __shfl_xor_sync(kAllLanes, is_upper ? low : high, distance * lanes);
      }
    }
    distance /= 2;
    halve_sums<kKept / 2>(sums, distance, slice, lanes, folded);
  }
}

/// Adds up the slices of an item, which are `lanes` lanes apart; every lane gets as few sums as there are lanes for.
template <int kCount, int kInner>
__device__ __forceinline__ FoldedSums fold_slices(float (&sums)[kCount][kInner], int slices, int slice, int lanes) {
  FoldedSums folded = {0, kCount, true};
  int distance = slices / 2;
  halve_sums<kCount / 2>(sums, distance, slice, lanes, folded);
  folded.is_own = distance == 0 || slice % (2 * distance) == 0;
  for (; distance > 0; distance /= 2) {
#pragma unroll
    for (int i = 0; i < kInner; ++i) sums[0][i] += __shfl_xor_sync(kAllLanes, sums[0][i], distance * lanes);
  }
  return folded;
}

/// sums[0] becomes what sums[1] was, and so on: a short loop over them needs no index that only runs at run time.
template <int kCount, int kInner>
__device__ __forceinline__ void drop_first(float (&sums)[kCount][kInner]) {
#pragma unroll
  for (int m = 0; m + 1 < kCount; ++m) {
#pragma unroll
    for (int i = 0; i < kInner; ++i) sums[m][i] = sums[m + 1][i];
  }
}

/// Weights from shared memory, or from where they are.
template <bool kStaged>
__device__ __forceinline__ float4 load_weights(const float* from) {
  if constexpr (kStaged) {
    return *reinterpret_cast<const float4*>(from);
  } else {
    return __ldg(reinterpret_cast<const float4*>(from));
  }
}

/// Biases of a tile of channels, read before they are needed: the second cache takes as long to answer as many sums do.
template <int kChannels>
struct TileBias {
  float at[kChannels];

  __device__ __forceinline__ explicit TileBias(const float* from) {
    if constexpr (kChannels == 1) {
      at[0] = __ldg(from);
    } else {
#pragma unroll
      for (int i = 0; i < kChannels; i += 4) {
        const float4 four = __ldg(reinterpret_cast<const float4*>(from + i));
        at[i] = four.x;
        at[i + 1] = four.y;
        at[i + 2] = four.z;
        at[i + 3] = four.w;
      }
    }
  }
  [[nodiscard]] __device__ __forceinline__ float of(int channel) const {
    float found = at[0];
#pragma unroll
    for (int i = 1; i < kChannels; ++i) found = channel == i ? at[i] : found;
    return found;
  }
};

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
  if (stage.port < 0) return {block.at(image, stage.out.start), stage.out.plane, stage.out.pitch, 1 << network.ranks_log};
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
#pragma unroll 2
  for (int rank = 0; rank < result.copies; ++rank) store_in_cluster(result.data + place, rank, value);
}

/// The activations that are long to compute. Out of line: many places need them, few networks.
__device__ __noinline__ inline float finish_slowly(const ActivationCall& call, float x) { return activate(call, x); }

__device__ __forceinline__ float finish(const ActivationCall& call, float x) {
  if (!is_piecewise(call.kind)) return finish_slowly(call, x);
  const float below = call.kind == Activation::kRelu ? 0.0f : call.kind == Activation::kNone ? x : call.alpha * x;
  return x < 0.0f ? below : x;
}

/// A barrier of the block, or cluster.
__device__ __forceinline__ void sync_block(int ranks_log) {
  if (ranks_log > 0) {
    sync_cluster();
  } else {
    __syncthreads();
  }
}

/// Writes the zeros around a value of every image, in this block alone. A thread takes a row.
__device__ inline void clear_border(const StageBorder& border, const NetworkBlock& block) {
  const int thread = block.warp * kWarp + block.lane;
  const int threads = block.warps * kWarp;
  if (border.rows.size > 0) {
    for (int i = thread; i < border.rows.size * block.images; i += threads) {
      const Quotient at = divide_with_rest(i, border.rows);
      const int in_channel = divide_with_rest(at.rest, border.rows_of_channel).rest - border.top;
      float* to = block.at(at.whole, border.start + at.rest * border.pitch);
      const bool has_pixels = in_channel >= 0 && in_channel < border.height;
      const int kept = has_pixels ? border.width : 0;
      for (int x = 0; x < border.left; ++x) to[x] = 0.0f;
      for (int x = border.left + kept; x < border.pitch; ++x) to[x] = 0.0f;
    }
  }
  for (int i = thread; i < block.images && border.tail > 0; i += threads) {
    for (int x = 0; x < border.tail; ++x) *block.at(i, border.start + x) = 0.0f;
  }
}

/// Starts to copy an input of every image, kFloats at a time.
template <int kFloats>
__device__ __forceinline__ void copy_port(const NetworkPort& port, const NetworkBlock& block) {
  const SmallDivisor& vectors = kFloats == 4 ? port.fours : port.floats;
  const float* data = port.data + block.first_image * port.rows.size * port.floats.size;
  const int count = block.images * port.rows.size * vectors.size;
  for (int i = block.warp * kWarp + block.lane; i < count; i += block.warps * kWarp) {
    const Quotient in_row = divide_with_rest(i, vectors);
    const Quotient in_image = divide_with_rest(in_row.whole, port.rows);
    const Quotient in_channel = divide_with_rest(in_image.rest, port.height);
    const int place = port.place.start + in_channel.whole * port.place.plane + in_channel.rest * port.place.pitch;
    copy_async<kFloats * 4>(block.at(in_image.whole, place + in_row.rest * kFloats), data + i * kFloats);
  }
}

__device__ inline void load_port(const NetworkPort& port, const NetworkBlock& block) {
  clear_border(port.border, block);
  if (port.has_fours) {
    copy_port<4>(port, block);
  } else {
    copy_port<1>(port, block);
  }
}

}  // namespace slipway::cuda
