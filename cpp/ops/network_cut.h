// Samples of a block whose lanes are channels: the first operations of a network go through it sample by sample, since
// what lies between them fills a cache; the last ones take all samples at once, since their weights do.
#pragma once

#include <cstdint>

#include "ops/network_items.h"

namespace slipway {

struct NetworkCut {
  std::size_t first = 0;  ///< item from which on samples are taken at once
  int64_t samples = 1;    ///< of a block
};

/// For that many threads. One sample where nothing is gained: of values that large, weights that small, dense layers
/// alone, which have blocks of their own.
[[nodiscard]] NetworkCut cut_of(const NetworkItems& items, int64_t lanes, int threads);

}  // namespace slipway
