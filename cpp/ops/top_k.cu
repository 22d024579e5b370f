// TopK on CUDA.
#include "ops/lanes.cuh"
#include "ops/pack.cuh"
#include "ops/prepared.h"
#include "ops/types.h"
#include "ops/walk.h"

namespace slipway::cuda {

namespace {

/// Lines of `size` elements, `inner` apart, of which `k` are taken.
struct TopLines {
  int64_t count;
  int64_t size;
  int64_t inner;
  int64_t k;
  bool largest;
  Lanes lanes;
};

/// An element and its place in its line; -1 where there is none.
template <typename T>
struct Candidate {
  T value;
  int64_t place;
};

/// Whether `a` stands before `b` in the result; nothing does so after everything else. NaN counts as larger than
/// everything; of equals the first comes first.
template <typename T>
struct StandsBefore {
  bool largest;

  [[nodiscard]] __device__ bool operator()(Candidate<T> a, Candidate<T> b) const {
    if (a.place < 0 || b.place < 0) return a.place >= 0;
    const bool a_is_nan = a.value != a.value;
    const bool b_is_nan = b.value != b.value;
    if (a.value == b.value || (a_is_nan && b_is_nan)) return a.place < b.place;
    return (a_is_nan || (!b_is_nan && a.value > b.value)) == largest;
  }
};

/// The k largest or smallest elements of each line in order, and their places. 1 to 256 lanes per line; each of k
/// rounds finds the first of those that stand after the last one found, in a pass over the line. Reads each line k
/// times, but for the first from the cache where it fits; bound by rounds of some microseconds. Shared memory: 16 bytes
/// per thread, in order of the threads. 256 threads, 8 blocks per multiprocessor. Checked against the scalar column by
/// tests/ops.
template <typename T>
__global__ void __launch_bounds__(kLaneThreads)
    top_k_kernel(const TopLines lines, const T* __restrict__ x, T* __restrict__ y, int64_t* __restrict__ places) {
  start_in_order();
  SLIPWAY_SHARED(Candidate<T>, shared);
  const StandsBefore<T> stands_before{lines.largest};
  const auto first_of = [&](Candidate<T> a, Candidate<T> b) { return stands_before(b, a) ? b : a; };
  const Lanes& lanes = lines.lanes;
#pragma unroll 1
  for (int64_t first = static_cast<int64_t>(blockIdx.x) * lanes.lines(); first < lines.count;
       first += static_cast<int64_t>(gridDim.x) * lanes.lines()) {
    const int64_t line = first + lanes.line();
    const bool is_there = line < lines.count;
    const int64_t outer = line / lines.inner;
    const T* from = x + outer * lines.size * lines.inner + line % lines.inner;
    Candidate<T> last{T{0}, -1};
#pragma unroll 1
    for (int64_t round = 0; round < lines.k; ++round) {
      Candidate<T> next{T{0}, -1};
      for (int64_t i = lanes.lane(); is_there && i < lines.size; i += lanes.per_line) {
        const Candidate<T> own{from[i * lines.inner], i};
        if (round == 0 || stands_before(last, own)) next = first_of(next, own);
      }
      last = merge_lanes(shared, next, lanes, first_of);
      if (!is_there || lanes.lane() != 0) continue;
      const int64_t at = (outer * lines.k + round) * lines.inner + line % lines.inner;
      y[at] = last.value;
      if (places != nullptr) places[at] = last.place;
    }
  }
}

}  // namespace

void top_k(const OpCall& call) noexcept {
  const auto& prepared = call.as<TopKPrepared>();
  const Split x = split_at(call.inputs[0].shape, prepared.axis);
  const Split y = split_at(call.outputs[0].shape, prepared.axis);
  const int64_t count = y.outer * y.inner;
  if (y.axis * count == 0) return;
  const TopLines lines{count, x.axis, x.inner, y.axis, prepared.largest, lanes_for(count, x.axis, x.inner == 1)};
  dispatch(Numbers{}, call.inputs[0].dtype, [&]<typename T>() {
    launch(call, &top_k_kernel<T>, lanes_launch(count, lines.lanes, sizeof(Candidate<T>)), lines,
           call.inputs[0].as<T>(), call.outputs[0].as<T>(),
           call.has_output(1) ? call.outputs[1].as<int64_t>() : nullptr);
  });
}

}  // namespace slipway::cuda
