// A matrix product with bias as kernels see it.
#pragma once

#include <cstdint>

#include "ops/activation.h"
#include "ops/call.h"
#include "ops/product.h"
#include "simd/small_weights.h"

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
  const float* packed = nullptr;    ///< B as panels, or null: packed into scratch by every call
  const uint16_t* split = nullptr;  ///< B as blocks of columns (simd/split.h); `packed` is null then
  SmallWeights small;               ///< B as panels of fewer bytes; `packed` is null then
  ActivationCall activation;
  ProductShape product;  ///< of CUDA
};

namespace scalar {
/// The meaning; vector kernels leave other types than float32 to it.
void multiply_add(const OpCall& call) noexcept;
}  // namespace scalar

}  // namespace slipway
