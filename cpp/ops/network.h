// A network of convolutions, poolings and dense layers as one program, as kernels see it.
//
// Samples go through the whole program block by block, so that what lies between two operations stays in cache. A block
// takes one of two layouts:
//
//   samples   the lanes of a vector are samples: no channel or width wastes a lane
//   channels  the lanes are channels of one sample, their number rounded up to whole vectors
//
// An operation writes pixels, whose places are listed, and at each a number of rows: channels, or vectors of channels.
// All places and offsets count floats. Every sum takes its terms in one order, whatever the layout: a kSums in ONNX's
// (channel, row, column), `depth` of them from zero, onto the bias; a kWinograd point by point (NetworkWinograd).
#pragma once

#include <cstdint>

#include "ops/activation.h"
#include "ops/call.h"
#include "simd/panels.h"

namespace slipway {

/// Where a value is: in the memory of the block's slot, or in an input of the call.
struct NetworkPlace {
  int port = -1;                    ///< input of the call, or -1 for the slot
  int64_t sample = 0;               ///< from one sample to the next: of an input, or in the slot
  int64_t start = 0;                ///< of the first row
  int64_t row = 0;                  ///< from one row to the next
  const int32_t* pixels = nullptr;  ///< of each pixel, from `start`; null: there is no such operand
};

enum class NetworkKind : int {
  kTranspose,    ///< elements of an input become lanes: element i of each sample to out.pixels[i]
  kCopy,         ///< runs of `terms` elements of an input, sample by sample, to out.pixels[i]
  kEnter,        ///< the same of planes whose channels become lanes: `terms` channels of `pixels` to out.pixels[j]
  kClear,        ///< taps[i] floats from out.pixels[i] on become zero
  kSums,         ///< convolution or dense layer: the sum over p of weights[p] * in[offsets[p]]
  kPool,         ///< maximum, or mean, over taps [first[i], first[i + 1]) of pixel i
  kAdd,          ///< in + other
  kMap,          ///< in
  kGather,       ///< runs of `terms` elements from in.pixels[i] on, sample by sample, to an output
  kLeave,        ///< the same of pixels whose lanes become planes: `terms` channels from in.pixels[j] on
  kUntranspose,  ///< element i of each sample of an output from the lanes at in.pixels[i]
  kWinograd,     ///< convolution, tile by tile of 2 x 2 sums
  kStrips,       ///< convolution, strip by strip of pixels as lanes
  kDepthwise,    ///< convolution of each channel alone: the sum over p of weights[p] * in[offsets[p]], row by row
  kMul,          ///< in * other
  kBlend,        ///< the sum over taps [first[i], first[i + 1]) of pixel i, tap t times counts[t]
  kGrouped,      ///< the same of groups of channels: of `fellows` each, a power of two that a vector has several of
  kSpread,       ///< transposed convolution: of items (network_items.h); operations are kSums
};

struct NetworkWinograd;
struct NetworkStrips;

/// One operation; what it makes goes through the activation.
struct NetworkOp {
  NetworkKind kind = NetworkKind::kMap;
  int64_t pixels = 0;  ///< pixels, runs or elements
  int64_t groups = 1;  ///< of samples: pixels are listed group by group
  int64_t rows = 0;
  NetworkPlace out;
  NetworkPlace in;
  NetworkPlace other;  ///< of kSums and kWinograd: added to the sums
  ActivationCall activation;
  int64_t terms = 0;
  int64_t depth = 0;          ///< of kSums, kDepthwise, kGrouped: terms that are summed from zero, at most all
  int64_t fellows = 1;        ///< of kGrouped: channels of a group, `offsets` being those of one
  int64_t line = 0;           ///< of kDepthwise: taps of a line of the kernel where pixels share what they read, or 0
  int64_t step = 0;           ///< of a line: floats from tap to tap
  int64_t stride = 0;         ///< of a line: steps from what a pixel reads first to that of the one beside it
  int64_t width = 0;          ///< of a line: pixels of one of the output
  int64_t window = 1;         ///< of kSums: 4 where `in` has four pixels for each of the output, their maximum
  bool ends_in_half = false;  ///< of kSums, channels: the last vector needs its lower half alone
  const float* weights = nullptr;    ///< samples: even tiles, of kDepthwise rows; channels: row vectors (simd/panels.h)
  const float* bias = nullptr;       ///< [rows], for channels [rows, lanes]
  const int32_t* offsets = nullptr;  ///< [terms]
  const int32_t* first = nullptr;    ///< [pixels + 1]
  const int32_t* taps = nullptr;
  const float* counts = nullptr;  ///< [pixels]: what the sum of the taps is divided by; null: the maximum
  int port = 0;                   ///< the call's input or output of kTranspose, kCopy, kGather, kUntranspose
  int64_t sample = 0;             ///< floats of a sample of it
  const NetworkWinograd* winograd = nullptr;
  NetworkPlace scratch;  ///< of kWinograd
  const NetworkStrips* strips = nullptr;
};

/// The depth of a sum. At a single pixel of one sample there is nothing else to compute while an addition waits for the
/// one before: its blocks are made side by side.
[[nodiscard]] constexpr int64_t sum_depth(int64_t terms, bool is_single) noexcept {
  const int64_t blocks = !is_single || terms < 12 ? 1 : terms < 96 ? 2 : 4;
  const int64_t depth = (terms + blocks - 1) / blocks;
  return depth < kGemmDepth ? depth : kGemmDepth;
}

/// Multiply-adds of vectors that a thread makes in a nanosecond.
inline constexpr int64_t kVectorMultiplyAddsPerNanosecond = 3;
/// What it takes, in these, to turn a vector of pixels into one of channels, or the other way round, and to write it.
inline constexpr int64_t kTurnCost = 12;

/// Pixels of a line that share what they read, at least (network_depthwise_simd.h).
inline constexpr int kFewLinePixels = 4;

inline constexpr int kWinogradPoints = 16;

/// Of a kWinograd, whose `pixels` are tiles: in.pixels are the first pixels of their patches, out.pixels and
/// other.pixels four for each tile, below 0 those that do not exist, or one, the largest, where `window` is 4. Its bias
/// is [rows, lanes] in both layouts.
///
/// Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks", section 4.1, F(2 x 2, 3 x 3): Y = A^T M A,
/// M = sum over the channels of G g G^T times B^T d B, point by point. A kernel of five taps is one of three and, three
/// pixels further, one of two: F(2, 2) with y0 = m0 + m1, y1 = m1 - m3, the points of F(2, 3) without m2, so that their
/// products are terms of the same sums.
struct NetworkWinograd {
  int64_t row_kernels = 1;     ///< kernels of three taps side by side, 1 or 2
  int64_t column_kernels = 1;  ///< the same
  int64_t row_step = 0;        ///< floats from a pixel to the one below
  int64_t column_step = 0;     ///< to the one beside
  int64_t in_rows = 0;         ///< of a pixel of the input: channels, or vectors of channels
  int64_t group = 0;           ///< tiles that are transformed at once, at most
  int64_t parts = 1;           ///< of the tiles, for threads: each has scratch of its own
  int64_t part = 0;            ///< floats of a part's scratch
  int64_t in_point = 0;        ///< floats from one point to the next, of transformed inputs
  int64_t out_point = 0;       ///< of their sums, which lie behind the inputs
  NetworkOp products[kWinogradPoints];
};

/// Vectors of pixels that are summed at once.
inline constexpr int64_t kStripVectors = 4;

/// Of a kStrips, whose `pixels` are strips: vectors of pixels of a row of the sums, or of two rows where `window` is 4.
/// out.pixels are their first pixels, taps how many of a strip another one has written.
struct NetworkStrips {
  int64_t lines = 1;  ///< rows of sums of a strip, 2 where the largest of 2 x 2 remain
  int64_t channels = 0;
  int64_t step = 0;  ///< floats from a pixel of the output to the one beside
  NetworkOp sums;    ///< a kSums as where lanes are samples: in.pixels and out.pixels are those of vectors
};

struct NetworkProgram {
  const NetworkOp* ops = nullptr;
  int64_t count = 0;
  bool has_sample_lanes = false;
  int64_t batch = 0;
  int64_t block = 1;  ///< samples of a block
  int64_t group = 1;  ///< samples of a group
  int64_t alone = 0;  ///< operations before this one take the block's samples one after the other
  int64_t slots = 1;  ///< blocks at work at once, at most
  int64_t slot = 0;   ///< floats of a slot
  int64_t work = 0;   ///< multiply-adds of vectors in a block
};

struct NetworkNodes;
struct NetworkStages;

/// One of them is there.
struct NetworkCall {
  const NetworkProgram* program = nullptr;  ///< of vector columns
  const NetworkStages* stages = nullptr;    ///< of CUDA (network_stage.h)
  const NetworkNodes* nodes = nullptr;      ///< where there is no program: what run_network_nodes() runs
};

/// The nodes one after the other, each by its own kernel.
void run_network_nodes(const OpCall& call) noexcept;

}  // namespace slipway
