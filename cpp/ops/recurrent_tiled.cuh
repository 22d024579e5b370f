// The steps of GRU, LSTM and RNN in float32 with their default activations, from sums of inputs that are there already.
#pragma once

#include "ops/recurrent_tile.cuh"

namespace slipway::cuda {

/// A lane's weights.
template <int kGates, int kShape, int kTile>
struct TiledWeights {
  using Shape = TiledShapeOf<kShape>;
  static constexpr int kHeld = TiledSplit(kGates, Shape::all(), kTile).held;
  static constexpr int kShared = TiledSplit(kGates, Shape::all(), kTile).shared;
  static constexpr int kStreamed = TiledSplit(kGates, Shape::all(), kTile).streamed;
  float held[kHeld][kGates];
  float4* shared;    ///< [steps, threads] of this lane's gates
  float4* streamed;  ///< likewise

  __device__ TiledWeights(const TiledArguments& from, int direction, int unit, int part, float4* memory)
      : shared(memory + threadIdx.x),
        streamed(from.streamed + (blockIdx.y * gridDim.x + blockIdx.x) * kStreamed * blockDim.x + threadIdx.x) {
    const int hidden = static_cast<int>(from.sizes.hidden);
    const TiledElements<Shape::kParts> elements(from);
    const float* r = from.memory.r + static_cast<int64_t>(direction * kGates * hidden + unit) * hidden;
#pragma unroll
    for (int first = 0; first < Shape::kSteps; first += kQuad) {
      float w[kGates][kQuad] = {};
      if (from.has_vectors && first < elements.whole) {
#pragma unroll
        for (int g = 0; g < kGates; ++g) {
          if (unit >= hidden) continue;
          const float* at = r + g * hidden * hidden + elements.element(part, first);
          const float4 vector = *reinterpret_cast<const float4*>(at);
          w[g][0] = vector.x;
          w[g][1] = vector.y;
          w[g][2] = vector.z;
          w[g][3] = vector.w;
        }
      } else {
#pragma unroll
        for (int e = 0; e < kQuad; ++e) {
          const int k = elements.element(part, first + e);
#pragma unroll
          for (int g = 0; g < kGates; ++g) w[g][e] = unit < hidden && k < hidden ? r[g * hidden * hidden + k] : 0.0f;
        }
      }
#pragma unroll
      for (int e = 0; e < kQuad; ++e) keep(first + e, w, e);
    }
  }

  __device__ __forceinline__ void read(int i, float (&w)[kQuad]) const {
    if (i < kHeld) {
#pragma unroll
      for (int g = 0; g < kGates; ++g) w[g] = held[i < kHeld ? i : 0][g];
    } else {
      const float4 vector = *elsewhere(i);
      w[0] = vector.x;
      w[1] = vector.y;
      w[2] = vector.z;
      w[3] = vector.w;
    }
  }

 private:
  /// Of a step whose weights are not held.
  [[nodiscard]] __device__ __forceinline__ float4* elsewhere(int i) const {
    const int step = i - kHeld;
    return step < kShared ? shared + step * blockDim.x : streamed + (step - kShared) * blockDim.x;
  }
  __device__ __forceinline__ void keep(int i, const float (&w)[kGates][kQuad], int e) {
    if (i < kHeld) {
#pragma unroll
      for (int g = 0; g < kGates; ++g) held[i < kHeld ? i : 0][g] = w[g][e];
    } else if (i < Shape::kSteps) {
      float all[kQuad] = {};
#pragma unroll
      for (int g = 0; g < kGates; ++g) all[g] = w[g][e];
      *elsewhere(i) = make_float4(all[0], all[1], all[2], all[3]);
    }
  }
};

/// h R' of the lane's unit and sequence. Every kTile adds in the same order, so that a sequence has the same bits in
/// every batch.
template <int kTile, int kGates, int kShape, int kMostTile>
__device__ __forceinline__ void multiply_state(const TiledWeights<kGates, kShape, kMostTile>& weights,
                                               const float* state, int part, float (&out)[kGates]) {
  using Shape = TiledShapeOf<kShape>;
  constexpr int kElements = kQuad / kTile;
  float sums[kGates][kTile] = {};
#pragma unroll
  for (int v = 0; v * kElements < Shape::kSteps; ++v) {
    const float4 vector = reinterpret_cast<const float4*>(state)[v * Shape::kParts + part];
    const float h[kQuad] = {vector.x, vector.y, vector.z, vector.w};
#pragma unroll
    for (int e = 0; e < kElements; ++e) {
      const int i = v * kElements + e;
      if (i >= Shape::kSteps) continue;
      float w[kQuad];
      weights.read(i, w);
#pragma unroll
      for (int g = 0; g < kGates; ++g) {
#pragma unroll
        for (int c = 0; c < kTile; ++c) sums[g][c] = fmaf(w[g], h[e * kTile + c], sums[g][c]);
      }
    }
  }
#pragma unroll
  for (int g = 0; g < kGates; ++g) {
    if constexpr (kTile == 4) {
      const float first = sums[g][0] + __shfl_xor_sync(kAllLanes, sums[g][2], kWarp / 2);
      const float second = sums[g][1] + __shfl_xor_sync(kAllLanes, sums[g][3], kWarp / 2);
      out[g] = first + __shfl_xor_sync(kAllLanes, second, kWarp / 4);
    } else {
      const float half = sums[g][0] + __shfl_xor_sync(kAllLanes, sums[g][kTile - 1], kWarp / 2);
      out[g] = half + __shfl_xor_sync(kAllLanes, half, kWarp / 4);
    }
#pragma unroll
    for (int other = kWarp / 8; other >= Shape::kUnitsOfWarp; other /= 2) {
      out[g] += __shfl_xor_sync(kAllLanes, out[g], other);
    }
  }
}

/// Zeros behind the last step of a tile's sequences, a row to a warp of those who share the tile. Returns the longest
/// length.
template <int kShape, int kTile>
__device__ int clear_padding(const TiledArguments& from, int64_t first, int direction) {
  const Recurrent& sizes = from.sizes;
  constexpr int kBlocks = TiledShapeOf<kShape>::kBlocks;
  const unsigned warps = blockDim.x / kWarp;
  const unsigned warp = threadIdx.x / kWarp + (kBlocks == 1 ? 0 : cluster_rank() * warps);
  int longest = 0;
  for (int s = 0; s < kTile; ++s) {
    const TiledSequence sequence(from, first + s);
    longest = sequence.length > longest ? sequence.length : longest;
    if (sequence.n < 0 || from.memory.y == nullptr) continue;
    for (int64_t t = sequence.length + warp; t < sizes.time; t += kBlocks * warps) {
      float* y = from.memory.y + sizes.y_at(t, direction, sequence.n);
      for (int j = static_cast<int>(threadIdx.x) % kWarp; j < sizes.hidden; j += kWarp) y[j] = 0.0f;
    }
  }
  return longest;
}

/// Runs all steps of sequences first .. first + kTile - 1. `states` holds two.
template <int kTile, typename Cell, int kShape, int kMostTile>
__device__ __forceinline__ void run_tile(const TiledArguments& from,
                                         const TiledWeights<Cell::kGates, kShape, kMostTile>& weights, const Cell& cell,
                                         float* states, float* inputs_memory, int64_t first, int direction) {
  using Shape = TiledShapeOf<kShape>;
  constexpr int kGates = Cell::kGates;
  constexpr int kState = tiled_state(Shape::all(), kTile);
  const Recurrent& sizes = from.sizes;
  const RecurrentMemory<float>& memory = from.memory;
  const TiledLane<kShape, kTile> lane(from);
  const TiledSequence sequence(from, first + lane.sequence);
  // Units beyond H stay zero.
  const bool has_unit = lane.unit < sizes.hidden;
  const bool shares = has_unit && (Shape::kBlocks > 1 || lane.equal == 0);
  const bool is_there = has_unit && sequence.n >= 0;
  const bool writes = is_there && lane.equal == 0;
  const int64_t at = sizes.state_at(direction, sequence.n) + lane.unit;
  float h = is_there && memory.initial_h != nullptr ? memory.initial_h[at] : 0.0f;
  float c = is_there && memory.initial_c != nullptr ? memory.initial_c[at] : 0.0f;
  // Elements beyond H are zero, whatever stood here.
  for (int i = static_cast<int>(threadIdx.x); i < 2 * kState; i += static_cast<int>(blockDim.x)) states[i] = 0.0f;
  TiledInputs<kGates, kTile> inputs(from, first, direction, lane.first_unit(from),
                                    tiled_units(Shape::all(), sizes.hidden), inputs_memory);
  const int longest = clear_padding<kShape, kTile>(from, first, direction);
  const int64_t y_stride = from.y_stride[direction];
  float* y = memory.y + sizes.y_at(y_stride < 0 ? sequence.length - 1 : 0, direction, sequence.n) + lane.unit;
  const int y_steps = writes && memory.y != nullptr ? sequence.length : 0;
  const int steps = is_there ? sequence.length : 0;
  const int own_unit = is_there ? lane.own_unit : 0;
  const int place = lane.place(from);
  if constexpr (Shape::kBlocks > 1) sync_cluster();
  if (shares) share_state(lane, states + place, h);
  sync_tile<kShape>();
  for (int i = 0; i < longest; ++i) {
    inputs.advance(i);
    float x[kGates];
    inputs.get(i, lane.sequence, own_unit, x);
    float sums[kGates];
    multiply_state<kTile>(weights, states + i % 2 * kState, lane.part, sums);
    // One sequence alone has a step to do here, and no branch lets its latency overlap with more.
    if (kTile == 1 || i < steps) cell.step(sums, x, h, c);
    if (shares) share_state(lane, states + (i + 1) % 2 * kState + place, h);
    if (i < y_steps) *y = h;
    y += y_stride;
    wait_for_copies<1>();
    sync_tile<kShape>();
  }
  if (writes && memory.last_h != nullptr) memory.last_h[at] = h;
  if (writes && memory.last_c != nullptr) memory.last_c[at] = c;
}

// H_t from H_t-1 by the cell's formulas: a block, or a cluster of 8, runs tiles of kTile sequences through all their
// steps; a lane multiplies its weights, `steps` of each gate, with kTile states, and does the gates of one unit.
// Weights are read once, 4 gates H^2 bytes; a step of a sequence takes 2 gates H^2 flops: bound by latency for one
// sequence, by multiply-adds for four. GRU of H = 100, 13 warps, counted on the scheduler that has 4 of them: a step of
// one sequence issues 4 * (75 multiply-adds, 10 loads, some 20 others), 420 cycles; then of the last warp two shuffles,
// 55, the gates, 130, and the state's way over shared memory and barrier, 75: some 680 cycles, 0.35 us at 1.98 GHz. A
// step of four sequences: 4 * (300 of some 420), 1700 cycles. Launch bounds: one block has all registers. Checked
// against the formulas in float64; a sequence has the same bits in every batch.
template <typename Cell, int kShape, int kTile>
__global__ void __launch_bounds__(tiled_most_threads(TiledShapeOf<kShape>::all()), 1)
    recurrent_tiled(__grid_constant__ const TiledArguments from) {
  SLIPWAY_SHARED(float, states);
  using Shape = TiledShapeOf<kShape>;
  float* inputs = states + 2 * tiled_state(Shape::all(), kTile);
  float* weights_memory = inputs + tiled_inputs(Cell::kGates, Shape::all(), from.sizes.hidden, kTile);
  const auto direction = static_cast<int>(blockIdx.y);
  const TiledLane<kShape, kTile> lane(from);
  let_next_start();
  // What is streamed is written to scratch.
  if (!from.has_constant_weights || TiledWeights<Cell::kGates, kShape, kTile>::kStreamed > 0) wait_for_previous();
  const TiledWeights<Cell::kGates, kShape, kTile> weights(from, direction, lane.unit, lane.part,
                                                          reinterpret_cast<float4*>(weights_memory));
  wait_for_previous();
  if (direction == 0) from.memory.check_inputs(from.sizes, blockIdx.x, gridDim.x);
  const Cell cell(from, direction, lane.unit);
  const int64_t halves = from.half_tiles;
  const int64_t first_whole = halves * (kTile / 2);
  const int64_t tiles = halves + (from.sizes.batch - first_whole + kTile - 1) / kTile;
  const int64_t clusters = gridDim.x / Shape::kBlocks;
  const int64_t cluster = blockIdx.x / Shape::kBlocks;
  for (int64_t round = 0; round * clusters < tiles; ++round) {
    // There and back: who had one of the longest has one of the shortest next.
    const int64_t tile = round * clusters + (round % 2 == 0 ? cluster : clusters - 1 - cluster);
    if (tile >= tiles) continue;
    if (kTile == 4 && tile < halves) {
      run_tile<2>(from, weights, cell, states, inputs, tile * 2, direction);
    } else {
      run_tile<kTile>(from, weights, cell, states, inputs, first_whole + (tile - halves) * kTile, direction);
    }
  }
}

template <typename Cell, int kShape>
void launch_tiles(const OpCall& call, const TiledArguments& arguments) noexcept {
  const auto& plan = call.as<RecurrentDevicePlan>();
  constexpr TiledShape kAll = kTiledShapes[kShape];
  const Launch how{
      .grid = dim3(static_cast<unsigned>(plan.blocks * kAll.blocks), static_cast<unsigned>(plan.sizes.directions)),
      .block = dim3(static_cast<unsigned>(tiled_threads(kAll, plan.sizes.hidden))),
      .shared_bytes = tiled_shared_bytes(Cell::kGates, plan.sizes.hidden, plan.tile),
      .cluster = kAll.blocks};
  if (plan.tile == 1) launch(call, recurrent_tiled<Cell, kShape, 1>, how, arguments);
  if (plan.tile == 2) launch(call, recurrent_tiled<Cell, kShape, 2>, how, arguments);
  if (plan.tile == 4) launch(call, recurrent_tiled<Cell, kShape, 4>, how, arguments);
}

/// launch_tiles() of the shape for H.
template <typename Cell, int kShape = 0>
void launch_shape(const OpCall& call, const TiledArguments& arguments) noexcept {
  if constexpr (kShape < kTiledShapeCount) {
    if (tiled_shape(arguments.sizes.hidden) == kShape) return launch_tiles<Cell, kShape>(call, arguments);
    launch_shape<Cell, kShape + 1>(call, arguments);
  }
}

/// Orders the sequences where the plan says so, multiplies the inputs where they are not multiplied yet, and runs the
/// steps.
template <typename Cell>
void launch_tiled(const OpCall& call) noexcept {
  const auto& plan = call.as<RecurrentDevicePlan>();
  const Recurrent& sizes = plan.sizes;
  const RecurrentMemory<float> memory(call);
  auto* order = plan.is_sorted ? reinterpret_cast<int32_t*>(call.scratch + plan.order) : nullptr;
  auto* rows = plan.is_sorted && plan.table == nullptr ? reinterpret_cast<int32_t*>(call.scratch + plan.rows) : nullptr;
  auto* count = reinterpret_cast<int32_t*>(call.scratch + plan.count);
  if (plan.is_sorted) order_sequences(call, {sizes, memory, order, rows, count});
  const float* sums = plan.table;
  if (sums == nullptr) {
    auto* products = reinterpret_cast<float*>(call.scratch);
    const void* inputs = memory.table != nullptr ? memory.table : memory.x;
    const bool has_vectors = sizes.features % kQuad == 0 && starts_vector(inputs) && starts_vector(memory.w);
    multiply_inputs(call, {sizes, memory, rows, count, products, has_vectors});
    sums = products;
  }
  auto* streamed = reinterpret_cast<float4*>(call.scratch + plan.streamed);
  launch_shape<Cell>(call, TiledArguments(plan, memory, sums, order, streamed));
}

}  // namespace slipway::cuda
