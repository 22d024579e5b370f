// GRU on a device: the formulas of gru.cc.
#include "ops/recurrent_general.cuh"
#include "ops/recurrent_tiled.cuh"

namespace slipway::cuda {

namespace {

struct GeneralGru {
  template <typename T>
  static __device__ void run(const GeneralCell<T>& cell, const T* x) {
    const int64_t hidden = cell.sizes.hidden;
    double* h = cell.h;
    double* z = cell.work;
    double* r = z + hidden;
    double* reset = r + hidden;
    double* n = reset + hidden;
    for (int64_t j = threadIdx.x; j < hidden; j += blockDim.x) {
      z[j] = cell.activate_clipped(0, cell.input_sum(0, j, x) + cell.state_sum(0, j, h));
      r[j] = cell.activate_clipped(0, cell.input_sum(1, j, x) + cell.state_sum(1, j, h));
      reset[j] = r[j] * h[j];
    }
    __syncthreads();
    for (int64_t j = threadIdx.x; j < hidden; j += blockDim.x) {
      const double sum = cell.sizes.linear_before_reset ? r[j] * cell.state_sum(2, j, h) : cell.state_sum(2, j, reset);
      n[j] = cell.activate_clipped(1, cell.input_sum(2, j, x) + sum);
    }
    __syncthreads();
    for (int64_t j = threadIdx.x; j < hidden; j += blockDim.x) h[j] = (1 - z[j]) * n[j] + z[j] * h[j];
    __syncthreads();
  }
};

/// What a lane needs of its unit beside the weights, and a step of it.
struct TiledGru {
  static constexpr int kGates = 3;
  float state_bias = 0.0f;

  __device__ TiledGru(const TiledArguments& from, int direction, int unit) {
    const int64_t hidden = from.sizes.hidden;
    const float* bias = from.memory.bias;
    if (bias != nullptr && unit < hidden) state_bias = bias[(direction * 6 + 5) * hidden + unit];
  }
  __device__ __forceinline__ void step(const float (&sums)[3], const float (&x)[3], float& h, float&) const {
    const float z = sigmoid(x[0] + sums[0]);
    const float r = sigmoid(x[1] + sums[1]);
    const float n = tanh_fast(fmaf(r, sums[2] + state_bias, x[2]));
    h = fmaf(z, h - n, n);
  }
};

}  // namespace

void gru(const OpCall& call) noexcept {
  if (call.as<RecurrentDevicePlan>().is_tiled) return launch_tiled<TiledGru>(call);
  launch_general<GeneralGru>(call);
}

}  // namespace slipway::cuda
