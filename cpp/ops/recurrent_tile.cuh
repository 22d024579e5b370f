// How a block of recurrent_tiled.cuh shares out its work: lanes and their elements, states, inputs.
#pragma once

#include "ops/recurrent.cuh"

namespace slipway::cuda {

inline bool starts_vector(const void* memory) noexcept { return reinterpret_cast<uintptr_t>(memory) % 16 == 0; }

struct TiledArguments {
  Recurrent sizes;  ///< T * N fits into an int
  RecurrentMemory<float> memory;
  const float* sums;     ///< X W' + bias [rows of X or of the table, directions, H, gates]
  const int32_t* order;  ///< sequences, the longest first; null: as they stand
  bool is_by_number;     ///< `sums` has a row for each of the table's
  bool has_constant_weights;
  bool has_vectors;  ///< rows of R are aligned to 16 bytes, and of whole vectors
  int half_tiles;
  float4* streamed;     ///< weights of the blocks, one after the other
  int size;             ///< H * gates
  int width;            ///< directions * H * gates
  int x_stride[2];      ///< from the row of X of a step to that of the next one, by direction
  int64_t y_stride[2];  ///< likewise, in elements of Y

  TiledArguments(const RecurrentDevicePlan& plan, const RecurrentMemory<float>& from, const float* products,
                 const int32_t* sorted, float4* weights) noexcept
      : sizes(plan.sizes),
        memory(from),
        sums(products),
        order(sorted),
        is_by_number(plan.table != nullptr),
        has_constant_weights(plan.has_constant_state_weights),
        has_vectors(sizes.hidden % kQuad == 0 && starts_vector(from.r)),
        half_tiles(plan.half_tiles),
        streamed(weights) {
    size = static_cast<int>(sizes.hidden * sizes.gates);
    width = static_cast<int>(sizes.directions) * size;
    for (int64_t direction = 0; direction < 2; ++direction) {
      const int sign = sizes.runs_backwards(direction) ? -1 : 1;
      x_stride[direction] = sign * static_cast<int>(sizes.is_batch_first ? 1 : sizes.batch);
      y_stride[direction] = x_stride[direction] * sizes.directions * sizes.hidden;
    }
  }
};

template <int kShape>
struct TiledShapeOf {
  static constexpr int kParts = kTiledShapes[kShape].parts;
  static constexpr int kSteps = kTiledShapes[kShape].steps;
  static constexpr int kBlocks = kTiledShapes[kShape].blocks;
  static constexpr int kUnitsOfWarp = kWarp / kParts;

  [[nodiscard]] SLIPWAY_BOTH static constexpr TiledShape all() noexcept { return {kParts, kSteps, kBlocks}; }
};

/// Which of H's elements a lane has the weights of: as its element number i, a part has the vectors of 4 that are its
/// own in turn, and of the elements behind the last turn single ones, so that as few lanes as can be have one more than
/// others.
template <int kParts>
struct TiledElements {
  int whole;  ///< elements of a part that stand in whole vectors

  __device__ explicit TiledElements(const TiledArguments& from)
      : whole(static_cast<int>(from.sizes.hidden) / (kParts * kQuad) * kQuad) {}

  [[nodiscard]] __device__ int element(int part, int i) const {
    return i < whole ? (i / kQuad * kParts + part) * kQuad + i % kQuad : i * kParts + part;
  }
  [[nodiscard]] __device__ int part_of(int element) const {
    return element < whole * kParts ? element / kQuad % kParts : element % kParts;
  }
  [[nodiscard]] __device__ int number_of(int element) const {
    return element < whole * kParts ? element / (kParts * kQuad) * kQuad + element % kQuad : element / kParts;
  }
};

/// A lane's place. The lanes of a unit have the sum of a part of the elements each. Sums are then exchanged among them:
/// first each time a lane keeps half of its sequences, so that it ends with the whole sum of one. What it keeps stands
/// first: slot c is sequence `c ^ sequence`, so that no sum is chosen at run time.
template <int kShape, int kTile>
struct TiledLane {
  using Shape = TiledShapeOf<kShape>;
  static constexpr int kEqual = Shape::kParts / kTile;  ///< lanes that end with the same
  int part;
  int own_unit;  ///< of the block's
  int unit;
  int sequence;  ///< of the tile, its own in the end
  int equal;     ///< its number among those that end with the same

  __device__ explicit TiledLane(const TiledArguments& from) {
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    // Neighbours read the same vector of the state: a warp's 16-byte loads then take 2 wavefronts instead of 4.
    part = lane / Shape::kUnitsOfWarp;
    own_unit = static_cast<int>(threadIdx.x) / kWarp * Shape::kUnitsOfWarp + lane % Shape::kUnitsOfWarp;
    unit = first_unit(from) + own_unit;
    sequence = sequence_of(part);
    equal = part % kEqual;
  }

  /// Of the block.
  [[nodiscard]] static __device__ int first_unit(const TiledArguments& from) {
    if constexpr (Shape::kBlocks == 1) return 0;
    return static_cast<int>(cluster_rank()) * tiled_units(Shape::all(), from.sizes.hidden);
  }
  [[nodiscard]] static __device__ int sequence_of(int part) { return part / kEqual; }
  /// Where its unit stands in the states: vectors of 4 floats, those of the parts side by side.
  [[nodiscard]] __device__ int place(const TiledArguments& from) const {
    constexpr int kElements = kQuad / kTile;
    const TiledElements<Shape::kParts> elements(from);
    const int turn = elements.part_of(unit);
    const int i = elements.number_of(unit);
    return ((i / kElements * Shape::kParts + turn) * kElements + i % kElements) * kTile +
           (sequence ^ sequence_of(turn));
  }
};

/// A barrier of those who share a tile.
template <int kShape>
__device__ __forceinline__ void sync_tile() {
  if constexpr (TiledShapeOf<kShape>::kBlocks == 1) {
    __syncthreads();
  } else {
    sync_cluster();
  }
}

/// Writes an element of the state to all blocks that share the tile: each lane of those with the same value to some.
template <int kShape, int kTile>
__device__ __forceinline__ void share_state(const TiledLane<kShape, kTile>& lane, float* at, float value) {
  constexpr int kBlocks = TiledShapeOf<kShape>::kBlocks;
  if constexpr (kBlocks == 1) {
    *at = value;
  } else {
    constexpr int kEach = kBlocks / TiledLane<kShape, kTile>::kEqual;
#pragma unroll
    for (int i = 0; i < kEach; ++i) *in_cluster(at, static_cast<unsigned>(lane.equal * kEach + i)) = value;
  }
}

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
  /// Of `units` units of the block, from `first_unit` on. `memory` has room for tiled_inputs() floats.
  __device__ TiledInputs(const TiledArguments& from, int64_t first, int direction, int first_unit, int units,
                         float* memory)
      : from_(from),
        size_(min(units * kGates, from.size - first_unit * kGates)),
        room_((units * kGates + kQuad - 1) / kQuad * kQuad),
        stride_(from.x_stride[direction]),
        sums_(from.sums + direction * from.size + first_unit * kGates),
        memory_(memory),
        rows_(reinterpret_cast<int*>(memory + kInputSlots * kTile * room_)) {
    // From the second warp on, since the first one's scheduler may have a warp more than the others.
    helper_ = static_cast<int>(threadIdx.x < kWarp ? threadIdx.x + blockDim.x : threadIdx.x) - kWarp;
    copies_ = helper_ * (from.size % kQuad == 0 ? kQuad : 1) < size_;
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
    for (int i = helper_ * kFloats; i < size_; i += static_cast<int>(blockDim.x) * kFloats) {
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
  int size_;
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

}  // namespace slipway::cuda
