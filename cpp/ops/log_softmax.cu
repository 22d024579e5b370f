// LogSoftmax on CUDA.
#include "ops/softmax.cuh"

namespace slipway::cuda {

namespace {

/// In double: where one element outweighs the others, the result is what they add to 1.
struct LogSoftmaxFunctor {
  static constexpr bool kCountsOnes = true;
  [[nodiscard]] __device__ double power(double x, double largest) const { return std::exp(x - largest); }
  [[nodiscard]] __device__ double prepare(double others, double ones) const { return std::log1p(others + (ones - 1)); }
  template <typename T>
  [[nodiscard]] __device__ T result(T x, T largest, double log_sum) const {
    return static_cast<T>(static_cast<double>(x) - static_cast<double>(largest) - log_sum);
  }
};

}  // namespace

void log_softmax(const OpCall& call) noexcept { softmax_lines(call, LogSoftmaxFunctor{}); }

}  // namespace slipway::cuda
