// A network as one launch of one CUDA kernel, as that kernel sees it (network_cuda.h makes it).
//
// A block of threads, or a cluster of blocks, takes a few images through all stages. What lies between two stages is in
// shared memory, image by image, channel by channel, with zeros around a value where windows reach over its edges; the
// blocks of a cluster share the work of every stage, and each holds all values. Stages that do not need each other form
// a phase; barriers stand between phases.
//
// All places and sizes count floats. The terms of a sum are cut into slices whose number depends on shapes alone, and
// are added up in one order, so that a sample has the same bits whatever is beside it.
#pragma once

#include <cstdint>

#include "ops/activation.h"

namespace slipway {

inline constexpr int kMostStages = 40;
inline constexpr int kMostPorts = 4;
/// Output channels of a tile, and rows of pixels.
inline constexpr int kTileChannels = 4;
inline constexpr int kTileRows = 2;
/// Phases that weights are copied to shared memory ahead.
inline constexpr int kStageLead = 2;

/// Where a value is in an image's memory.
struct StagePlace {
  int start = 0;  ///< of pixel (0, 0) of channel 0
  int plane = 0;  ///< from one channel to the next
  int pitch = 0;  ///< from one row to the next; 0: there is no such operand
};

/// What becomes zero around a value, before the first stage that writes to it.
struct StageBorder {
  int start = 0;
  int rows = 0;  ///< of all channels, those above and below included; 0: nothing is cleared
  int rows_of_channel = 0;
  int top = 0;
  int height = 0;
  int left = 0;
  int width = 0;
  int pitch = 0;
  int tail = 0;  ///< floats behind the last row
};

enum class StageKind : int {
  kSums,   ///< convolution
  kDense,  ///< sums over all of `in`
  kPool,
  kMap  ///< in, or in + other
};

struct StageAxis {
  int16_t kernel = 1;
  int16_t stride = 1;
  int16_t dilation = 1;
  int16_t begin = 0;
  int16_t end = 0;
};

struct NetworkStage {
  StageKind kind = StageKind::kMap;
  int phase = 0;
  int port = -1;  ///< output of the network that takes the place of `out`, or -1
  int channels = 0;
  int height = 0;
  int width = 0;
  int in_height = 0;
  int in_width = 0;
  StagePlace in;
  StagePlace other;
  StagePlace out;
  StageBorder border;
  StageAxis rows;
  StageAxis columns;
  ActivationCall activation;
  int16_t pool = 1;  ///< of kSums: 2, the maximum of 2 x 2 sums
  int16_t taps = 0;  ///< of kSums: columns of the kernel where they are read as vectors; 0: one by one
  bool is_mean = false;
  bool counts_padding = false;
  int16_t slices_log = 0;          ///< terms are cut into 2^slices_log slices
  int units = 0;                   ///< of kSums: kernel rows of all input channels; of kDense: 4 elements each
  int tiles_across = 0;            ///< of kSums
  int tiles = 0;                   ///< of kSums, in an image
  int group_floats = 0;            ///< weights of one tile of channels, or of one output of kDense
  int staged = -1;                 ///< where in shared memory the weights go; -1: they are read where they are
  const float* weights = nullptr;  ///< kSums: [channels / 4, units, kernel columns, 4]; kDense: [channels, 4 * units]
  const float* bias = nullptr;     ///< [channels], padded to whole tiles
};

/// An input of the network, copied to `place` before the first stage.
struct NetworkPort {
  const float* data = nullptr;
  int channels = 0;
  int height = 0;
  int width = 0;
  StagePlace place;
  StageBorder border;
};

struct NetworkStages {
  int64_t batch = 0;
  int images = 1;        ///< of a block, or cluster
  int ranks = 1;         ///< blocks of a cluster
  int threads = 0;       ///< of a block
  int columns = 0;       ///< pixels of a tile's row: which kernel it is
  int image = 0;         ///< floats of an image
  int shared_bytes = 0;  ///< of a block
  int count = 0;
  int inputs = 0;
  float* outputs[kMostPorts] = {};
  NetworkPort ports[kMostPorts];
  NetworkStage stages[kMostStages];
};

}  // namespace slipway
