// ScatterND on CUDA.
#include "ops/scatter.cuh"

namespace slipway::cuda {

namespace {

/// Line k holds element k of every slice.
struct TuplePlaces {
  DeviceTuples tuples;
  int64_t lines;
  int64_t size;
  bool is_near;

  [[nodiscard]] __device__ int64_t element(int64_t line) const { return line; }
  [[nodiscard]] __device__ int64_t update(int64_t line, int64_t i) const { return i * lines + line; }
  [[nodiscard]] __device__ int64_t place(int64_t, int64_t i) const { return tuples.offset(i); }
};

}  // namespace

void scatter_nd(const OpCall& call) noexcept {
  const auto& prepared = call.as<ScatterNdPrepared>();
  const TupleIndex& tuples = prepared.tuples;
  scatter(call, prepared.reduction,
          TuplePlaces{DeviceTuples(call, tuples), tuples.slice, tuples.count, tuples.slice == 1});
}

}  // namespace slipway::cuda
