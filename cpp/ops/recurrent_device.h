// What the preparation of GRU, LSTM and RNN gives to their CUDA kernels. Plain data.
#pragma once

#include <cstdint>

#include "ops/recurrent.h"

namespace slipway {

/// Doubles of scratch that a block of recurrent_general.cuh has: H and C, and rows of the operator's own.
inline constexpr int64_t kGeneralRows = 6;

// ---- recurrent_tiled.cuh ----
inline constexpr int kQuad = 4;      ///< floats of a vector
inline constexpr int kMostTile = 4;  ///< sequences that a block runs side by side

/// How its kernels share the weights of a direction out: `blocks` of a cluster have some units each, `parts` lanes of a
/// block share a unit, and a lane has `steps` weights of each of its gates. H is at most parts * steps.
struct TiledShape {
  int parts;
  int steps;
  int blocks;
};
inline constexpr TiledShape kTiledShapes[] = {{4, 8, 1}, {4, 16, 1}, {4, 25, 1}, {4, 32, 1}, {8, 32, 8}, {8, 64, 8}};
inline constexpr int kTiledShapeCount = 6;
inline constexpr int kMostTiled = kTiledShapes[kTiledShapeCount - 1].parts * kTiledShapes[kTiledShapeCount - 1].steps;

/// The number of that for H; H <= kMostTiled.
[[nodiscard]] constexpr int tiled_shape(int64_t hidden) noexcept {
  int i = 0;
  while (kTiledShapes[i].parts * kTiledShapes[i].steps < hidden) ++i;
  return i;
}
/// Units of a block: of whole warps, and of whole vectors.
[[nodiscard]] SLIPWAY_BOTH constexpr int tiled_units(TiledShape shape, int64_t hidden) noexcept {
  const int some = 32 / shape.parts;
  const auto share = static_cast<int>((hidden + shape.blocks - 1) / shape.blocks);
  return (share + some - 1) / some * some;
}
[[nodiscard]] SLIPWAY_BOTH constexpr int tiled_threads(TiledShape shape, int64_t hidden) noexcept {
  return tiled_units(shape, hidden) * shape.parts;
}
[[nodiscard]] SLIPWAY_BOTH constexpr int tiled_most_threads(TiledShape shape) noexcept {
  return tiled_threads(shape, shape.parts * shape.steps);
}

/// Where a lane's weights are: of the first steps in registers, of the next ones in shared, of the rest in global
/// memory.
struct TiledSplit {
  int held;
  int shared;
  int streamed;

  SLIPWAY_BOTH constexpr TiledSplit(int gates, TiledShape shape, int tile) noexcept {
    const int threads = tiled_most_threads(shape);
    // Registers that are left for weights and sums without spills, of 255 and 128, by what ptxas reports.
    const int free = threads <= 256 ? 190 : shape.steps <= 32 ? 81 : 60;
    constexpr int kMostShared = 180 * 1024;
    const int most_held = (free - gates * tile) / gates;
    const int most_shared = kMostShared / (threads * 16);
    held = shape.steps < most_held ? shape.steps : most_held;
    shared = shape.steps - held < most_shared ? shape.steps - held : most_shared;
    streamed = shape.steps - held - shared;
  }
};

/// Floats of one state of a tile.
[[nodiscard]] SLIPWAY_BOTH constexpr int tiled_state(TiledShape shape, int tile) noexcept {
  return (shape.steps * tile + kQuad - 1) / kQuad * kQuad * shape.parts;
}
/// Floats of a tile's sums of inputs, some steps of them, and where they are to be had.
inline constexpr int kInputSlots = 4;
[[nodiscard]] SLIPWAY_BOTH constexpr int tiled_inputs(int gates, TiledShape shape, int64_t hidden, int tile) noexcept {
  const int room = (gates * tiled_units(shape, hidden) + kQuad - 1) / kQuad * kQuad;
  return kInputSlots * tile * room + (2 * tile + kQuad - 1) / kQuad * kQuad;
}
[[nodiscard]] constexpr int64_t tiled_shared_bytes(int gates, int64_t hidden, int tile) noexcept {
  TiledShape shape = kTiledShapes[tiled_shape(hidden)];
  const int64_t weights = int64_t{TiledSplit(gates, shape, tile).shared} * tiled_threads(shape, hidden) * kQuad;
  return 4 * (2 * tiled_state(shape, tile) + tiled_inputs(gates, shape, hidden, tile) + weights);
}
/// Scratch of a block.
[[nodiscard]] constexpr int64_t tiled_streamed_bytes(int gates, int64_t hidden, int tile) noexcept {
  TiledShape shape = kTiledShapes[tiled_shape(hidden)];
  return int64_t{TiledSplit(gates, shape, tile).streamed} * tiled_threads(shape, hidden) * kQuad * 4;
}

struct RecurrentDevicePlan {
  Recurrent sizes;
  bool is_tiled = false;         ///< false: the general kernel
  int tile = 1;                  ///< sequences that a block runs side by side: 1, 2, 4
  int64_t blocks = 0;            ///< of the grid; where tiled, clusters of a direction
  const float* table = nullptr;  ///< on the device: the table's X W' + bias [vocabulary, directions, H, gates]
  bool is_sorted = false;        ///< the longest sequences run first
  int half_tiles = 0;            ///< at first, of the longest sequences: half as many to a tile, for all to end at once
  bool has_constant_state_weights = false;  ///< which a kernel that starts early may read at once
  int64_t order = 0;                        ///< places in scratch, in bytes
  int64_t rows = 0;
  int64_t count = 0;
  int64_t streamed = 0;
};

}  // namespace slipway
