// A stack of matrix products as kernels see it.
#pragma once

#include <cstdint>

#include "base/both.h"
#include "base/shape.h"
#include "ops/call.h"
#include "ops/product.h"
#include "simd/prepared_matrix.h"

namespace slipway {

struct MatMulCall {
  int64_t m = 0;
  int64_t n = 0;
  int64_t k = 0;
  int64_t batch = 0;            ///< products in the stack
  int64_t b_batch = 0;          ///< matrices that B holds
  bool is_one_product = false;  ///< B is one matrix, and the stack of A one tall one
  int rank = 0;                 ///< axes of the stack
  int64_t sizes[kMaxRank] = {};
  int64_t a_strides[kMaxRank] = {};  ///< in matrices; 0 repeats one
  int64_t b_strides[kMaxRank] = {};
  PreparedMatrix b;      ///< of a vector instruction set; other forms than panels only for `is_one_product`
  ProductShape product;  ///< of CUDA
};

/// Which matrices of A and B meet in one product.
struct MatMulPair {
  int64_t a;
  int64_t b;
};

[[nodiscard]] SLIPWAY_BOTH static constexpr MatMulPair pair_of(const MatMulCall& call, int64_t product) noexcept {
  MatMulPair pair{0, 0};
  for (int axis = call.rank - 1; axis >= 0; --axis) {
    const int64_t i = product % call.sizes[axis];
    product /= call.sizes[axis];
    pair.a += i * call.a_strides[axis];
    pair.b += i * call.b_strides[axis];
  }
  return pair;
}

namespace scalar {
/// The meaning; vector kernels leave other types than float32 to it.
void matmul(const OpCall& call) noexcept;
}  // namespace scalar

}  // namespace slipway
