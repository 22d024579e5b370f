// Normalizations of rows as kernels see them.
#pragma once

#include "ops/call.h"
#include "ops/walk.h"

namespace slipway {

struct InstanceNormalizationCall {
  int64_t batch = 0;
  int64_t channels = 0;
  int64_t size = 0;
  double epsilon = 0.0;
};

struct LayerNormalizationCall {
  int64_t rows = 0;
  int64_t size = 0;  ///< elements of one row
  double epsilon = 0.0;
  Walk<2> walk;           ///< scale and b along x
  bool is_plain = false;  ///< scale and b are one row each, the same for every row of x
};

namespace scalar {
/// The meaning; the vector kernels leave all but plain float32 to them.
void instance_normalization(const OpCall& call) noexcept;
void layer_normalization(const OpCall& call) noexcept;
}  // namespace scalar

}  // namespace slipway
