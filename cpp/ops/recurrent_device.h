// What the preparation of GRU, LSTM and RNN gives to their CUDA kernels. Plain data.
#pragma once

#include <cstdint>

#include "ops/recurrent.h"

namespace slipway {

/// Doubles of scratch that a block of recurrent_general.cuh has: H and C, and rows of the operator's own.
inline constexpr int64_t kGeneralRows = 6;

// ---- recurrent_tiled.cuh ----
inline constexpr int kParts = 4;  ///< lanes that share the sums of a unit
inline constexpr int kUnitsOfWarp = 32 / kParts;
inline constexpr int kQuad = 4;  ///< floats of a vector

/// Numbers of weights of a gate that its kernels give to a lane; the largest H is kParts times as large.
inline constexpr int kTiledSteps[] = {8, 16, 25, 32};
inline constexpr int kMostTiled = 32 * kParts;

/// Those of H; H <= kMostTiled.
[[nodiscard]] constexpr int tiled_steps(int64_t hidden) noexcept {
  int i = 0;
  while (kTiledSteps[i] * kParts < hidden) ++i;
  return kTiledSteps[i];
}
/// Threads of a block: a lane for each unit and part.
[[nodiscard]] constexpr int tiled_threads(int64_t hidden) noexcept {
  return static_cast<int>((hidden + kUnitsOfWarp - 1) / kUnitsOfWarp) * 32;
}
/// How many of the steps' weights stand in shared memory, since a lane's 128 registers do not hold them beside its sums
/// of `tile` sequences.
[[nodiscard]] SLIPWAY_BOTH constexpr int tiled_shared_steps(int gates, int steps, int tile) noexcept {
  constexpr int kFree = 81;  // without spills, by what ptxas reports
  const int held = (kFree - gates * tile) / gates;
  return held < steps ? steps - held : 0;
}
/// Floats of one state of a tile.
[[nodiscard]] SLIPWAY_BOTH constexpr int tiled_state(int steps, int tile) noexcept {
  return (steps * tile + kQuad - 1) / kQuad * kQuad * kParts;
}
/// Floats of a tile's sums of inputs, some steps of them, and where they are to be had.
inline constexpr int kInputSlots = 4;
[[nodiscard]] SLIPWAY_BOTH constexpr int tiled_inputs(int gates, int64_t hidden, int tile) noexcept {
  const int room = static_cast<int>((gates * hidden + kQuad - 1) / kQuad * kQuad);
  return kInputSlots * tile * room + (2 * tile + kQuad - 1) / kQuad * kQuad;
}
[[nodiscard]] constexpr int64_t tiled_shared_bytes(int gates, int64_t hidden, int tile) noexcept {
  const int steps = tiled_steps(hidden);
  const int64_t weights = int64_t{tiled_shared_steps(gates, steps, tile)} * tiled_threads(hidden) * kQuad;
  return 4 * (2 * tiled_state(steps, tile) + tiled_inputs(gates, hidden, tile) + weights);
}

struct RecurrentDevicePlan {
  Recurrent sizes;
  bool is_tiled = false;         ///< false: the general kernel
  int tile = 1;                  ///< sequences that a block runs side by side: 1, 2, 4
  int64_t blocks = 0;            ///< of the grid; of a direction where tiled
  const float* table = nullptr;  ///< on the device: the table's X W' + bias [vocabulary, directions, H, gates]
  bool is_sorted = false;        ///< the longest sequences run first
  int64_t order = 0;             ///< places in scratch, in bytes
  int64_t rows = 0;
  int64_t count = 0;
};

}  // namespace slipway
