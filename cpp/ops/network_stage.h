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

#include "base/both.h"
#include "ops/activation.h"
#include "ops/small_divisor.h"

namespace slipway {

inline constexpr int kMostStages = 40;
inline constexpr int kMostPorts = 4;
/// Blocks of a cluster.
inline constexpr int kMostRanks = 8;
/// Output channels of a tile; those of a large one, which reads a pixel half as often; and rows of pixels.
inline constexpr int kTileChannels = 4;
inline constexpr int kLargeTileChannels = 8;
inline constexpr int kTileRows = 2;
/// Channels of a convolution whose weights lie side by side.
inline constexpr int kGroupChannels = 4;
/// Pixels of a tile's row in the kernel for few images, and in that for many.
inline constexpr int kSmallColumns = 2;
inline constexpr int kLargeColumns = 4;
/// Floats of an image are so many more than a multiple of 32 banks that three tiles of four pixels of one image, three
/// of the next and two more fall into 32 banks.
inline constexpr int kImageBank = 12;
/// Images of an item of a dense layer, where it takes several.
inline constexpr int kSmallTeamLog = 2;
inline constexpr int kTeamLog = 3;
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
  SmallDivisor rows = {0};  ///< of all channels, those above and below included; size 0: nothing is cleared
  SmallDivisor rows_of_channel;
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

struct alignas(16) NetworkStage {
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
  int16_t slices_log = 0;     ///< terms are cut into 2^slices_log slices
  int16_t tile_channels = 1;  ///< of kSums and kDense: outputs that one item makes of an image or pixel
  int units = 0;              ///< of kSums: kernel rows of all input channels; of kDense: 4 elements each
  int items = 0;              ///< of all images
  int share = 0;              ///< of a block, in chunks of 32 items
  SmallDivisor tile_items;    ///< of kSums and kDense: items of a tile of channels
  SmallDivisor tiles_down;    ///< of kSums
  SmallDivisor tiles_across;  ///< of kSums
  SmallDivisor kernel_rows;   ///< of kSums
  SmallDivisor by_channels;   ///< these three of kPool and kMap: what the output has
  SmallDivisor by_height;
  SmallDivisor by_width;
  int channel_floats = 0;  ///< weights of one channel
  int staged = -1;         ///< where in shared memory a block's weights go; -1: they are read where they are
  int staged_origin[kMostRanks] = {};  ///< where those of channel 0 would be, block by block
  const float* weights = nullptr;  ///< kSums: [channels / 4, units, kernel columns, 4]; kDense: [channels, 4 * units]
  const float* bias = nullptr;     ///< [channels], padded to whole tiles
};

/// Chunks of 32 items, or tiles of channels, of one block of a cluster.
struct NetworkShare {
  int begin;
  int end;
};

[[nodiscard]] SLIPWAY_BOTH inline NetworkShare chunks_of(const NetworkStage& stage, int rank) {
  const int chunks = (stage.items + 31) / 32;
  const int begin = rank * stage.share;
  const int end = begin + stage.share;
  return {begin < chunks ? begin : chunks, end < chunks ? end : chunks};
}

/// Tiles of channels whose weights a block needs, those of its own items.
[[nodiscard]] SLIPWAY_BOTH inline NetworkShare tiles_of(const NetworkStage& stage, int rank) {
  const NetworkShare chunks = chunks_of(stage, rank);
  if (chunks.begin == chunks.end) return {0, 0};
  const int end = chunks.end * 32 < stage.items ? chunks.end * 32 : stage.items;
  return {divide(chunks.begin * 32, stage.tile_items), divide(end - 1, stage.tile_items) + 1};
}

/// An input of the network, copied to `place` before the first stage.
struct NetworkPort {
  const float* data = nullptr;
  bool has_fours = false;    ///< 4 floats are copied at a time: this run's data lies so
  SmallDivisor height;       ///< rows of a channel
  SmallDivisor rows;         ///< of an image
  SmallDivisor floats;       ///< of a row
  SmallDivisor fours = {0};  ///< of a row; size 0: they do not lie so
  StagePlace place;
  StageBorder border;
};

/// The kernel's parameters. Stages are not among them: parameters come to a multiprocessor line by line, when they are
/// read, and these would be some kilobytes; a block copies them to its shared memory at once, in front of the images.
struct NetworkStages {
  int64_t batch = 0;
  int images_log = 0;  ///< a block, or cluster, has 2^images_log images
  int ranks_log = 0;   ///< a cluster has 2^ranks_log blocks
  int threads = 0;     ///< of a block
  int columns = 0;     ///< pixels of a tile's row, and its channels: which kernel it is
  int channels = 0;
  int image = 0;         ///< floats of an image
  int team_log = 0;      ///< an item of kDense has 2^team_log images
  int shared_bytes = 0;  ///< of a block
  int count = 0;         ///< of stages
  int inputs = 0;
  const NetworkStage* stages = nullptr;  ///< on the device
  float* outputs[kMostPorts] = {};
  NetworkPort ports[kMostPorts];
};

}  // namespace slipway
