// Transpose on CUDA.
#include "ops/move.cuh"

namespace slipway::cuda {

namespace {

constexpr int kTurnTile = 32;
constexpr int kTurnRows = 8;
// A row of the tile is one element longer, so that a column's elements lie in different banks.
constexpr int kTurnPitch = kTurnTile + 1;

/// A plane whose rows are contiguous in x and whose columns are contiguous in y, and a walk over all such planes.
struct Planes {
  DeviceWalk<2> walk;
  int64_t rows;
  int64_t columns;
  int64_t x_pitch;
  int64_t y_pitch;
  int64_t tiles;
  bool has_large_count;
  Divisor row_tiles;
  Divisor column_tiles;
};

/// y[c, r] = x[r, c] in every plane. A block turns tiles of 32 by 32 elements, 4 per thread, through shared memory.
/// Moves each element once in and once out, both in rows of 32, and is bound by that bandwidth.
/// Shared memory: 32 rows of 33 elements, so that both ways meet no bank twice (8-byte elements: twice).
/// 256 threads, one element in flight for each of 4 loads.
/// Checked against the scalar column by tests/ops.
template <typename U>
__global__ void __launch_bounds__(kTurnTile* kTurnRows)
    turn_tiles_kernel(const __grid_constant__ Planes planes, const U* __restrict__ x, U* __restrict__ y) {
  start_in_order();
  SLIPWAY_SHARED(U, tile);
  const int column = static_cast<int>(threadIdx.x) % kTurnTile;
  const int row = static_cast<int>(threadIdx.x) / kTurnTile;
  for (int64_t t = blockIdx.x; t < planes.tiles; t += gridDim.x) {
    const int64_t row_tile = divide(t, planes.column_tiles, planes.has_large_count);
    const int64_t number = divide(row_tile, planes.row_tiles, planes.has_large_count);
    const int64_t first_column = (t - row_tile * planes.column_tiles.size) * kTurnTile;
    const int64_t first_row = (row_tile - number * planes.row_tiles.size) * kTurnTile;
    const Offsets<2> plane = planes.walk.locate(number);
#pragma unroll
    for (int k = row; k < kTurnTile; k += kTurnRows) {
      if (first_row + k < planes.rows && first_column + column < planes.columns) {
        tile[k * kTurnPitch + column] = x[plane.at[0] + (first_row + k) * planes.x_pitch + first_column + column];
      }
    }
    __syncthreads();
#pragma unroll
    for (int k = row; k < kTurnTile; k += kTurnRows) {
      if (first_column + k < planes.columns && first_row + column < planes.rows) {
        y[plane.at[1] + (first_column + k) * planes.y_pitch + first_row + column] = tile[column * kTurnPitch + k];
      }
    }
    __syncthreads();
  }
}

/// The axis along which x is contiguous, or -1 where tiles of it and the last would be mostly empty.
int axis_to_turn(const Walk<1>& walk) noexcept {
  constexpr int64_t kLeast = 8;
  const int inner = walk.rank() - 1;
  if (inner < 1 || walk.inner_strides()[0] == 1 || walk.inner_size() < kLeast) return -1;
  for (int axis = 0; axis < inner; ++axis) {
    if (walk.strides(axis)[0] == 1 && walk.size(axis) >= kLeast) return axis;
  }
  return -1;
}

void turn_tiles(const OpCall& call, const Walk<1>& walk, int turned) noexcept {
  const int inner = walk.rank() - 1;
  Walk<2> others;
  int64_t y_stride = walk.count();
  int64_t y_pitch = 0;
  for (int axis = 0; axis < inner; ++axis) {
    y_stride /= walk.size(axis);
    if (axis == turned) {
      y_pitch = y_stride;
    } else {
      others.push_axis(walk.size(axis), {walk.strides(axis)[0], y_stride});
    }
  }
  const int64_t rows = walk.inner_size();
  const int64_t columns = walk.size(turned);
  const int64_t row_tiles = (rows + kTurnTile - 1) / kTurnTile;
  const int64_t column_tiles = (columns + kTurnTile - 1) / kTurnTile;
  const int64_t tiles = others.count() * row_tiles * column_tiles;
  const Planes planes{DeviceWalk<2>(others),
                      rows,
                      columns,
                      walk.inner_strides()[0],
                      y_pitch,
                      tiles,
                      is_large(tiles),
                      divisor_of(row_tiles, is_large(tiles)),
                      divisor_of(column_tiles, is_large(tiles))};
  dispatch_element(call.inputs[0].dtype, [&]<typename U>() {
    launch(call, &turn_tiles_kernel<U>,
           {.grid = dim3(blocks_for(tiles, 1)),
            .block = dim3(kTurnTile * kTurnRows),
            .shared_bytes = kTurnTile * kTurnPitch * static_cast<int64_t>(sizeof(U))},
           planes, call.inputs[0].as<U>(), call.outputs[0].as<U>());
  });
}

}  // namespace

void transpose(const OpCall& call) noexcept {
  const auto& walk = call.as<Walk<1>>();
  if (walk.count() == 0) return;
  const int turned = axis_to_turn(walk);
  if (turned < 0) return copy_walk(call, walk);
  turn_tiles(call, walk, turned);
}

}  // namespace slipway::cuda
