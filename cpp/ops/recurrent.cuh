// GRU, LSTM and RNN on a device: where their inputs and outputs lie, and what is forbidden.
#pragma once

#include "ops/launch.cuh"
#include "ops/recurrent_device.h"

namespace slipway::cuda {

/// The call's memory. Absent inputs and outputs are null.
template <typename T>
struct RecurrentMemory {
  const T* x = nullptr;           ///< rows, where there is no table
  const void* numbers = nullptr;  ///< of the table's rows, where there is one
  bool has_wide_numbers = false;  ///< int64, else int32
  const T* table = nullptr;
  const T* w = nullptr;
  const T* r = nullptr;
  const T* bias = nullptr;
  const int32_t* lengths = nullptr;
  const T* initial_h = nullptr;
  const T* initial_c = nullptr;
  const T* peepholes = nullptr;
  T* y = nullptr;
  T* last_h = nullptr;
  T* last_c = nullptr;
  DeviceFault* fault = nullptr;

  explicit RecurrentMemory(const OpCall& call) noexcept
      : table(input(call, kTable)),
        w(input(call, kW)),
        r(input(call, kR)),
        bias(input(call, kBias)),
        lengths(call.has_input(kLengths) ? call.inputs[kLengths].as<int32_t>() : nullptr),
        initial_h(input(call, kInitialH)),
        initial_c(input(call, kInitialC)),
        peepholes(input(call, kPeepholes)),
        y(output(call, kY)),
        last_h(output(call, kLastH)),
        last_c(output(call, kLastC)),
        fault(call.device_fault) {
    if (call.has_input(kTable)) {
      numbers = call.inputs[kX].data;
      has_wide_numbers = call.inputs[kX].dtype == DType::kInt64;
    } else {
      x = input(call, kX);
    }
  }

  [[nodiscard]] __device__ int64_t number_at(int64_t row) const {
    return has_wide_numbers ? static_cast<const int64_t*>(numbers)[row] : static_cast<const int32_t*>(numbers)[row];
  }
  /// The table's row that row `row` of X names; 0 where there is no such row.
  [[nodiscard]] __device__ int64_t table_row(const Recurrent& sizes, int64_t row) const {
    const int64_t number = number_at(row);
    const int64_t found = number < 0 ? number + sizes.vocabulary : number;
    return found >= 0 && found < sizes.vocabulary ? found : 0;
  }
  /// Number `row` of X as far as it fits 32 bits, and the table's row that such a number names: any where there is
  /// none.
  [[nodiscard]] __device__ int short_number_at(int row) const {
    return has_wide_numbers ? static_cast<int>(static_cast<const int64_t*>(numbers)[row])
                            : static_cast<const int32_t*>(numbers)[row];
  }
  [[nodiscard]] __device__ static int short_table_row(const Recurrent& sizes, int number) {
    const auto last = static_cast<unsigned>(sizes.vocabulary - 1);
    const auto row = static_cast<unsigned>(number < 0 ? number + static_cast<int>(sizes.vocabulary) : number);
    return static_cast<int>(row < last ? row : last);
  }
  /// Steps of sequence n; 0 where its length is forbidden.
  [[nodiscard]] __device__ int64_t length_of(const Recurrent& sizes, int64_t n) const {
    if (lengths == nullptr) return sizes.time;
    const int64_t length = lengths[n];
    return length >= 0 && length <= sizes.time ? length : 0;
  }
  /// Reports a length outside [0, T], or a number outside the table wherever it stands, as Gather has it. All threads
  /// of `count` blocks, of which this is number `block`, share the work.
  __device__ void check_inputs(const Recurrent& sizes, int64_t block, int64_t count) const {
    const int64_t first = block * blockDim.x + threadIdx.x;
    const int64_t stride = count * blockDim.x;
    for (int64_t n = first; lengths != nullptr && n < sizes.batch; n += stride) {
      const int64_t length = lengths[n];
      if (length < 0 || length > sizes.time) report(fault, DeviceFaultKind::kSequenceLength, length, 0, sizes.time);
    }
    for (int64_t i = first; numbers != nullptr && i < sizes.time * sizes.batch; i += stride) {
      const int64_t number = number_at(i);
      if (number >= -sizes.vocabulary && number < sizes.vocabulary) continue;
      report(fault, DeviceFaultKind::kIndex, number, -sizes.vocabulary, sizes.vocabulary - 1);
    }
  }

 private:
  static const T* input(const OpCall& call, std::size_t i) noexcept {
    return call.has_input(i) ? call.inputs[i].as<T>() : nullptr;
  }
  static T* output(const OpCall& call, std::size_t i) noexcept {
    return call.has_output(i) ? call.outputs[i].as<T>() : nullptr;
  }
};

struct OrderArguments {
  Recurrent sizes;  ///< T * N fits into an int
  RecurrentMemory<float> memory;
  int32_t* order;  ///< [N]: sequences, the longest first
  int32_t* rows;   ///< [T * N] at most: rows of X within their sequences; null: not wanted
  int32_t* count;  ///< of `rows`
};

/// Sorts the sequences by length, and lists the rows of X that lie within them.
void order_sequences(const OpCall& call, const OrderArguments& arguments) noexcept;

struct ProductArguments {
  Recurrent sizes;  ///< T * N fits into an int
  RecurrentMemory<float> memory;
  const int32_t* rows;   ///< of X, to be multiplied; null: all that lie within their sequences
  const int32_t* count;  ///< of `rows`
  float* sums;           ///< [T * N, directions, H, gates]
  bool has_vectors;      ///< rows of X, or of the table, and of W are aligned to 16 bytes, and of whole vectors
};

/// X W' + Wb, and + Rb but where GRU multiplies the state's sum by r.
void multiply_inputs(const OpCall& call, const ProductArguments& arguments) noexcept;

}  // namespace slipway::cuda
