// What the operations of a network's program cost, in multiply-adds of vectors: they decide for a layout, no more.
#pragma once

#include <algorithm>

#include "base/thread_pool.h"
#include "ops/network.h"

namespace slipway {

/// Beside a multiply-add (measured): of a vector written, a vector read, a run copied.
inline constexpr int64_t kWriteCost = 3;
inline constexpr int64_t kReadCost = 1;
inline constexpr int64_t kRunCost = 4;
/// What a vector that is written or read costs more where it comes from behind a second cache: of what an operation
/// touches, the part that is beyond its size. Most processors with vectors of 512 bits have one of a megabyte and more,
/// most others at least half of one.
inline constexpr int64_t kFarCost = 3;
[[nodiscard]] constexpr int64_t near_bytes(int64_t lanes) noexcept { return int64_t{1} << (lanes == 16 ? 20 : 19); }
/// What a vector of weights costs where there are more bytes of them than this, and they come from afar for every
/// block.
inline constexpr int64_t kStreamCost = 6;
inline constexpr int64_t kNearWeights = int64_t{1} << 21;
/// What threads lose of a block that they share, operation by operation: they wait, and read what others wrote.
inline constexpr double kSharedCost = 0.15;
/// What a multiply-add takes whose lanes are channels, of one whose lanes are samples: of 512 bits at once, two a
/// clock, the units wait for loads, and tiles of channels load twice as much for each.
inline constexpr double kChannelCost = 1.3;

/// Of a block.
struct NetworkBlockCost {
  double far = 0;       ///< vectors that come from behind a second cache, or go there
  int64_t weights = 0;  ///< vectors of weights, as often as they are read
  bool has_far_weights = false;
  bool is_wide = false;  ///< vectors of 512 bits are computed two a clock
};

/// Of the whole batch, as one thread makes it one after the other.
[[nodiscard]] inline double cost_of(const NetworkProgram& program, const NetworkBlockCost& cost, int threads) {
  const int64_t blocks = (program.batch + program.block - 1) / program.block;
  const double each = cost.is_wide && !program.has_sample_lanes ? kChannelCost : 1.0;
  const int64_t streamed = cost.has_far_weights ? cost.weights * kStreamCost : 0;
  const auto block = static_cast<int64_t>(static_cast<double>(program.work) * each + cost.far * kFarCost) + streamed;
  const int64_t pieces = std::max<int64_t>(block * blocks / (kPieceNanoseconds * kVectorMultiplyAddsPerNanosecond), 1);
  const int64_t at_once = std::min<int64_t>(threads, pieces);
  if (blocks > 1) {
    const int64_t slots = std::min(at_once, program.slots);
    return static_cast<double>(block * ((blocks + slots - 1) / slots));
  }
  return static_cast<double>(block) * (1.0 / static_cast<double>(at_once) + (at_once > 1 ? kSharedCost : 0.0));
}

}  // namespace slipway
