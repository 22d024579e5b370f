// Dense layers, poolings and element-wise stages of a network's block (network_stage.h).
#pragma once

#include "ops/network_block.cuh"
#include "ops/network_sums.cuh"

namespace slipway::cuda {

/// One output of kImages images, and one slice of the terms; the lanes of the slices are neighbours.
template <int kImages, bool kShares>
struct DenseItem {
  const NetworkStages& network;
  const NetworkStage& stage;
  const NetworkBlock& block;
  int teams;  ///< of kImages images

  __device__ __forceinline__ void operator()(int item, bool is_there) const {
    const int slices = 1 << stage.slices_log;
    const int slice = item & (slices - 1);
    const int whole = item >> stage.slices_log;
    const int first = whole % teams * kImages;
    const int channel = whole / teams;
    const int weights = channel * stage.group_floats;
    float sums[kImages] = {};
    if (kShares && stage.staged >= 0) {
      add_units<true>(block.memory + stage.staged + weights, first, slice, slices, sums);
    } else {
      add_units<false>(stage.weights + weights, first, slice, slices, sums);
    }
    for (int distance = slices / 2; distance > 0; distance /= 2) {
#pragma unroll
      for (int i = 0; i < kImages; ++i) sums[i] += __shfl_xor_sync(kAllLanes, sums[i], distance);
    }
    if (!is_there || slice != 0) return;
    const float bias = __ldg(stage.bias + channel);
#pragma unroll
    for (int i = 0; i < kImages; ++i) {
      if (first + i < block.images) put_output(first + i, channel, bias + sums[i]);
    }
  }

  template <bool kStaged>
  __device__ __forceinline__ void add_units(const float* weights, int first, int slice, int slices,
                                            float (&sums)[kImages]) const {
    const float* in[kImages];
#pragma unroll
    for (int i = 0; i < kImages; ++i) in[i] = block.at(min(first + i, block.images - 1), stage.in.start);
#pragma unroll 4
    for (int unit = slice; unit < stage.units; unit += slices) {
      const float4 w = load_weights<kStaged>(weights + 4 * unit);
#pragma unroll
      for (int i = 0; i < kImages; ++i) {
        const float4 x = *reinterpret_cast<const float4*>(in[i] + 4 * unit);
        sums[i] = fmaf(w.x, x.x, fmaf(w.y, x.y, fmaf(w.z, x.z, fmaf(w.w, x.w, sums[i]))));
      }
    }
  }

  __device__ __forceinline__ void put_output(int image, int channel, float value) const {
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
  StageElement at;
  at.x = item % stage.width;
  item /= stage.width;
  at.y = item % stage.height;
  item /= stage.height;
  at.channel = item % stage.channels;
  at.image = item / stage.channels;
  return at;
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
  taps.begin = taps.first < 0 ? (axis.dilation - 1 - taps.first) / axis.dilation : 0;
  const int past = taps.first < size ? (size - 1 - taps.first) / axis.dilation + 1 : 0;
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
    const StageTaps rows = taps_of(stage.rows, at.y, stage.in_height);
    const StageTaps columns = taps_of(stage.columns, at.x, stage.in_width);
    const float* in = block.at(at.image, stage.in.start + at.channel * stage.in.plane);
    float sum = 0.0f;
    float most = -INFINITY;
    for (int i = rows.begin; i < rows.end; ++i) {
      const float* row = in + (rows.first + i * stage.rows.dilation) * stage.in.pitch + columns.first;
      for (int j = columns.begin; j < columns.end; ++j) {
        const float value = row[j * stage.columns.dilation];
        sum += value;
        most = larger(most, value);
      }
    }
    if (!is_there) return;
    if (stage.is_mean) {
      // A window begins within the padding before the input, so only its end can lie outside of what counts.
      const int all = taps_of(stage.rows, at.y, stage.in_height + stage.rows.end).end *
                      taps_of(stage.columns, at.x, stage.in_width + stage.columns.end).end;
      const int inside = (rows.end - rows.begin) * (columns.end - columns.begin);
      most = sum / static_cast<float>(stage.counts_padding ? all : inside);
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
    if (!is_there) return;
    const StageElement at = element_of(stage, item);
    float value = read(stage.in, at);
    if (stage.other.pitch > 0) value += read(stage.other, at);
    const StageResult<kShares> result = result_of<kShares>(network, stage, block, at.image);
    put(result, at.channel * result.plane + at.y * result.pitch + at.x, finish(stage.activation, value));
  }
};

/// Images that one item of a dense layer takes.
inline constexpr int kDenseImages = 4;

template <bool kShares>
__device__ __forceinline__ void make_dense(const NetworkStages& network, const NetworkStage& stage,
                                           NetworkBlock& block) {
  if (block.images == 1) {
    return for_each_item(block, stage.channels << stage.slices_log, DenseItem<1, kShares>{network, stage, block, 1});
  }
  const int teams = (block.images + kDenseImages - 1) / kDenseImages;
  for_each_item(block, stage.channels * teams << stage.slices_log,
                DenseItem<kDenseImages, kShares>{network, stage, block, teams});
}

template <bool kShares>
__device__ __forceinline__ void make_elements(const NetworkStages& network, const NetworkStage& stage,
                                              NetworkBlock& block) {
  const int items = block.images * stage.channels * stage.height * stage.width;
  if (stage.kind == StageKind::kPool) {
    for_each_item(block, items, PoolItem<kShares>{network, stage, block});
  } else {
    for_each_item(block, items, MapItem<kShares>{network, stage, block});
  }
}

}  // namespace slipway::cuda
