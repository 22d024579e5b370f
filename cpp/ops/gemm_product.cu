// Matrix products with bias on tensor cores.
#include "ops/gemm_kernels.h"
#include "ops/matmul_kernels.h"
#include "ops/pack.cuh"
#include "ops/product.cuh"

namespace slipway::cuda {

namespace {

/// Y = f(alpha * A B + beta * C), as exact as float32; where Pairs knows several products, one along the grid's z.
/// A block makes 64 x 64 outputs, 128 threads 32 each; a cluster where the terms are cut into slices.
/// Moves an operand once for every 64 rows of the other, mostly from the second cache. Bound by tensor cores: three
/// products of TF32, 3 * 2 * M * N * K flops.
/// 128 threads and 58 kB of shared memory: three blocks, and up to 168 registers.
/// Checked against numpy by tests/ops/test_gemm.py and test_matmul.py.
template <bool kLeftByRow, bool kRightByRow, typename Pairs>
__global__ void __launch_bounds__(kProductThreads, 3)
    gemm_product_kernel(MatrixOperand<kLeftByRow> left, MatrixOperand<kRightByRow> right, const ProductShape shape,
                        ProductFinish finish, const __grid_constant__ Pairs pairs) {
  start_in_order();
  pairs.move(left.data, right.data, finish.y, blockIdx.z);
  make_product(left, right, shape, finish);
}

struct OnePair {
  __device__ void move(const float*&, const float*&, float*&, int64_t) const {}
};

/// The products of two stacks.
struct StackPairs {
  MatMulCall call;

  __device__ void move(const float*& a, const float*& b, float*& y, int64_t product) const {
    const MatMulPair pair = pair_of(call, product);
    a += pair.a * call.m * call.k;
    b += pair.b * call.k * call.n;
    y += product * call.m * call.n;
  }
};

template <bool kByRow>
MatrixOperand<kByRow> operand_of(const float* data, int64_t pitch) noexcept {
  return {data, pitch, pitch % 4 == 0 && is_aligned<16>(data)};
}

template <bool kLeftByRow, bool kRightByRow>
void start_gemm(const OpCall& call, const GemmCall& gemm, const ProductFinish& finish) noexcept {
  launch(call, &gemm_product_kernel<kLeftByRow, kRightByRow, OnePair>, launch_of(gemm.product, 1),
         operand_of<kLeftByRow>(call.inputs[0].as<float>(), kLeftByRow ? gemm.a_row : gemm.a_column),
         operand_of<kRightByRow>(call.inputs[1].as<float>(), kRightByRow ? gemm.b_column : gemm.b_row), gemm.product,
         finish, OnePair{});
}

}  // namespace

void multiply_add_product(const OpCall& call) noexcept {
  const auto& gemm = call.as<GemmCall>();
  const ProductFinish finish = {.y = call.outputs[0].as<float>(),
                                .c = call.has_input(2) ? call.inputs[2].as<float>() : nullptr,
                                .y_row = gemm.n,
                                .inner = gemm.n,
                                .c_row = gemm.c_row,
                                .c_column = gemm.c_column,
                                .alpha = gemm.alpha,
                                .beta = gemm.beta,
                                .activation = gemm.activation};
  const bool left_by_row = gemm.a_column == 1;
  const bool right_by_row = gemm.b_row == 1;
  if (left_by_row && right_by_row) return start_gemm<true, true>(call, gemm, finish);
  if (left_by_row) return start_gemm<true, false>(call, gemm, finish);
  if (right_by_row) return start_gemm<false, true>(call, gemm, finish);
  start_gemm<false, false>(call, gemm, finish);
}

void matmul_product(const OpCall& call) noexcept {
  const auto& product = call.as<MatMulCall>();
  const bool is_one = product.is_one_product;
  ProductFinish finish;
  finish.y = call.outputs[0].as<float>();
  finish.y_row = finish.inner = product.n;
  const auto left = operand_of<true>(call.inputs[0].as<float>(), product.k);
  auto right = operand_of<false>(call.inputs[1].as<float>(), product.n);
  if (is_one) {
    launch(call, &gemm_product_kernel<true, false, OnePair>, launch_of(product.product, 1), left, right,
           product.product, finish, OnePair{});
  } else {
    launch(call, &gemm_product_kernel<true, false, StackPairs>, launch_of(product.product, product.batch), left, right,
           product.product, finish, StackPairs{product});
  }
}

}  // namespace slipway::cuda
