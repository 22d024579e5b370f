// Convolutions of a network's block (network_stage.h).
//
// An item is a tile of kChannels output channels x 2 rows x kColumns pixels, and one slice of the terms: some kernel
// rows of some input channels. The lanes of a warp are neighbouring tiles of a row, then of the block's other images,
// then of the next row, slice by slice: the 8 or 16 lanes whose loads are one access shall meet different banks, and
// rows and channels often lie a multiple of 32 banks apart, images never (kImageBank). Slices are added up by shuffles.
#pragma once

#include "ops/network_block.cuh"

namespace slipway::cuda {

template <int kColumns, int kChannels>
using TileSums = float[kChannels][kTileRows * kColumns];

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

/// Weights of 4 channels lie side by side; those of the next 4 are `group_floats` further.
template <int kColumns, int kChannels, bool kStaged>
__device__ __forceinline__ void add_tap(const float* weights, int group_floats, const float (&x)[kTileRows][kColumns],
                                        TileSums<kColumns, kChannels>& sums) {
#pragma unroll
  for (int first = 0; first < kChannels; first += kGroupChannels) {
    const float4 four = load_weights<kStaged>(weights + first / kGroupChannels * group_floats);
    const float w[kGroupChannels] = {four.x, four.y, four.z, four.w};
#pragma unroll
    for (int m = 0; m < kGroupChannels; ++m) {
#pragma unroll
      for (int r = 0; r < kTileRows; ++r) {
#pragma unroll
        for (int p = 0; p < kColumns; ++p) {
          float& sum = sums[first + m][r * kColumns + p];
          sum = fmaf(w[m], x[r][p], sum);
        }
      }
    }
  }
}

/// Adds one kernel row of one input channel. Two rows of pixels, `below` apart, meet the same weights.
template <int kColumns, int kChannels, int kTaps, bool kStaged>
__device__ __forceinline__ void add_unit(const float* in, int below, const float* weights, int group_floats,
                                         TileSums<kColumns, kChannels>& sums) {
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
    add_tap<kColumns, kChannels, kStaged>(weights + j * kGroupChannels, group_floats, x, sums);
  }
}

/// The same for any kernel, stride and dilation.
template <int kColumns, int kChannels, bool kStaged>
__device__ __forceinline__ void add_any_unit(const StageAxis& columns, const float* in, int below, const float* weights,
                                             int group_floats, TileSums<kColumns, kChannels>& sums) {
#pragma unroll 1
  for (int j = 0; j < columns.kernel; ++j) {
    float x[kTileRows][kColumns];
#pragma unroll
    for (int p = 0; p < kColumns; ++p) {
      x[0][p] = in[p * columns.stride];
      x[1][p] = in[p * columns.stride + below];
    }
    add_tap<kColumns, kChannels, kStaged>(weights + j * kGroupChannels, group_floats, x, sums);
    in += columns.dilation;
  }
}

/// Sums over units [first, last). `in` is where the tile's first pixel has its first tap.
template <int kColumns, int kChannels, int kTaps, bool kStaged>
__device__ __forceinline__ void add_units(const NetworkStage& stage, const float* in, const float* weights, int first,
                                          int last, TileSums<kColumns, kChannels>& sums) {
  const int taps = kTaps > 0 ? kTaps : stage.columns.kernel;
  const int kernel_rows = stage.rows.kernel;
  const int below = stage.rows.stride * stage.in.pitch;
  const int down = stage.rows.dilation * stage.in.pitch;
  const int group_floats = kGroupChannels * stage.channel_floats;
  const int next_channel = stage.in.plane - (kernel_rows - 1) * down;
  const Quotient begin = divide_with_rest(first, stage.kernel_rows);
  int row = begin.rest;
  in += begin.whole * stage.in.plane + row * down;
  weights += first * taps * kGroupChannels;
  for (int unit = first; unit < last; ++unit) {
    if constexpr (kTaps > 0) {
      add_unit<kColumns, kChannels, kTaps, kStaged>(in, below, weights, group_floats, sums);
    } else {
      add_any_unit<kColumns, kChannels, kStaged>(stage.columns, in, below, weights, group_floats, sums);
    }
    weights += taps * kGroupChannels;
    const bool is_last_row = ++row == kernel_rows;
    in += is_last_row ? next_channel : down;
    row = is_last_row ? 0 : row;
  }
}

/// The larger one; NaN where one of them is.
[[nodiscard]] __device__ __forceinline__ float larger(float a, float b) { return a > b || a != a ? a : b; }

/// Writes one channel of a tile whose first pixel is (y, x): bias, other term, pooling and activation.
template <int kColumns, bool kShares>
__device__ __forceinline__ void put_channel(const NetworkStage& stage, const NetworkBlock& block,
                                            const StageResult<kShares>& result, int image, int channel, int y, int x,
                                            float bias, const float (&sums)[kTileRows * kColumns]) {
  if (stage.pool == 2) {
    if (y / 2 >= stage.height) return;
#pragma unroll
    for (int p = 0; p < kColumns; p += 2) {
      const float most = larger(larger(sums[p], sums[p + 1]), larger(sums[kColumns + p], sums[kColumns + p + 1]));
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
      float value = bias + sums[r * kColumns + p];
      if (stage.other.pitch > 0) value += other[(y + r) * stage.other.pitch + x + p];
      put(result, channel * result.plane + (y + r) * result.pitch + x + p, finish(stage.activation, value));
    }
  }
}

/// Weights are in shared memory where kStaged, else where they are.
template <int kColumns, int kChannels, bool kStaged>
__device__ __forceinline__ void add_all_units(const NetworkStage& stage, const float* in, const float* weights,
                                              int first, int last, TileSums<kColumns, kChannels>& sums) {
  switch (stage.taps) {
    case 1:
      return add_units<kColumns, kChannels, 1, kStaged>(stage, in, weights, first, last, sums);
    case 3:
      return add_units<kColumns, kChannels, 3, kStaged>(stage, in, weights, first, last, sums);
    case 5:
      return add_units<kColumns, kChannels, 5, kStaged>(stage, in, weights, first, last, sums);
    default:
      return add_units<kColumns, kChannels, 0, kStaged>(stage, in, weights, first, last, sums);
  }
}

template <int kColumns, int kChannels, bool kShares>
struct SumsItem {
  const NetworkStages& network;
  const NetworkStage& stage;
  const NetworkBlock& block;

  /// Lanes beyond the last tile repeat it.
  __device__ __forceinline__ void operator()(int chunk) const {
    const int slices = 1 << stage.slices_log;
    const int lanes_log = kWarpLog - stage.slices_log;
    const int slice = block.lane >> lanes_log;
    const int wanted = (chunk << lanes_log) + block.lane - (slice << lanes_log);
    const int last_tile = (stage.items >> stage.slices_log) - 1;
    const Quotient in_row = divide_with_rest(min(wanted, last_tile), stage.tiles_across);
    const int wanted_image = in_row.whole & ((1 << network.images_log) - 1);
    const int image = min(wanted_image, block.images - 1);
    const Quotient in_column = divide_with_rest(in_row.whole >> network.images_log, stage.tiles_down);
    const int first_channel = in_column.whole * kChannels;
    const int y = in_column.rest * kTileRows;
    const int x = in_row.rest * kColumns;
    const TileBias<kChannels> bias(stage.bias + first_channel);
    const int first_row = y * stage.rows.stride - stage.rows.begin;
    const int first_column = x * stage.columns.stride - stage.columns.begin;
    const float* in = block.at(image, stage.in.start + first_row * stage.in.pitch + first_column);
    const int weights = first_channel * stage.channel_floats;
    const int first = stage.units * slice >> stage.slices_log;
    const int last = stage.units * (slice + 1) >> stage.slices_log;
    TileSums<kColumns, kChannels> sums = {};
    if (kShares && stage.staged >= 0) {
      add_all_units<kColumns, kChannels, true>(stage, in, block.staged_weights + weights, first, last, sums);
    } else {
      add_all_units<kColumns, kChannels, false>(stage, in, stage.weights + weights, first, last, sums);
    }
    const FoldedSums folded = fold_slices(sums, slices, slice, 1 << lanes_log);
    if (wanted > last_tile || !folded.is_own || image != wanted_image) return;
    const StageResult<kShares> result = result_of<kShares>(network, stage, block, image);
#pragma unroll 1
    for (int m = folded.first; m < folded.first + folded.count; ++m) {
      const int channel = first_channel + m;
      if (channel >= stage.channels) break;
      put_channel<kColumns, kShares>(stage, block, result, image, channel, y, x, bias.of(m), sums[0]);
      drop_first(sums);
    }
  }
};

template <int kColumns, int kChannels, bool kShares>
__device__ __forceinline__ void make_sums(const NetworkStages& network, const NetworkStage& stage,
                                          NetworkBlock& block) {
  for_each_chunk(stage, block, SumsItem<kColumns, kChannels, kShares>{network, stage, block});
}

}  // namespace slipway::cuda
