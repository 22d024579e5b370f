// The steps of GRU, LSTM and RNN in float32 with their default activations and H <= 128, from sums of inputs that are
// there already.
#pragma once

#include "ops/recurrent.cuh"

namespace slipway::cuda {

struct TiledArguments {
  Recurrent sizes;  ///< T * N fits into an int
  RecurrentMemory<float> memory;
  const float* sums;     ///< X W' + bias [rows of X or of the table, directions, H, gates]
  const int32_t* order;  ///< sequences, the longest first; null: as they stand
  bool is_by_number;     ///< `sums` has a row for each of the table's
  int size;              ///< H * gates
  int width;             ///< directions * H * gates
  int x_stride[2];       ///< from the row of X of a step to that of the next one, by direction
  int64_t y_stride[2];   ///< likewise, in elements of Y

  TiledArguments(const Recurrent& of, const RecurrentMemory<float>& from, const float* products, const int32_t* sorted,
                 bool by_number) noexcept
      : sizes(of), memory(from), sums(products), order(sorted), is_by_number(by_number) {
    size = static_cast<int>(sizes.hidden * sizes.gates);
    width = static_cast<int>(sizes.directions) * size;
    for (int64_t direction = 0; direction < 2; ++direction) {
      const int sign = sizes.runs_backwards(direction) ? -1 : 1;
      x_stride[direction] = sign * static_cast<int>(sizes.is_batch_first ? 1 : sizes.batch);
      y_stride[direction] = x_stride[direction] * sizes.directions * sizes.hidden;
    }
  }
};

/// A lane's place. Four lanes share a unit: lane `part` has the weights of the elements k of H with k % 4 == part. Sums
/// are then exchanged within the four: each time a lane keeps half of its sequences, so that it ends with the whole sum
/// of one. What it keeps stands first: slot c is sequence `c ^ sequence`, so that no sum is chosen at run time.
template <int kTile>
struct TiledLane {
  int part;
  int unit;
  int sequence;   ///< of the tile, its own in the end
  bool is_owner;  ///< the first of those that end with the same

  __device__ TiledLane() {
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    // Neighbours read the same vector of the state: a warp's 16-byte loads then take 2 wavefronts instead of 4.
    part = lane / kUnitsOfWarp;
    unit = static_cast<int>(threadIdx.x) / kWarp * kUnitsOfWarp + lane % kUnitsOfWarp;
    sequence = sequence_of(part);
    is_owner = part % (kParts / kTile) == 0;
  }

  [[nodiscard]] static __device__ int sequence_of(int part) { return part / (kParts / kTile); }
  /// Where element k of sequence s stands in a state: vectors of 4 floats, those of the parts side by side.
  [[nodiscard]] static __device__ int place(int k, int s) {
    constexpr int kElements = kQuad / kTile;
    const int i = k / kParts;
    return ((i / kElements * kParts + k % kParts) * kElements + i % kElements) * kTile + (s ^ sequence_of(k % kParts));
  }
};

/// One sequence in one direction.
struct TiledSequence {
  int n = -1;      ///< where there is none
  int length = 0;  ///< then too

  __device__ TiledSequence(const TiledArguments& from, int64_t position) {
    if (position >= from.sizes.batch) return;
    n = from.order != nullptr ? from.order[position] : static_cast<int>(position);
    length = static_cast<int>(from.memory.length_of(from.sizes, n));
  }
};

/// Brings sums of inputs to shared memory two steps ahead of their use; where numbers name their rows, it reads these
/// two steps before. All threads take part; helper s < kTile looks after the rows of sequence s.
template <int kGates, int kTile>
class TiledInputs {
 public:
  /// `memory` has room for tiled_inputs() floats.
  __device__ TiledInputs(const TiledArguments& from, int64_t first, int64_t direction, float* memory)
      : from_(from),
        room_((from.size + kQuad - 1) / kQuad * kQuad),
        stride_(from.x_stride[direction]),
        sums_(from.sums + direction * from.size),
        memory_(memory),
        rows_(reinterpret_cast<int*>(memory + kInputSlots * kTile * room_)) {
    // From the second warp on, since the first one's scheduler may have a warp more than the others.
    helper_ = static_cast<int>(threadIdx.x < kWarp ? threadIdx.x + blockDim.x : threadIdx.x) - kWarp;
    copies_ = helper_ * (from.size % kQuad == 0 ? kQuad : 1) < from.size;
    if (helper_ < kTile) {
      const TiledSequence sequence(from, first + helper_);
      left_ = sequence.length;
      row_ = static_cast<int>(from.sizes.x_at(stride_ < 0 ? sequence.length - 1 : 0, sequence.n));
      read_number();
    }
    find_rows(0);
    find_rows(1);
    __syncthreads();
    copy(0);
    copy(1);
    __syncthreads();
    find_rows(2);
    wait_for_copies<1>();
  }

  /// To be called in every step, and wait_for_copies<1>() at its end.
  __device__ __forceinline__ void advance(int step) {
    copy(step + 2);
    find_rows(step + 3);
  }
  /// The step's sums of a unit.
  __device__ __forceinline__ void get(int step, int sequence, int unit, float (&out)[kGates]) const {
    const float* at = place(step) + sequence * room_ + unit * kGates;
    if constexpr (kGates == kQuad) {
      const float4 vector = *reinterpret_cast<const float4*>(at);
      out[0] = vector.x;
      out[1] = vector.y;
      out[2] = vector.z;
      out[3] = vector.w;
    } else {
#pragma unroll
      for (int g = 0; g < kGates; ++g) out[g] = at[g];
    }
  }

 private:
  [[nodiscard]] __device__ __forceinline__ float* place(int step) const {
    return memory_ + step % kInputSlots * kTile * room_;
  }
  __device__ __forceinline__ void read_number() {
    if (left_ > 0 && from_.is_by_number) number_ = from_.memory.short_number_at(row_);
  }
  /// Writes where the step's rows stand, -1 behind the last one.
  __device__ __forceinline__ void find_rows(int step) {
    if (helper_ >= kTile) return;
    const int row = from_.is_by_number ? from_.memory.short_table_row(from_.sizes, number_) : row_;
    rows_[step % 2 * kTile + helper_] = left_ > 0 ? row : -1;
    --left_;
    row_ += stride_;
    read_number();
  }
  __device__ __forceinline__ void copy(int step) {
    if (copies_) {
      if (from_.size % kQuad == 0) {
        copy_vectors<kQuad>(step);
      } else {
        copy_vectors<1>(step);
      }
    }
    commit_copies();
  }
  template <int kFloats>
  __device__ __forceinline__ void copy_vectors(int step) {
    for (int i = helper_ * kFloats; i < from_.size; i += static_cast<int>(blockDim.x) * kFloats) {
      // In bytes, a row's place is one instruction.
      const auto* at = reinterpret_cast<const char*>(sums_ + i);
      const int width = from_.width * static_cast<int>(sizeof(float));
      float* to = place(step) + i;
#pragma unroll
      for (int s = 0; s < kTile; ++s) {
        const int row = rows_[step % 2 * kTile + s];
        if (row >= 0) copy_async<kFloats * sizeof(float)>(to + s * room_, at + int64_t{row} * width);
      }
    }
  }

  const TiledArguments& from_;
  int room_;  ///< for a sequence's sums in shared memory
  int stride_;
  const float* sums_;
  float* memory_;  ///< [slots, tile, room]
  int* rows_;      ///< [2, tile]
  int helper_;     ///< this thread's number
  bool copies_;
  int left_ = 0;
  int row_ = 0;  ///< of X, of the step to be found next
  int number_ = 0;
};

/// A lane's weights: of the first elements in registers, of the last kShared in shared memory.
template <int kGates, int kSteps, int kShared>
struct TiledWeights {
  static constexpr int kHeld = kSteps - kShared;
  float held[kHeld][kGates];
  const float4* shared;  ///< [kShared, threads] of this lane's gates

  __device__ TiledWeights(const TiledArguments& from, int64_t direction, int unit, int part, float4* memory)
      : shared(memory + threadIdx.x) {
    const int hidden = static_cast<int>(from.sizes.hidden);
    const float* r = from.memory.r + direction * kGates * hidden * hidden;
#pragma unroll
    for (int i = 0; i < kSteps; ++i) {
      const int k = i * kParts + part;
      float w[kQuad] = {};
#pragma unroll
      for (int g = 0; g < kGates; ++g) {
        w[g] = unit < hidden && k < hidden ? r[(g * hidden + unit) * hidden + k] : 0.0f;
        if (i < kHeld) held[i < kHeld ? i : 0][g] = w[g];
      }
      if (i >= kHeld) memory[(i - kHeld) * blockDim.x + threadIdx.x] = make_float4(w[0], w[1], w[2], w[3]);
    }
  }

  __device__ __forceinline__ void read(int i, float (&w)[kQuad]) const {
    if (i < kHeld) {
#pragma unroll
      for (int g = 0; g < kGates; ++g) w[g] = held[i < kHeld ? i : 0][g];
    } else {
      const float4 vector = shared[(i - kHeld) * blockDim.x];
      w[0] = vector.x;
      w[1] = vector.y;
      w[2] = vector.z;
      w[3] = vector.w;
    }
  }
};

/// h R' of the lane's unit and sequence. Every kTile adds in the same order, so that a sequence has the same bits in
/// every batch.
template <int kGates, int kSteps, int kShared, int kTile>
__device__ __forceinline__ void multiply_state(const TiledWeights<kGates, kSteps, kShared>& weights, const float* state,
                                               int part, float (&out)[kGates]) {
  constexpr int kElements = kQuad / kTile;
  float sums[kGates][kTile] = {};
#pragma unroll
  for (int v = 0; v * kElements < kSteps; ++v) {
    const float4 vector = reinterpret_cast<const float4*>(state)[v * kParts + part];
    const float h[kQuad] = {vector.x, vector.y, vector.z, vector.w};
#pragma unroll
    for (int e = 0; e < kElements; ++e) {
      const int i = v * kElements + e;
      if (i >= kSteps) continue;
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
      const float first = sums[g][0] + __shfl_xor_sync(kAllLanes, sums[g][2], 2 * kUnitsOfWarp);
      const float second = sums[g][1] + __shfl_xor_sync(kAllLanes, sums[g][3], 2 * kUnitsOfWarp);
      out[g] = first + __shfl_xor_sync(kAllLanes, second, kUnitsOfWarp);
    } else {
      const float half = sums[g][0] + __shfl_xor_sync(kAllLanes, sums[g][kTile - 1], 2 * kUnitsOfWarp);
      out[g] = half + __shfl_xor_sync(kAllLanes, half, kUnitsOfWarp);
    }
  }
}

/// Zeros behind the last step of a tile's sequences, a row to a warp. Returns the longest length.
template <int kTile>
__device__ int clear_padding(const TiledArguments& from, int64_t first, int64_t direction) {
  const Recurrent& sizes = from.sizes;
  int longest = 0;
  for (int s = 0; s < kTile; ++s) {
    const TiledSequence sequence(from, first + s);
    longest = sequence.length > longest ? sequence.length : longest;
    if (sequence.n < 0 || from.memory.y == nullptr) continue;
    for (int64_t t = sequence.length + threadIdx.x / kWarp; t < sizes.time; t += blockDim.x / kWarp) {
      float* y = from.memory.y + sizes.y_at(t, direction, sequence.n);
      for (int j = static_cast<int>(threadIdx.x) % kWarp; j < sizes.hidden; j += kWarp) y[j] = 0.0f;
    }
  }
  return longest;
}

/// Runs all steps of sequences first .. first + kTile - 1. `states` holds two.
template <typename Cell, int kSteps, int kShared, int kTile>
__device__ __forceinline__ void run_tile(const TiledArguments& from,
                                         const TiledWeights<Cell::kGates, kSteps, kShared>& weights,
                                         const TiledLane<kTile>& lane, const Cell& cell, float* states, int64_t first,
                                         int64_t direction) {
  constexpr int kGates = Cell::kGates;
  constexpr int kState = tiled_state(kSteps, kTile);
  const Recurrent& sizes = from.sizes;
  const RecurrentMemory<float>& memory = from.memory;
  const TiledSequence sequence(from, first + lane.sequence);
  const bool is_there = lane.unit < sizes.hidden && sequence.n >= 0;
  const bool writes = is_there && lane.is_owner;
  const int64_t at = sizes.state_at(direction, sequence.n) + lane.unit;
  float h = is_there && memory.initial_h != nullptr ? memory.initial_h[at] : 0.0f;
  float c = is_there && memory.initial_c != nullptr ? memory.initial_c[at] : 0.0f;
  TiledInputs<kGates, kTile> inputs(from, first, direction, states + 2 * kState);
  const int longest = clear_padding<kTile>(from, first, direction);
  const int64_t y_stride = from.y_stride[direction];
  float* y = memory.y + sizes.y_at(y_stride < 0 ? sequence.length - 1 : 0, direction, sequence.n) + lane.unit;
  // Units beyond H stay zero.
  const int steps = is_there ? sequence.length : 0;
  const int y_steps = writes && memory.y != nullptr ? sequence.length : 0;
  const int unit = is_there ? lane.unit : 0;
  const int place = TiledLane<kTile>::place(lane.unit, lane.sequence);
  states[place] = h;
  __syncthreads();
  for (int i = 0; i < longest; ++i) {
    inputs.advance(i);
    float x[kGates];
    inputs.get(i, lane.sequence, unit, x);
    float sums[kGates];
    multiply_state<kGates, kSteps, kShared, kTile>(weights, states + i % 2 * kState, lane.part, sums);
    // One sequence alone has a step to do here, and no branch lets its latency overlap with more.
    if (kTile == 1 || i < steps) cell.step(sums, x, h, c);
    states[(i + 1) % 2 * kState + place] = kTile > 1 || is_there ? h : 0.0f;
    if (i < y_steps) *y = h;
    y += y_stride;
    wait_for_copies<1>();
    __syncthreads();
  }
  if (writes && memory.last_h != nullptr) memory.last_h[at] = h;
  if (writes && memory.last_c != nullptr) memory.last_c[at] = c;
}

template <typename Cell, int kSteps, int kTile>
__global__ void __launch_bounds__(tiled_threads(kSteps* kParts), 1)
    recurrent_tiled(__grid_constant__ const TiledArguments from) {
  SLIPWAY_SHARED(float, states);
  constexpr int kStates = 2 * tiled_state(kSteps, kTile);
  float* weights_memory = states + kStates + tiled_inputs(Cell::kGates, from.sizes.hidden, kTile);
  constexpr int kShared = tiled_shared_steps(Cell::kGates, kSteps, kTile);
  const int64_t direction = blockIdx.y;
  const TiledLane<kTile> lane;
  const TiledWeights<Cell::kGates, kSteps, kShared> weights(from, direction, lane.unit, lane.part,
                                                            reinterpret_cast<float4*>(weights_memory));
  if (direction == 0) from.memory.check_inputs(from.sizes, blockIdx.x, gridDim.x);
  const Cell cell(from, direction, lane.unit);
  for (int i = static_cast<int>(threadIdx.x); i < kStates; i += static_cast<int>(blockDim.x)) states[i] = 0.0f;
  __syncthreads();
  const int64_t tiles = (from.sizes.batch + kTile - 1) / kTile;
  for (int64_t round = 0; round * gridDim.x < tiles; ++round) {
    const int64_t tile = round * gridDim.x + (round % 2 == 0 ? blockIdx.x : gridDim.x - 1 - blockIdx.x);
    if (tile < tiles)
      run_tile<Cell, kSteps, kShared, kTile>(from, weights, lane, cell, states, tile * kTile, direction);
  }
}

template <typename Cell, int kSteps>
void launch_tiles(const OpCall& call, const TiledArguments& arguments) noexcept {
  const auto& plan = call.as<RecurrentDevicePlan>();
  const Launch how{.grid = dim3(static_cast<unsigned>(plan.blocks), static_cast<unsigned>(plan.sizes.directions)),
                   .block = dim3(static_cast<unsigned>(tiled_threads(plan.sizes.hidden))),
                   .shared_bytes = tiled_shared_bytes(Cell::kGates, plan.sizes.hidden, plan.tile)};
  if (plan.tile == 1) launch(call, recurrent_tiled<Cell, kSteps, 1>, how, arguments);
  if (plan.tile == 2) launch(call, recurrent_tiled<Cell, kSteps, 2>, how, arguments);
  if (plan.tile == 4) launch(call, recurrent_tiled<Cell, kSteps, 4>, how, arguments);
}

inline bool is_aligned(const void* memory) noexcept { return reinterpret_cast<uintptr_t>(memory) % 16 == 0; }

/// Orders the sequences where the plan says so, multiplies the inputs where they are not multiplied yet, and runs the
/// steps.
template <typename Cell>
void launch_tiled(const OpCall& call) noexcept {
  const auto& plan = call.as<RecurrentDevicePlan>();
  const Recurrent& sizes = plan.sizes;
  const RecurrentMemory<float> memory(call);
  auto* order = plan.is_sorted ? reinterpret_cast<int32_t*>(call.scratch + plan.order) : nullptr;
  auto* rows = plan.is_sorted ? reinterpret_cast<int32_t*>(call.scratch + plan.rows) : nullptr;
  auto* count = reinterpret_cast<int32_t*>(call.scratch + plan.count);
  if (plan.is_sorted) order_sequences(call, {sizes, memory, order, rows, count});
  const float* sums = plan.table;
  if (sums == nullptr) {
    auto* products = reinterpret_cast<float*>(call.scratch);
    const void* inputs = memory.table != nullptr ? memory.table : memory.x;
    const bool has_vectors = sizes.features % kQuad == 0 && is_aligned(inputs) && is_aligned(memory.w);
    multiply_inputs(call, {sizes, memory, rows, count, products, has_vectors});
    sums = products;
  }
  const TiledArguments arguments(sizes, memory, sums, order, plan.table != nullptr);
  switch (tiled_steps(sizes.hidden)) {
    case kTiledSteps[0]:
      return launch_tiles<Cell, kTiledSteps[0]>(call, arguments);
    case kTiledSteps[1]:
      return launch_tiles<Cell, kTiledSteps[1]>(call, arguments);
    case kTiledSteps[2]:
      return launch_tiles<Cell, kTiledSteps[2]>(call, arguments);
    default:
      return launch_tiles<Cell, kTiledSteps[3]>(call, arguments);
  }
}

}  // namespace slipway::cuda
