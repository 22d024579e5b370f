// LSTM on a device: the formulas of lstm.cc.
#include "ops/recurrent_general.cuh"
#include "ops/recurrent_tiled.cuh"

namespace slipway::cuda {

namespace {

enum LstmGate : int64_t { kInput, kOutput, kForget, kCell };

struct GeneralLstm {
  template <typename T>
  static __device__ void run(const GeneralCell<T>& cell, const T* x) {
    double* c = cell.c;
    double* o = cell.work;
    for (int64_t j = threadIdx.x; j < cell.sizes.hidden; j += blockDim.x) {
      const double i = cell.activate_clipped(0, sum(cell, kInput, j, x) + cell.peephole(kInput, j) * c[j]);
      const double f = cell.sizes.input_forget
                           ? 1 - i
                           : cell.activate_clipped(0, sum(cell, kForget, j, x) + cell.peephole(kForget, j) * c[j]);
      c[j] = f * c[j] + i * cell.activate_clipped(1, sum(cell, kCell, j, x));
      o[j] = cell.activate_clipped(0, sum(cell, kOutput, j, x) + cell.peephole(kOutput, j) * c[j]);
    }
    __syncthreads();
    for (int64_t j = threadIdx.x; j < cell.sizes.hidden; j += blockDim.x) {
      cell.h[j] = o[j] * activate(cell.activations[2], c[j]);
    }
    __syncthreads();
  }

 private:
  template <typename T>
  static __device__ double sum(const GeneralCell<T>& cell, LstmGate gate, int64_t j, const T* x) {
    return cell.input_sum(gate, j, x) + cell.state_sum(gate, j, cell.h);
  }
};

/// A step of a lane's unit.
struct TiledLstm {
  static constexpr int kGates = 4;

  __device__ TiledLstm(const TiledArguments&, int, int) {}
  __device__ __forceinline__ void step(const float (&sums)[4], const float (&x)[4], float& h, float& c) const {
    const float i = sigmoid(x[kInput] + sums[kInput]);
    const float o = sigmoid(x[kOutput] + sums[kOutput]);
    const float f = sigmoid(x[kForget] + sums[kForget]);
    c = fmaf(f, c, i * tanh_fast(x[kCell] + sums[kCell]));
    h = o * tanh_fast(c);
  }
};

}  // namespace

void lstm(const OpCall& call) noexcept {
  if (call.as<RecurrentDevicePlan>().is_tiled) return launch_tiled<TiledLstm>(call);
  launch_general<GeneralLstm>(call);
}

}  // namespace slipway::cuda
