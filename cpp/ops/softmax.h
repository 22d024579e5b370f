// Softmax and LogSoftmax as kernels see them.
#pragma once

#include "ops/call.h"
#include "ops/walk.h"

namespace slipway {

struct SoftmaxCall {
  Split split;
  bool is_last;  ///< no axis follows, not even one of size 1
};

namespace scalar {
/// The meaning; vector kernels leave float64 to it.
void softmax(const OpCall& call) noexcept;
void log_softmax(const OpCall& call) noexcept;
}  // namespace scalar

}  // namespace slipway
