// MatMul:  Y = A B, for stacks of matrices, as numpy.matmul.
//
// ONNX MatMul 13 as in opsets 13 to 24. A: [..., M, K] or [K]; B: [..., K, N] or [K]; the axes in front broadcast; a
// one-dimensional operand's own axis is left out of Y. float32, float64, int32, int64 (integers wrap).
#include "ops/matmul.h"

#include "ops/op.h"
#include "ops/prepared_matrix.h"
#include "ops/product_rules.h"
#include "ops/types.h"
#include "ops/window_rules.h"
#include "simd/panels.h"

namespace slipway {

namespace {

struct OwnedMatMulCall final : MatMulCall {
  OwnedMatrix owned_b;
};

/// Strides of the stack of one operand, in matrices, for the broadcast axes `sizes`.
void stack_strides(const Shape& shape, int rank, int64_t* strides) {
  const int own = shape.rank() > 2 ? shape.rank() - 2 : 0;
  int64_t stride = 1;
  for (int i = 0; i < own; ++i) {
    const int64_t size = shape[own - 1 - i];
    strides[rank - 1 - i] = size == 1 ? 0 : stride;
    stride *= size;
  }
}

}  // namespace

void infer_matmul(InferContext& context) {
  context.allow_attributes({});
  context.require_counts(2, 2, 1, 1);
  context.require_dtype(0, {DType::kFloat32, DType::kFloat64, DType::kInt32, DType::kInt64});
  context.require_same_dtype({0, 1});
  context.require_rank(0, 1, kMaxRank);
  context.require_rank(1, 1, kMaxRank);
  const Dims* a = context.dims(0);
  const Dims* b = context.dims(1);
  if (a == nullptr || b == nullptr) return context.output_unknown(0, context.dtype(0));
  const bool has_rows = a->size() > 1;
  const bool has_columns = b->size() > 1;
  const Dim& ka = a->back();
  const Dim& kb = (*b)[has_columns ? b->size() - 2 : 0];
  if (ka.is_known() && kb.is_known() && ka.value() != kb.value()) {
    context.reject("A ", text_of(*a), " and B ", text_of(*b), " do not fit: ", ka.value(), " columns, ", kb.value(),
                   " rows");
  }
  Dims out = broadcast(has_rows ? Dims(a->begin(), a->end() - 2) : Dims{},
                       has_columns ? Dims(b->begin(), b->end() - 2) : Dims{});
  if (has_rows) out.push_back((*a)[a->size() - 2]);
  if (has_columns) out.push_back(b->back());
  context.output(0, context.dtype(0), std::move(out));
}

std::shared_ptr<const void> prepare_matmul(PrepareContext& context) {
  const Shape a = context.shape(0);
  const Shape b = context.shape(1);
  const Shape y = context.output_shape(0);
  auto call = std::make_shared<OwnedMatMulCall>();
  call->m = a.rank() > 1 ? a[a.rank() - 2] : 1;
  call->k = a[a.rank() - 1];
  call->n = b.rank() > 1 ? b[b.rank() - 1] : 1;
  call->rank = y.rank() - (a.rank() > 1 ? 1 : 0) - (b.rank() > 1 ? 1 : 0);
  for (int axis = 0; axis < call->rank; ++axis) call->sizes[axis] = y[axis];
  stack_strides(a, call->rank, call->a_strides);
  stack_strides(b, call->rank, call->b_strides);
  call->batch = y.count(0, call->rank);
  call->b_batch = b.rank() > 2 ? b.count(0, b.rank() - 2) : 1;
  call->is_one_product = call->b_batch == 1 && a.count() == call->batch * call->m * call->k;
  const int64_t rows = call->is_one_product ? call->batch * call->m : call->m;
  if (context.dtype(0) == DType::kFloat32 && host_isa(context.isa()) != Isa::kScalar) {
    const Tensor* constant = context.constant(1);
    const ConstantMatrix matrix{constant != nullptr ? constant->as<float>() : nullptr, call->n, 1, call->k, call->n};
    call->owned_b = call->is_one_product ? prepare_matrix(context, matrix, {.rows = rows})
                                         : prepare_stack(context, matrix, call->b_batch);
    call->b = call->owned_b.view();
  }
  call->product = choose_product(context, call->n, rows, call->k, call->is_one_product ? 1 : call->batch, true);
  context.work = {saturating_product(y.count(), call->k, 2),
                  (a.count() + b.count() + y.count()) * size_of(context.dtype(0))};
  return std::shared_ptr<const MatMulCall>(std::move(call));
}

namespace scalar {

namespace {

template <typename T>
T dot(const T* a, const T* b, int64_t k, int64_t stride) noexcept {
  if constexpr (std::is_floating_point_v<T>) {
    double sum = 0.0;
    for (int64_t p = 0; p < k; ++p) sum += static_cast<double>(a[p]) * static_cast<double>(b[p * stride]);
    return static_cast<T>(sum);
  } else {
    T sum = 0;
    for (int64_t p = 0; p < k; ++p) sum = wrap_add(sum, wrap_multiply(a[p], b[p * stride]));
    return sum;
  }
}

}  // namespace

void matmul(const OpCall& call) noexcept {
  const auto& product = call.as<MatMulCall>();
  dispatch(WideNumbers{}, call.inputs[0].dtype, [&]<typename T>() {
    T* y = call.outputs[0].as<T>();
    for (int64_t i = 0; i < product.batch; ++i) {
      const MatMulPair pair = pair_of(product, i);
      const T* a = call.inputs[0].as<T>() + pair.a * product.m * product.k;
      const T* b = call.inputs[1].as<T>() + pair.b * product.k * product.n;
      for (int64_t row = 0; row < product.m; ++row) {
        for (int64_t column = 0; column < product.n; ++column) {
          *y++ = dot(a + row * product.k, b + column, product.k, product.n);
        }
      }
    }
  });
}

}  // namespace scalar
}  // namespace slipway
