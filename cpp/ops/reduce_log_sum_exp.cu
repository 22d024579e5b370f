// ReduceLogSumExp on CUDA.
#include "ops/reduce.cuh"

namespace slipway::cuda {

namespace {

/// largest + log(scaled): the largest x is taken out, so that exp never overflows.
struct LogSum {
  double largest;
  double scaled;
};

template <typename T>
struct LogSumExpReducer {
  [[nodiscard]] __device__ LogSum start() const { return {kLeast<double>, 0}; }
  [[nodiscard]] __device__ LogSum take(LogSum sum, T x, int64_t) const { return merge(sum, {x, 1}); }
  [[nodiscard]] __device__ LogSum merge(LogSum a, LogSum b) const {
    if (a.largest != a.largest) return a;
    if (b.largest != b.largest) return {b.largest, 0};
    if (a.largest == b.largest) return {a.largest, a.scaled + b.scaled};
    if (a.largest < b.largest) return {b.largest, b.scaled + a.scaled * std::exp(a.largest - b.largest)};
    return {a.largest, a.scaled + b.scaled * std::exp(b.largest - a.largest)};
  }
  [[nodiscard]] __device__ T finish(LogSum sum, int64_t) const {
    return static_cast<T>(sum.scaled > 0 ? sum.largest + std::log(sum.scaled) : sum.largest);
  }
};

}  // namespace

void reduce_log_sum_exp(const OpCall& call) noexcept {
  dispatch(Floats{}, call.inputs[0].dtype, [&]<typename T>() { reduce_as<T>(call, LogSumExpReducer<T>{}); });
}

}  // namespace slipway::cuda
