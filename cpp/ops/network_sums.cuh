// Convolutions of a network's block (network_stage.h).
//
// An item is a tile of 4 output channels x 2 rows x kColumns pixels, and one slice of the terms: some kernel rows of
// some input channels. The lanes of a tile's slices are neighbours, and add up what they have by shuffles.
#pragma once

#include "ops/network_block.cuh"

namespace slipway::cuda {

template <int kColumns>
using TileSums = float[kTileChannels][kTileRows][kColumns];

/// kCount floats from an address that is aligned to kColumns of them.
template <int kColumns, int kCount>
__device__ __forceinline__ void load_row(const float* from, float (&row)[kCount]) {
#pragma unroll
  for (int i = 0; i < kCount; i += kColumns) {
    if (kColumns == 4 && i + 2 < kCount) {
      const float4 four = *reinterpret_cast<const float4*>(from + i);
      row[i] = four.x;
      row[i + 1] = four.y;
      row[i + 2] = four.z;
      if (i + 3 < kCount) row[i + 3] = four.w;
    } else {
      const float2 two = *reinterpret_cast<const float2*>(from + i);
      row[i] = two.x;
      if (i + 1 < kCount) row[i + 1] = two.y;
    }
  }
}

/// Weights of one tap: in shared memory, or where they are.
template <bool kStaged>
__device__ __forceinline__ float4 load_weights(const float* from) {
  if constexpr (kStaged) {
    return *reinterpret_cast<const float4*>(from);
  } else {
    return __ldg(reinterpret_cast<const float4*>(from));
  }
}

template <int kColumns>
__device__ __forceinline__ void add_tap(const float4& weights, const float (&x)[kTileRows][kColumns],
                                        TileSums<kColumns>& sums) {
  const float w[kTileChannels] = {weights.x, weights.y, weights.z, weights.w};
#pragma unroll
  for (int m = 0; m < kTileChannels; ++m) {
#pragma unroll
    for (int r = 0; r < kTileRows; ++r) {
#pragma unroll
      for (int p = 0; p < kColumns; ++p) sums[m][r][p] = fmaf(w[m], x[r][p], sums[m][r][p]);
    }
  }
}

/// Adds one kernel row of one input channel. Two rows of pixels, `below` apart, meet the same weights.
template <int kColumns, int kTaps, bool kStaged>
__device__ __forceinline__ void add_unit(const float* in, int below, const float* weights, TileSums<kColumns>& sums) {
  constexpr int kRow = kColumns + kTaps - 1;
  float rows[kTileRows][kRow];
  load_row<kColumns>(in, rows[0]);
  load_row<kColumns>(in + below, rows[1]);
#pragma unroll
  for (int j = 0; j < kTaps; ++j) {
    float x[kTileRows][kColumns];
#pragma unroll
    for (int p = 0; p < kColumns; ++p) {
      x[0][p] = rows[0][p + j];
      x[1][p] = rows[1][p + j];
    }
    add_tap<kColumns>(load_weights<kStaged>(weights + j * kTileChannels), x, sums);
  }
}

/// The same for any kernel, stride and dilation.
template <int kColumns, bool kStaged>
__device__ __forceinline__ void add_any_unit(const StageAxis& columns, const float* in, int below, const float* weights,
                                             TileSums<kColumns>& sums) {
#pragma unroll 1
  for (int j = 0; j < columns.kernel; ++j) {
    float x[kTileRows][kColumns];
#pragma unroll
    for (int p = 0; p < kColumns; ++p) {
      x[0][p] = in[p * columns.stride];
      x[1][p] = in[p * columns.stride + below];
    }
    add_tap<kColumns>(load_weights<kStaged>(weights + j * kTileChannels), x, sums);
    in += columns.dilation;
  }
}

/// Sums over units [first, last). `in` is where the tile's first pixel has its first tap.
template <int kColumns, int kTaps, bool kStaged>
__device__ __forceinline__ void add_units(const NetworkStage& stage, const float* in, const float* weights, int first,
                                          int last, TileSums<kColumns>& sums) {
  const int taps = kTaps > 0 ? kTaps : stage.columns.kernel;
  const int kernel_rows = stage.rows.kernel;
  const int below = stage.rows.stride * stage.in.pitch;
  const int down = stage.rows.dilation * stage.in.pitch;
  const int next_channel = stage.in.plane - (kernel_rows - 1) * down;
  int row = first % kernel_rows;
  in += first / kernel_rows * stage.in.plane + row * down;
  weights += first * taps * kTileChannels;
  for (int unit = first; unit < last; ++unit) {
    if constexpr (kTaps > 0) {
      add_unit<kColumns, kTaps, kStaged>(in, below, weights, sums);
    } else {
      add_any_unit<kColumns, kStaged>(stage.columns, in, below, weights, sums);
    }
    weights += taps * kTileChannels;
    const bool is_last_row = ++row == kernel_rows;
    in += is_last_row ? next_channel : down;
    row = is_last_row ? 0 : row;
  }
}

/// Channels that a lane is left with after fold_slices().
struct FoldedTile {
  int first;    ///< of them, in the tile
  int count;    ///< sums[0] to sums[count - 1]
  bool is_own;  ///< false where a neighbour has the same
};

/// Adds up the slices of a tile; every lane gets as few channels as there are lanes for.
template <int kColumns>
__device__ __forceinline__ FoldedTile fold_slices(TileSums<kColumns>& sums, int slices, int slice) {
  FoldedTile folded = {0, kTileChannels, true};
  int distance = slices / 2;
#pragma unroll
  for (int kept = kTileChannels / 2; kept > 0; kept /= 2, distance /= 2) {
    if (distance == 0) return folded;
    const bool is_upper = (slice & distance) != 0;
    folded.first += is_upper ? kept : 0;
    folded.count = kept;
#pragma unroll
    for (int m = 0; m < kept; ++m) {
#pragma unroll
      for (int i = 0; i < kTileRows * kColumns; ++i) {
        float& low = sums[m][i / kColumns][i % kColumns];
        const float high = sums[m + kept][i / kColumns][i % kColumns];
        low = (is_upper ? high : low) + __shfl_xor_sync(kAllLanes, is_upper ? low : high, distance);
      }
    }
  }
  folded.is_own = distance == 0 || slice % (2 * distance) == 0;
  for (; distance > 0; distance /= 2) {
#pragma unroll
    for (int i = 0; i < kTileRows * kColumns; ++i) {
      sums[0][i / kColumns][i % kColumns] += __shfl_xor_sync(kAllLanes, sums[0][i / kColumns][i % kColumns], distance);
    }
  }
  return folded;
}

/// The larger one; NaN where one of them is.
[[nodiscard]] __device__ __forceinline__ float larger(float a, float b) { return a > b || a != a ? a : b; }

/// Writes one channel of a tile whose first pixel is (y, x): bias, other term, pooling and activation.
template <int kColumns, bool kShares>
__device__ __forceinline__ void put_channel(const NetworkStage& stage, const NetworkBlock& block,
                                            const StageResult<kShares>& result, int image, int channel, int y, int x,
                                            const float (&sums)[kTileRows][kColumns]) {
  const float bias = __ldg(stage.bias + channel);
  if (stage.pool == 2) {
    if (y / 2 >= stage.height) return;
#pragma unroll
    for (int p = 0; p < kColumns; p += 2) {
      const float most = larger(larger(sums[0][p], sums[0][p + 1]), larger(sums[1][p], sums[1][p + 1]));
      if ((x + p) / 2 >= stage.width) break;
      put(result, channel * result.plane + y / 2 * result.pitch + (x + p) / 2, finish(stage.activation, bias + most));
    }
    return;
  }
  const float* other = block.at(image, stage.other.start + channel * stage.other.plane);
#pragma unroll
  for (int r = 0; r < kTileRows; ++r) {
    if (y + r >= stage.height) break;
#pragma unroll
    for (int p = 0; p < kColumns; ++p) {
      if (x + p >= stage.width) break;
      float value = bias + sums[r][p];
      if (stage.other.pitch > 0) value += other[(y + r) * stage.other.pitch + x + p];
      put(result, channel * result.plane + (y + r) * result.pitch + x + p, finish(stage.activation, value));
    }
  }
}

/// Weights are in shared memory where kStaged, else where they are.
template <int kColumns, bool kStaged>
__device__ __forceinline__ void add_all_units(const NetworkStage& stage, const float* in, const float* weights,
                                              int first, int last, TileSums<kColumns>& sums) {
  switch (stage.taps) {
    case 1:
      return add_units<kColumns, 1, kStaged>(stage, in, weights, first, last, sums);
    case 3:
      return add_units<kColumns, 3, kStaged>(stage, in, weights, first, last, sums);
    case 5:
      return add_units<kColumns, 5, kStaged>(stage, in, weights, first, last, sums);
    default:
      return add_units<kColumns, 0, kStaged>(stage, in, weights, first, last, sums);
  }
}

template <int kColumns, bool kShares>
struct SumsItem {
  const NetworkStages& network;
  const NetworkStage& stage;
  const NetworkBlock& block;

  __device__ __forceinline__ void operator()(int item, bool is_there) const {
    const int slices = 1 << stage.slices_log;
    const int slice = item & (slices - 1);
    const int whole = item >> stage.slices_log;
    const int tile = whole % stage.tiles;
    const int image = whole / stage.tiles % block.images;
    const int group = whole / stage.tiles / block.images;
    const int y = tile / stage.tiles_across * kTileRows;
    const int x = tile % stage.tiles_across * kColumns;
    const int first_row = y * stage.rows.stride - stage.rows.begin;
    const int first_column = x * stage.columns.stride - stage.columns.begin;
    const float* in = block.at(image, stage.in.start + first_row * stage.in.pitch + first_column);
    const int weights = group * stage.group_floats;
    const int first = stage.units * slice >> stage.slices_log;
    const int last = stage.units * (slice + 1) >> stage.slices_log;
    TileSums<kColumns> sums = {};
    if (kShares && stage.staged >= 0) {
      add_all_units<kColumns, true>(stage, in, block.memory + stage.staged + weights, first, last, sums);
    } else {
      add_all_units<kColumns, false>(stage, in, stage.weights + weights, first, last, sums);
    }
    const FoldedTile folded = fold_slices<kColumns>(sums, slices, slice);
    if (!is_there || !folded.is_own) return;
    const StageResult<kShares> result = result_of<kShares>(network, stage, block, image);
#pragma unroll
    for (int m = 0; m < kTileChannels; ++m) {
      const int channel = group * kTileChannels + folded.first + m;
      if (m >= folded.count || channel >= stage.channels) break;
      put_channel<kColumns, kShares>(stage, block, result, image, channel, y, x, sums[m]);
    }
  }
};

template <int kColumns, bool kShares>
__device__ __forceinline__ void make_sums(const NetworkStages& network, const NetworkStage& stage,
                                          NetworkBlock& block) {
  const int groups = (stage.channels + kTileChannels - 1) / kTileChannels;
  const int items = groups * block.images * stage.tiles << stage.slices_log;
  for_each_item(block, items, SumsItem<kColumns, kShares>{network, stage, block});
}

}  // namespace slipway::cuda
