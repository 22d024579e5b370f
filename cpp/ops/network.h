// A network of convolutions, poolings and dense layers as one program, as kernels see it.
//
// Samples go through the whole program block by block, so that what lies between two operations stays in cache. A block
// takes one of two layouts:
//
//   samples   the lanes of a vector are samples: no channel or width wastes a lane
//   channels  the lanes are channels of one sample, their number rounded up to whole vectors
//
// An operation writes pixels, whose places are listed, and at each a number of rows: channels, or vectors of channels.
// All places and offsets count floats. Every sum takes its terms in ONNX's order (channel, row, column), kGemmDepth of
// them from zero, onto the bias, as simd/gemm.h does: both layouts give the bits of the single operators.
#pragma once

#include <cstdint>

#include "ops/activation.h"
#include "ops/call.h"

namespace slipway {

/// Where a value is: in the memory of the block's slot, or in an input of the call.
struct NetworkPlace {
  int port = -1;                    ///< input of the call, or -1 for the slot
  int64_t sample = 0;               ///< of an input: floats of a sample
  int64_t start = 0;                ///< of the first row
  int64_t row = 0;                  ///< from one row to the next
  const int32_t* pixels = nullptr;  ///< of each pixel, from `start`; null: there is no such operand
};

enum class NetworkKind : int {
  kTranspose,    ///< elements of an input become lanes: element i of each sample to out.pixels[i]
  kCopy,         ///< runs of `terms` elements of an input, sample by sample, to out.pixels[i]
  kClear,        ///< taps[i] floats from out.pixels[i] on become zero
  kSums,         ///< convolution or dense layer: the sum over p of weights[p] * in[offsets[p]]
  kPool,         ///< maximum, or mean, over taps [first[i], first[i + 1]) of pixel i
  kAdd,          ///< in + other
  kMap,          ///< in
  kGather,       ///< runs of `terms` elements from in.pixels[i] on, sample by sample, to an output
  kUntranspose,  ///< element i of each sample of an output from the lanes at in.pixels[i]
};

/// One operation; what it makes goes through the activation.
struct NetworkOp {
  NetworkKind kind = NetworkKind::kMap;
  int64_t pixels = 0;  ///< pixels, runs or elements
  int64_t rows = 0;
  NetworkPlace out;
  NetworkPlace in;
  NetworkPlace other;  ///< of kSums: added to the sums
  ActivationCall activation;
  int64_t terms = 0;
  int64_t window = 1;                ///< of kSums: 4 where `in` has four pixels for each of the output, their maximum
  bool ends_in_half = false;         ///< of kSums, channels: the last vector needs its lower half alone
  const float* weights = nullptr;    ///< samples: even tiles; channels: row vectors (simd/panels.h)
  const float* bias = nullptr;       ///< [rows], for channels [rows, lanes]
  const int32_t* offsets = nullptr;  ///< [terms]
  const int32_t* first = nullptr;    ///< [pixels + 1]
  const int32_t* taps = nullptr;
  const float* counts = nullptr;  ///< [pixels]: what the sum of the taps is divided by; null: the maximum
  int port = 0;                   ///< the call's input or output of kTranspose, kCopy, kGather, kUntranspose
  int64_t sample = 0;             ///< floats of a sample of it
};

struct NetworkProgram {
  const NetworkOp* ops = nullptr;
  int64_t count = 0;
  bool has_sample_lanes = false;
  int64_t batch = 0;
  int64_t block = 1;   ///< samples of a block
  int64_t groups = 1;  ///< of samples in a block: pixels are listed group by group
  int64_t slots = 1;   ///< blocks at work at once, at most
  int64_t slot = 0;    ///< floats of a slot
  int64_t work = 0;    ///< multiply-adds of vectors in a block
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
