// RNN on a device: the formula of rnn.cc.
#include "ops/recurrent_general.cuh"
#include "ops/recurrent_tiled.cuh"

namespace slipway::cuda {

namespace {

struct GeneralRnn {
  template <typename T>
  static __device__ void run(const GeneralCell<T>& cell, const T* x) {
    double* next = cell.work;
    for (int64_t j = threadIdx.x; j < cell.sizes.hidden; j += blockDim.x) {
      next[j] = cell.activate_clipped(0, cell.input_sum(0, j, x) + cell.state_sum(0, j, cell.h));
    }
    __syncthreads();
    for (int64_t j = threadIdx.x; j < cell.sizes.hidden; j += blockDim.x) cell.h[j] = next[j];
    __syncthreads();
  }
};

/// A step of a lane's unit.
struct TiledRnn {
  static constexpr int kGates = 1;
  bool is_relu;

  __device__ TiledRnn(const TiledArguments& from, int direction, int)
      : is_relu(from.sizes.activations[direction][0].kind == ActivationKind::kRelu) {}
  __device__ __forceinline__ void step(const float (&sums)[1], const float (&x)[1], float& h, float&) const {
    const float sum = x[0] + sums[0];
    h = !is_relu ? tanh_fast(sum) : sum < 0.0f ? 0.0f : sum;
  }
};

}  // namespace

void rnn(const OpCall& call) noexcept {
  if (call.as<RecurrentDevicePlan>().is_tiled) return launch_tiled<TiledRnn>(call);
  launch_general<GeneralRnn>(call);
}

}  // namespace slipway::cuda
