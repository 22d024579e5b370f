// A matrix product with bias as kernels see it.
#pragma once

#include <cstdint>

#include "ops/activation.h"
#include "ops/call.h"
#include "ops/product.h"
#include "simd/prepared_matrix.h"

namespace slipway {

struct GemmCall {
  int64_t m = 0;
  int64_t n = 0;
  int64_t k = 0;
  int64_t a_row = 0;  ///< A[i, p] = a[i * a_row + p * a_column]
  int64_t a_column = 0;
  int64_t b_row = 0;
  int64_t b_column = 0;
  int64_t c_row = 0;  ///< 0 repeats C along that axis
  int64_t c_column = 0;
  float alpha = 1.0f;
  float beta = 1.0f;
  PreparedMatrix b;  ///< of a vector instruction set
  ActivationCall activation;
  ProductShape product;  ///< of CUDA
};

namespace scalar {
/// The meaning; vector kernels leave other types than float32 to it.
void multiply_add(const OpCall& call) noexcept;
}  // namespace scalar

}  // namespace slipway
