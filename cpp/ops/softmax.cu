// Softmax on CUDA.
#include "ops/softmax.cuh"

namespace slipway::cuda {

namespace {

struct SoftmaxFunctor {
  static constexpr bool kCountsOnes = false;
  [[nodiscard]] __device__ double power(double x, double largest) const { return std::exp(x - largest); }
  /// The difference's rounding error would be up to 40 units of the result, so that it is put back:
  /// exp(d + e) = exp(d) + exp(d) * e. Knuth, The Art of Computer Programming 2, section 4.2.2, theorem B.
  [[nodiscard]] __device__ float power(float x, float largest) const {
    const float difference = x - largest;
    const float part = difference - x;
    const float error = (x - (difference - part)) - (largest + part);
    const float power = std::exp(difference);
    return power > 0 ? std::fma(power, error, power) : power;
  }
  [[nodiscard]] __device__ double prepare(double others, double) const { return others; }
  template <typename T>
  [[nodiscard]] __device__ T result(T x, T largest, double sum) const {
    return power(x, largest) / static_cast<T>(sum);
  }
};

}  // namespace

void softmax(const OpCall& call) noexcept { softmax_lines(call, SoftmaxFunctor{}); }

}  // namespace slipway::cuda
