// One output of a matrix product with bias, on the host and on a CUDA device.
#pragma once

#include "base/both.h"
#include "ops/gemm.h"

namespace slipway {

/// alpha * A B + beta * C at (i, j), summed in double; c may be null.
template <typename T>
[[nodiscard]] SLIPWAY_BOTH double product_at(const GemmCall& gemm, const T* a, const T* b, const T* c, int64_t i,
                                             int64_t j) noexcept {
  double sum = 0.0;
  for (int64_t p = 0; p < gemm.k; ++p) {
    sum += static_cast<double>(a[i * gemm.a_row + p * gemm.a_column]) *
           static_cast<double>(b[p * gemm.b_row + j * gemm.b_column]);
  }
  sum *= static_cast<double>(gemm.alpha);
  if (c != nullptr) {
    sum += static_cast<double>(gemm.beta) * static_cast<double>(c[i * gemm.c_row + j * gemm.c_column]);
  }
  return sum;
}

}  // namespace slipway
