// MatMul on CUDA.
#include "ops/matmul_kernels.h"
#include "ops/pack.cuh"
#include "ops/types.h"

namespace slipway::cuda {

namespace {

constexpr int kMatMulThreads = 256;

/// Y = A B for every pair of matrices of two stacks. Floating point is summed in double; integers wrap.
/// A thread takes one output at a time; neighbours read the same row of A and neighbouring columns of B.
/// Moves a row and a column once per output through the first cache: bound by that, not by the 2 flops per term.
/// 256 threads, whatever registers they need: the kernel is for rare types.
/// Checked against numpy by tests/ops/test_matmul.py.
template <typename T>
__global__ void __launch_bounds__(kMatMulThreads)
    matmul_plain_kernel(const __grid_constant__ MatMulCall product, const T* __restrict__ a, const T* __restrict__ b,
                        T* __restrict__ y) {
  start_in_order();
  using Sum = std::conditional_t<std::is_floating_point_v<T>, double, T>;
  const int64_t matrix = product.m * product.n;
  for (int64_t at = grid_thread(); at < product.batch * matrix; at += grid_threads()) {
    const MatMulPair pair = pair_of(product, at / matrix);
    const T* row = a + (pair.a * product.m + at % matrix / product.n) * product.k;
    const T* column = b + pair.b * product.k * product.n + at % product.n;
    Sum sum = 0;
    for (int64_t p = 0; p < product.k; ++p) {
      sum = wrap_add(sum, wrap_multiply(static_cast<Sum>(row[p]), static_cast<Sum>(column[p * product.n])));
    }
    y[at] = static_cast<T>(sum);
  }
}

}  // namespace

void matmul(const OpCall& call) noexcept {
  const auto& product = call.as<MatMulCall>();
  if (product.product.slice > 0) return matmul_product(call);
  dispatch(WideNumbers{}, call.inputs[0].dtype, [&]<typename T>() {
    launch(call, &matmul_plain_kernel<T>,
           {.grid = dim3(blocks_for(product.batch * product.m * product.n, kMatMulThreads)),
            .block = dim3(kMatMulThreads)},
           product, call.inputs[0].as<T>(), call.inputs[1].as<T>(), call.outputs[0].as<T>());
  });
}

}  // namespace slipway::cuda
