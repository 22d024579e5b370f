// Dense layers, poolings and element-wise stages of a network's block (network_stage.h).
#pragma once

#include "ops/network_block.cuh"
#include "ops/network_sums.cuh"

namespace slipway::cuda {

/// kChannels outputs of kImages images, and one slice of the terms; the lanes of the slices are neighbours.
template <int kChannels, int kImages, bool kShares>
struct DenseItem {
  const NetworkStages& network;
  const NetworkStage& stage;
  const NetworkBlock& block;
  int teams_log;  ///< 2^teams_log teams of kImages images

  using Sums = float[kImages * kChannels][1];

  __device__ __forceinline__ void operator()(int item, bool is_there) const {
    const int slices = 1 << stage.slices_log;
    const int slice = item & (slices - 1);
    const int whole = item >> stage.slices_log;
    const int image = (whole & ((1 << teams_log) - 1)) * kImages;
    const int channel = (whole >> teams_log) * kChannels;
    const int weights = channel * stage.channel_floats;
    const TileBias<kChannels> bias(stage.bias + channel);
    Sums sums = {};
    if (kShares && stage.staged >= 0) {
      add_units<true>(block.staged_weights + weights, image, slice, slices, sums);
    } else {
      add_units<false>(stage.weights + weights, image, slice, slices, sums);
    }
    const FoldedSums folded = fold_slices(sums, slices, slice, 1);
    if (!is_there || !folded.is_own) return;
#pragma unroll 1
    for (int i = folded.first; i < folded.first + folded.count; ++i) {
      const int in_tile = i % kChannels;
      put_output(image + i / kChannels, channel + in_tile, bias.of(in_tile) + sums[0][0]);
      drop_first(sums);
    }
  }

  /// One image: weights of several units are on their way at once. Several: those of the next unit, beside sums.
  template <bool kStaged>
  __device__ __forceinline__ void add_units(const float* weights, int first, int slice, int slices, Sums& sums) const {
    constexpr int kAhead = kImages > 1 ? 1 : 8 / kChannels;
    const int last = stage.units - 1;
    float4 next[kAhead][kChannels];
    if (kImages > 1) load_unit<kStaged>(weights, min(slice, last), next[0]);
#pragma unroll 1
    for (int unit = slice; unit <= last; unit += kAhead * slices) {
      float4 w[kAhead][kChannels];
      if (kImages > 1) {
#pragma unroll
        for (int c = 0; c < kChannels; ++c) w[0][c] = next[0][c];
        load_unit<kStaged>(weights, min(unit + slices, last), next[0]);
      } else {
#pragma unroll
        for (int a = 0; a < kAhead; ++a) load_unit<kStaged>(weights, min(unit + a * slices, last), w[a]);
      }
#pragma unroll
      for (int a = 0; a < kAhead; ++a) {
        if (unit + a * slices <= last) add_unit(w[a], first, unit + a * slices, sums);
      }
    }
  }

  template <bool kStaged>
  __device__ __forceinline__ void load_unit(const float* weights, int unit, float4 (&w)[kChannels]) const {
#pragma unroll
    for (int c = 0; c < kChannels; ++c) w[c] = load_weights<kStaged>(weights + c * stage.channel_floats + 4 * unit);
  }

  __device__ __forceinline__ void add_unit(const float4 (&w)[kChannels], int first, int unit, Sums& sums) const {
#pragma unroll
    for (int i = 0; i < kImages; ++i) {
      const int image = min(first + i, block.images - 1);  // beyond the last it is the last once more
      const float4 x = *reinterpret_cast<const float4*>(block.at(image, stage.in.start + 4 * unit));
#pragma unroll
      for (int c = 0; c < kChannels; ++c) {
        float& sum = sums[i * kChannels + c][0];
        sum = fmaf(w[c].x, x.x, fmaf(w[c].y, x.y, fmaf(w[c].z, x.z, fmaf(w[c].w, x.w, sum))));
      }
    }
  }

  __device__ __forceinline__ void put_output(int image, int channel, float value) const {
    if (image >= block.images || channel >= stage.channels) return;
    if (stage.other.pitch > 0) value += *block.at(image, stage.other.start + channel * stage.other.plane);
    const StageResult<kShares> result = result_of<kShares>(network, stage, block, image);
    put(result, channel * result.plane, finish(stage.activation, value));
  }
};

/// An element of what a stage makes.
struct StageElement {
  int image;
  int channel;
  int y;
  int x;
};

[[nodiscard]] __device__ __forceinline__ StageElement element_of(const NetworkStage& stage, int item) {
  const Quotient row = divide_with_rest(item, stage.by_width);
  const Quotient plane = divide_with_rest(row.whole, stage.by_height);
  const Quotient image = divide_with_rest(plane.whole, stage.by_channels);
  return {image.whole, image.rest, plane.rest, row.rest};
}

/// Taps [begin, end) of a window's axis that lie below `size`, and not before the input.
struct StageTaps {
  int first;  ///< what tap 0 reads
  int begin;
  int end;
};

[[nodiscard]] __device__ __forceinline__ StageTaps taps_of(const StageAxis& axis, int output, int size) {
  StageTaps taps;
  taps.first = output * axis.stride - axis.begin;
  int past = max(size - taps.first, 0);
  taps.begin = max(-taps.first, 0);
  if (axis.dilation > 1) {
    taps.begin = (taps.begin + axis.dilation - 1) / axis.dilation;
    past = (past + axis.dilation - 1) / axis.dilation;
  }
  taps.end = max(min(past, static_cast<int>(axis.kernel)), taps.begin);
  return taps;
}

/// One element of a pooling. No window is empty: the host has seen to that.
template <bool kShares>
struct PoolItem {
  const NetworkStages& network;
  const NetworkStage& stage;
  const NetworkBlock& block;

  __device__ __forceinline__ void operator()(int item, bool is_there) const {
    const StageElement at = element_of(stage, item);
    if (at.image >= block.images) return;
    const StageTaps rows = taps_of(stage.rows, at.y, stage.in_height);
    const StageTaps columns = taps_of(stage.columns, at.x, stage.in_width);
    const float* in = block.at(at.image, stage.in.start + at.channel * stage.in.plane);
    double sum = 0.0;
    float most = -INFINITY;
    for (int i = rows.begin; i < rows.end; ++i) {
      const float* row = in + (rows.first + i * stage.rows.dilation) * stage.in.pitch + columns.first;
      for (int j = columns.begin; j < columns.end; ++j) {
        const float value = row[j * stage.columns.dilation];
        if (stage.is_mean) {
          sum += static_cast<double>(value);
        } else {
          most = larger(most, value);
        }
      }
    }
    if (!is_there) return;
    if (stage.is_mean) {
      // A window begins within the padding before the input, so only its end can lie outside of what counts.
      const int all = taps_of(stage.rows, at.y, stage.in_height + stage.rows.end).end *
                      taps_of(stage.columns, at.x, stage.in_width + stage.columns.end).end;
      const int inside = (rows.end - rows.begin) * (columns.end - columns.begin);
      most = static_cast<float>(sum / (stage.counts_padding ? all : inside));
    }
    const StageResult<kShares> result = result_of<kShares>(network, stage, block, at.image);
    put(result, at.channel * result.plane + at.y * result.pitch + at.x, finish(stage.activation, most));
  }
};

/// One element of an addition, an activation or a copy.
template <bool kShares>
struct MapItem {
  const NetworkStages& network;
  const NetworkStage& stage;
  const NetworkBlock& block;

  [[nodiscard]] __device__ __forceinline__ float read(const StagePlace& place, const StageElement& at) const {
    return *block.at(at.image, place.start + at.channel * place.plane + at.y * place.pitch + at.x);
  }
  __device__ __forceinline__ void operator()(int item, bool is_there) const {
    const StageElement at = element_of(stage, item);
    if (!is_there || at.image >= block.images) return;
    float value = read(stage.in, at);
    if (stage.other.pitch > 0) value += read(stage.other, at);
    const StageResult<kShares> result = result_of<kShares>(network, stage, block, at.image);
    put(result, at.channel * result.plane + at.y * result.pitch + at.x, finish(stage.activation, value));
  }
};

template <int kChannels, int kTeamLog, bool kShares>
__device__ __forceinline__ void make_dense_items(const NetworkStages& network, const NetworkStage& stage,
                                                 NetworkBlock& block) {
  for_each_item(stage, block,
                DenseItem<kChannels, 1 << kTeamLog, kShares>{network, stage, block,
                                                             max(0, network.images_log - kTeamLog)});
}

template <bool kShares>
__device__ __forceinline__ void make_dense(const NetworkStages& network, const NetworkStage& stage,
                                           NetworkBlock& block) {
  if (network.team_log == kTeamLog) return make_dense_items<kTileChannels, kTeamLog, kShares>(network, stage, block);
  if (network.team_log > 0) return make_dense_items<kTileChannels, kSmallTeamLog, kShares>(network, stage, block);
  if (stage.tile_channels > 1) return make_dense_items<kTileChannels, 0, kShares>(network, stage, block);
  make_dense_items<1, 0, kShares>(network, stage, block);
}

template <bool kShares>
__device__ __forceinline__ void make_elements(const NetworkStages& network, const NetworkStage& stage,
                                              NetworkBlock& block) {
  if (stage.kind == StageKind::kPool) {
    for_each_item(stage, block, PoolItem<kShares>{network, stage, block});
  } else {
    for_each_item(stage, block, MapItem<kShares>{network, stage, block});
  }
}

}  // namespace slipway::cuda
