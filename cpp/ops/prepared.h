// What prepare hands to the kernels of small operators, on the host and on CUDA.
#pragma once

#include <cstdint>
#include <vector>

#include "ops/walk.h"

namespace slipway {

// ---- element-wise ----
struct EluAttributes {
  float alpha;
};

struct SeluAttributes {
  float alpha;
  float gamma;
};

struct HardSigmoidAttributes {
  float alpha;
  float beta;
};

struct GeluAttributes {
  bool use_tanh;
};

struct IsInfAttributes {
  bool negative;
  bool positive;
};

struct ModPrepared {
  Walk<2> walk;
  bool sign_of_dividend;
};

// ---- moving elements ----
struct ConstantPrepared {
  const void* data = nullptr;  ///< where the kernel can read it
};

struct SlicePrepared {
  Walk<1> walk;
  int64_t base = 0;
};

struct SplitPrepared {
  int64_t axis;
  std::vector<int64_t> begins;  ///< place of each output along the axis
};

struct ShapePrepared {
  int64_t begin;
  int64_t end;
};

// ---- along an axis ----
struct ArgExtremumPrepared {
  int64_t axis;
  bool takes_last;
};

struct CumSumPrepared {
  bool exclusive;
  bool reverse;
};

struct TopKPrepared {
  int64_t axis;
  bool largest;
};

/// Bytes of what a CUDA kernel makes of one piece of a line.
inline constexpr int64_t kAccumulatorBytes = 16;

/// Pieces into which CUDA kernels cut each of `lines` lines of `size` elements: a block for each, and enough of them.
[[nodiscard]] inline int64_t reduce_pieces(int64_t lines, int64_t size) noexcept {
  constexpr int64_t kLeastElements = 4096;
  constexpr int64_t kMostPieces = 1024;
  if (lines == 0) return 1;
  const int64_t wanted = kMostPieces / lines;
  const int64_t possible = size / kLeastElements;
  const int64_t pieces = wanted < possible ? wanted : possible;
  return pieces > 1 ? pieces : 1;
}
/// Scratch that the pieces need.
[[nodiscard]] inline int64_t reduce_scratch_bytes(int64_t lines, int64_t size) noexcept {
  const int64_t pieces = reduce_pieces(lines, size);
  return pieces > 1 ? lines * pieces * kAccumulatorBytes : 0;
}

}  // namespace slipway
