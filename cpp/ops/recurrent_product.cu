// The product of all inputs with W that precedes the steps of GRU, LSTM and RNN in float32.
#include "ops/recurrent.cuh"

namespace slipway::cuda {

namespace {

constexpr int kSegment = 8;  ///< floats of a row that a thread loads at once

/// Row number `i` of those to be multiplied, or -1 where there is none.
__device__ int product_row(const ProductArguments& from, int i) {
  const Recurrent& sizes = from.sizes;
  if (from.rows != nullptr) return i < *from.count ? from.rows[i] : -1;
  const int batch = static_cast<int>(sizes.batch);
  const int time = static_cast<int>(sizes.time);
  if (i >= batch * time) return -1;
  const int n = sizes.is_batch_first ? i / time : i % batch;
  const int t = sizes.is_batch_first ? i % time : i / batch;
  return t < from.memory.length_of(sizes, n) ? i : -1;
}

/// Columns are those of [directions, H, gates]; the row of W that gives this one.
__device__ int weight_row(const Recurrent& sizes, int column) {
  const int gates = static_cast<int>(sizes.gates);
  const int hidden = static_cast<int>(sizes.hidden);
  const int unit = column / gates;
  return (unit / hidden * gates + column % gates) * hidden + unit % hidden;
}

/// What a column adds: Wb, and Rb too but where GRU multiplies the state's sum by r.
__device__ float product_bias(const ProductArguments& from, int column) {
  if (from.memory.bias == nullptr) return 0.0f;
  const int rows = static_cast<int>(from.sizes.gates * from.sizes.hidden);
  const float* bias = from.memory.bias + weight_row(from.sizes, column) + column / rows * rows;
  const bool is_separate = from.sizes.linear_before_reset && column % from.sizes.gates == 2;
  return bias[0] + (is_separate ? 0.0f : bias[rows]);
}

/// Elements k .. k + 7 of a row of `size`, zeros beyond it; of no row (null) zeros.
__device__ void load_segment(const float* row, int k, int size, bool has_vectors, float (&out)[kSegment]) {
  if (has_vectors) {
#pragma unroll
    for (int i = 0; i < kSegment; i += 4) {
      const bool is_there = row != nullptr && k + i < size;
      const float4 vector =
          is_there ? *reinterpret_cast<const float4*>(row + k + i) : make_float4(0.0f, 0.0f, 0.0f, 0.0f);
      out[i] = vector.x;
      out[i + 1] = vector.y;
      out[i + 2] = vector.z;
      out[i + 3] = vector.w;
    }
  } else {
#pragma unroll
    for (int i = 0; i < kSegment; ++i) out[i] = row != nullptr && k + i < size ? row[k + i] : 0.0f;
  }
}

/// A block's tile in shared memory: kDepth elements of kSide rows of each factor, by element.
template <int kSide, int kDepth>
struct ProductTile {
  float a[kDepth][kSide];
  float b[kDepth][kSide];
};

/// A thread's place: its rows and columns are groups of up to 4.
template <int kSide, int kOwn>
struct ProductLane {
  static constexpr int kAcross = kSide / kOwn;
  static constexpr int kGroup = kOwn < kQuad ? kOwn : kQuad;
  static constexpr int kGap = kSide / (kOwn / kGroup);  ///< from group to group
  int row;
  int column;

  /// Neighbours share columns, and those after them rows: then 16-byte loads of a warp take 2 wavefronts.
  __device__ ProductLane() {
    const int thread = static_cast<int>(threadIdx.x);
    column = thread / 2 % kAcross * kGroup;
    row = (thread % 2 + thread / (2 * kAcross) * 2) * kGroup;
  }
};

/// kCount floats, 2 or 4, at once.
template <int kCount>
__device__ __forceinline__ void copy_group(float* to, const float* from) {
  if constexpr (kCount == kQuad) {
    *reinterpret_cast<float4*>(to) = *reinterpret_cast<const float4*>(from);
  } else {
    *reinterpret_cast<float2*>(to) = *reinterpret_cast<const float2*>(from);
  }
}

template <int kSide, int kDepth, int kOwn>
__device__ __forceinline__ void multiply_tile(const ProductTile<kSide, kDepth>& tile,
                                              const ProductLane<kSide, kOwn>& lane, float (&sums)[kOwn][kOwn]) {
#pragma unroll
  for (int k = 0; k < kDepth; ++k) {
    alignas(16) float a[kOwn];
    alignas(16) float b[kOwn];
#pragma unroll
    for (int i = 0; i < kOwn; i += lane.kGroup) {
      copy_group<lane.kGroup>(a + i, &tile.a[k][lane.row + i / lane.kGroup * lane.kGap]);
      copy_group<lane.kGroup>(b + i, &tile.b[k][lane.column + i / lane.kGroup * lane.kGap]);
    }
#pragma unroll
    for (int i = 0; i < kOwn; ++i) {
#pragma unroll
      for (int j = 0; j < kOwn; ++j) sums[i][j] = fmaf(a[i], b[j], sums[i][j]);
    }
  }
}

/// Adds the bias and writes a thread's sums. `rows` are those of the block's tile, -1 where there is none.
template <int kSide, int kOwn>
__device__ __forceinline__ void write_sums(const ProductArguments& from, const ProductLane<kSide, kOwn>& lane,
                                           const int* rows, int first_column, const float (&sums)[kOwn][kOwn]) {
  const int columns = static_cast<int>(from.sizes.directions * from.sizes.gates * from.sizes.hidden);
#pragma unroll
  for (int j = 0; j < kOwn; j += lane.kGroup) {
    const int column = first_column + lane.column + j / lane.kGroup * lane.kGap;
    float bias[lane.kGroup];
#pragma unroll
    for (int e = 0; e < lane.kGroup; ++e) bias[e] = column + e < columns ? product_bias(from, column + e) : 0.0f;
#pragma unroll
    for (int i = 0; i < kOwn; ++i) {
      const int row = rows[lane.row + i / lane.kGroup * lane.kGap + i % lane.kGroup];
      if (row < 0 || column >= columns) continue;
      float* out = from.sums + static_cast<int64_t>(row) * columns + column;
      if (lane.kGroup == kQuad && columns % kQuad == 0) {
        alignas(16) float both[lane.kGroup];
#pragma unroll
        for (int e = 0; e < lane.kGroup; ++e) both[e] = sums[i][j + e] + bias[e];
        copy_group<lane.kGroup>(out, both);
      } else {
#pragma unroll
        for (int e = 0; e < lane.kGroup; ++e) {
          if (column + e < columns) out[e] = sums[i][j + e] + bias[e];
        }
      }
    }
  }
}

template <int kSide, int kOwn>
constexpr int kProductThreads = kSide / kOwn * (kSide / kOwn);

// X W' + bias of the rows within their sequences: a block has kSide rows and columns, a thread kOwn of each; kDepth
// elements stand in shared memory, the next ones are on their way into registers. Moves 4 (rows (D + columns) + D
// columns) bytes for 2 rows columns D flops: bound by multiply-adds, 84 % of the loop's instructions at kOwn = 8; by
// latency for few rows. Blocks of padding end at once. Every kSide adds in the order of elements, so that a row has the
// same bits in every batch. Checked against the formulas in float64.
template <int kSide, int kDepth, int kOwn>
__global__ void __launch_bounds__(kProductThreads<kSide, kOwn>)
    recurrent_product(__grid_constant__ const ProductArguments from) {
  static_assert(kSide * kDepth == kProductThreads<kSide, kOwn> * kSegment);
  using Tile = ProductTile<kSide, kDepth>;
  SLIPWAY_SHARED(Tile, tiles);
  int* rows = reinterpret_cast<int*>(tiles + 2);
  const int thread = static_cast<int>(threadIdx.x);
  const int size = static_cast<int>(from.sizes.features);
  const int first_row = static_cast<int>(blockIdx.x) * kSide;
  const int first_column = static_cast<int>(blockIdx.y) * kSide;
  const int own = thread % kSide;
  const int segment = thread / kSide * kSegment;
  let_next_start();
  wait_for_previous();
  const int row = product_row(from, first_row + own);
  if (thread < kSide) rows[thread] = row;
  if (__syncthreads_or(row >= 0) == 0) return;

  const RecurrentMemory<float>& memory = from.memory;
  const int column = first_column + own;
  const float* a = row < 0                   ? nullptr
                   : memory.table != nullptr ? memory.table + memory.table_row(from.sizes, row) * size
                                             : memory.x + static_cast<int64_t>(row) * size;
  const float* b = column < from.sizes.directions * from.sizes.gates * from.sizes.hidden
                       ? memory.w + static_cast<int64_t>(weight_row(from.sizes, column)) * size
                       : nullptr;
  float next_a[kSegment];
  float next_b[kSegment];
  const ProductLane<kSide, kOwn> lane;
  float sums[kOwn][kOwn] = {};
  load_segment(a, segment, size, from.has_vectors, next_a);
  load_segment(b, segment, size, from.has_vectors, next_b);
  for (int k = 0; k < size; k += kDepth) {
    Tile& tile = tiles[k / kDepth % 2];
#pragma unroll
    for (int i = 0; i < kSegment; ++i) {
      tile.a[segment + i][own] = next_a[i];
      tile.b[segment + i][own] = next_b[i];
    }
    __syncthreads();
    load_segment(a, k + kDepth + segment, size, from.has_vectors, next_a);
    load_segment(b, k + kDepth + segment, size, from.has_vectors, next_b);
    multiply_tile<kSide, kDepth, kOwn>(tile, lane, sums);
  }
  write_sums(from, lane, rows, first_column, sums);
}

template <int kSide, int kDepth, int kOwn>
void launch_product(const OpCall& call, const ProductArguments& arguments) noexcept {
  const Recurrent& sizes = arguments.sizes;
  const int64_t columns = sizes.directions * sizes.gates * sizes.hidden;
  const Launch how{.grid = dim3(static_cast<unsigned>((sizes.time * sizes.batch + kSide - 1) / kSide),
                                static_cast<unsigned>((columns + kSide - 1) / kSide)),
                   .block = dim3(kProductThreads<kSide, kOwn>),
                   .shared_bytes = 2 * sizeof(ProductTile<kSide, kDepth>) + kSide * sizeof(int)};
  launch(call, recurrent_product<kSide, kDepth, kOwn>, how, arguments);
}

}  // namespace

void multiply_inputs(const OpCall& call, const ProductArguments& arguments) noexcept {
  // Below as many rows the grid of larger tiles would leave most multiprocessors idle.
  constexpr int64_t kFewestRows = 64;
  constexpr int64_t kFewRows = 512;
  const int64_t rows = arguments.sizes.time * arguments.sizes.batch;
  if (rows <= kFewestRows) {
    launch_product<16, 32, 2>(call, arguments);
  } else if (rows <= kFewRows) {
    launch_product<32, 16, 4>(call, arguments);
  } else {
    launch_product<64, 8, 8>(call, arguments);
  }
}

}  // namespace slipway::cuda
