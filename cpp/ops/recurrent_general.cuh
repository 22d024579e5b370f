// GRU, LSTM and RNN on a device, whatever their attributes and types.
#pragma once

#include "ops/recurrent.cuh"
#include "ops/recurrent_activation.h"

namespace slipway::cuda {

inline constexpr int kGeneralThreads = 128;

template <typename T>
struct GeneralArguments {
  Recurrent sizes;
  RecurrentMemory<T> memory;
  double* states;  ///< [blocks, kGeneralRows, H]
};

/// One sequence in one direction, as the block that runs it sees it.
template <typename T>
struct GeneralCell {
  const Recurrent& sizes;
  const GateActivation* activations;
  const T* w;
  const T* r;
  const T* bias;
  const T* peepholes;
  double* h;
  double* c;
  double* work;  ///< rows of H for the operator

  __device__ GeneralCell(const GeneralArguments<T>& from, int64_t direction)
      : sizes(from.sizes),
        activations(sizes.activations[direction]),
        w(from.memory.w + direction * sizes.gates * sizes.hidden * sizes.features),
        r(from.memory.r + direction * sizes.gates * sizes.hidden * sizes.hidden),
        bias(from.memory.bias == nullptr ? nullptr : from.memory.bias + direction * 2 * sizes.gates * sizes.hidden),
        peepholes(from.memory.peepholes == nullptr ? nullptr : from.memory.peepholes + direction * 3 * sizes.hidden),
        h(from.states + blockIdx.x * kGeneralRows * sizes.hidden),
        c(h + sizes.hidden),
        work(c + sizes.hidden) {}

  /// X_t W_g^T + Wb_g, its element j.
  [[nodiscard]] __device__ double input_sum(int64_t gate, int64_t j, const T* x) const {
    const int64_t row = gate * sizes.hidden + j;
    double sum = bias != nullptr ? bias[row] : T{0};
    for (int64_t i = 0; i < sizes.features; ++i) sum += static_cast<double>(x[i]) * w[row * sizes.features + i];
    return sum;
  }
  /// H R_g^T + Rb_g, its element j.
  [[nodiscard]] __device__ double state_sum(int64_t gate, int64_t j, const double* state) const {
    const int64_t row = gate * sizes.hidden + j;
    double sum = bias != nullptr ? bias[sizes.gates * sizes.hidden + row] : T{0};
    for (int64_t i = 0; i < sizes.hidden; ++i) sum += state[i] * r[row * sizes.hidden + i];
    return sum;
  }
  [[nodiscard]] __device__ double peephole(int64_t gate, int64_t j) const {
    return peepholes != nullptr ? peepholes[gate * sizes.hidden + j] : T{0};
  }
  /// Activation 0, 1, 2 is f, g, h of the formulas; its argument is clipped.
  [[nodiscard]] __device__ double activate_clipped(int which, double sum) const {
    return activate(activations[which], bounded(sum, -sizes.clip, sizes.clip));
  }
};

template <typename T>
__device__ void read_initial(const T* initial, int64_t at, int64_t hidden, double* state) {
  for (int64_t j = threadIdx.x; j < hidden; j += blockDim.x) state[j] = initial != nullptr ? initial[at + j] : T{0};
}

template <typename T>
__device__ void write_row(T* out, int64_t at, int64_t hidden, const double* state) {
  if (out == nullptr) return;
  for (int64_t j = threadIdx.x; j < hidden; j += blockDim.x) out[at + j] = static_cast<T>(state[j]);
}

// The scalar row's formulas (gru.cc, lstm.cc, rnn.cc) in its order of sums, in double: a block runs a sequence in one
// direction, a thread computes units, Step::run(cell, x) replaces the state by the next one and ends with a barrier.
// A step reads all weights, directions * gates * H * (D + H), from the L2 cache, by rows, so that a warp's loads are
// not coalesced: bound by these loads, some microseconds a step. For what the tiled kernel does not do. Checked against
// the formulas in float64.
template <typename T, typename Step>
__global__ void __launch_bounds__(kGeneralThreads) recurrent_general(__grid_constant__ const GeneralArguments<T> from) {
  start_in_order();
  const Recurrent& sizes = from.sizes;
  const RecurrentMemory<T>& memory = from.memory;
  memory.check_inputs(sizes, blockIdx.x, gridDim.x);
  for (int64_t item = blockIdx.x; item < sizes.batch * sizes.directions; item += gridDim.x) {
    const int64_t direction = item % sizes.directions;
    const int64_t n = item / sizes.directions;
    const GeneralCell<T> cell(from, direction);
    // Every index into an empty table is forbidden, and reported; there is no row that could be read in its place.
    const bool has_rows = memory.numbers == nullptr || sizes.vocabulary > 0;
    const int64_t length = has_rows ? memory.length_of(sizes, n) : 0;
    const int64_t at = sizes.state_at(direction, n);
    read_initial(memory.initial_h, at, sizes.hidden, cell.h);
    read_initial(memory.initial_c, at, sizes.hidden, cell.c);
    __syncthreads();
    for (int64_t i = 0; i < length; ++i) {
      const int64_t t = sizes.runs_backwards(direction) ? length - 1 - i : i;
      const int64_t row = sizes.x_at(t, n);
      Step::run(cell, memory.table != nullptr ? memory.table + memory.table_row(sizes, row) * sizes.features
                                              : memory.x + row * sizes.features);
      write_row(memory.y, sizes.y_at(t, direction, n), sizes.hidden, cell.h);
    }
    for (int64_t t = length; memory.y != nullptr && t < sizes.time; ++t) {
      for (int64_t j = threadIdx.x; j < sizes.hidden; j += blockDim.x) {
        memory.y[sizes.y_at(t, direction, n) + j] = T{0};
      }
    }
    write_row(memory.last_h, at, sizes.hidden, cell.h);
    write_row(memory.last_c, at, sizes.hidden, cell.c);
  }
}

template <typename Step>
void launch_general(const OpCall& call) noexcept {
  const auto& plan = call.as<RecurrentDevicePlan>();
  const Launch how{.grid = dim3(static_cast<unsigned>(plan.blocks)), .block = dim3(kGeneralThreads)};
  auto* states = reinterpret_cast<double*>(call.scratch);
  if (call.inputs[kW].dtype == DType::kFloat32) {
    launch(call, recurrent_general<float, Step>, how,
           GeneralArguments<float>{plan.sizes, RecurrentMemory<float>(call), states});
  } else {
    launch(call, recurrent_general<double, Step>, how,
           GeneralArguments<double>{plan.sizes, RecurrentMemory<double>(call), states});
  }
}

}  // namespace slipway::cuda
