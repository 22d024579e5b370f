// MatMul by the packed matrix product, one matrix of the stack after the other or on several threads.
#include "ops/call.h"
#include "ops/matmul.h"
#include "simd/gemm.h"

namespace slipway::SLIPWAY_ISA {

namespace {

void pack_stack(const OpCall& call, const MatMulCall& stack, int64_t floats) noexcept {
  auto* panels = reinterpret_cast<float*>(call.scratch);
  for (int64_t i = 0; i < stack.b_batch; ++i) {
    pack_panels(call.inputs[1].as<float>() + i * stack.k * stack.n, stack.n, 1, stack.k, stack.n, kLanes,
                panels + i * floats);
  }
}

}  // namespace

void matmul(const OpCall& call) noexcept {
  if (call.inputs[0].dtype != DType::kFloat32) return scalar::matmul(call);
  const auto& stack = call.as<MatMulCall>();
  const int64_t floats = panels_size(stack.k, stack.n, kLanes);
  if (!stack.b) pack_stack(call, stack, floats);
  Gemm product;
  product.m = stack.m;
  product.n = stack.n;
  product.k = stack.k;
  product.a = call.inputs[0].as<float>();
  product.a_row = stack.k;
  take_prepared(stack.b, call.scratch, product);
  product.c = call.outputs[0].as<float>();
  product.c_row = stack.n;
  if (stack.is_one_product) {
    product.m = stack.batch * stack.m;
    return gemm(call.pool, product);
  }
  const auto body = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const MatMulPair pair = pair_of(stack, i);
      Gemm one = product;
      one.a += pair.a * stack.m * stack.k;
      one.b += pair.b * floats;
      one.c += i * stack.m * stack.n;
      gemm(one);
    }
  };
  parallel_for(call.pool, stack.batch, grain_of(stack.m * stack.n * (stack.k + 1), kMultiplyAddsPerNanosecond), body);
}

}  // namespace slipway::SLIPWAY_ISA
