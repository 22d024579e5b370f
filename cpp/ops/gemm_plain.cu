// Matrix products with bias of every shape and type, one thread for each output: what faster kernels leave over.
#include "ops/activation.cuh"
#include "ops/gemm_kernels.h"
#include "ops/gemm_sum.h"
#include "ops/pack.cuh"
#include "ops/types.h"

namespace slipway::cuda {

namespace {

constexpr int kGemmPlainThreads = 256;

/// Y = f(alpha * A B + beta * C), summed in double.
/// A thread takes one output at a time; neighbours read the same row of A and neighbouring columns of B.
/// Moves a row and a column once per output through the first cache: bound by that, not by the 2 flops per term.
/// 256 threads, whatever registers they need: the kernel is for rare types.
/// Checked against numpy by tests/ops/test_gemm.py.
template <typename T>
__global__ void __launch_bounds__(kGemmPlainThreads)
    gemm_plain_kernel(const __grid_constant__ GemmCall gemm, const T* __restrict__ a, const T* __restrict__ b,
                      const T* __restrict__ c, T* __restrict__ y) {
  start_in_order();
  for (int64_t at = grid_thread(); at < gemm.m * gemm.n; at += grid_threads()) {
    y[at] = static_cast<T>(activate(gemm.activation, product_at(gemm, a, b, c, at / gemm.n, at % gemm.n)));
  }
}

}  // namespace

void multiply_add_plain(const OpCall& call) noexcept {
  const auto& gemm = call.as<GemmCall>();
  dispatch(Floats{}, call.inputs[0].dtype, [&]<typename T>() {
    launch(call, &gemm_plain_kernel<T>,
           {.grid = dim3(blocks_for(gemm.m * gemm.n, kGemmPlainThreads)), .block = dim3(kGemmPlainThreads)}, gemm,
           call.inputs[0].as<T>(), call.inputs[1].as<T>(), call.has_input(2) ? call.inputs[2].as<T>() : nullptr,
           call.outputs[0].as<T>());
  });
}

}  // namespace slipway::cuda
