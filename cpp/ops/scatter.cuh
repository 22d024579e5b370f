// What ScatterElements and ScatterND share on CUDA: updates that meet are taken in their order.
//
// Updates fall into lines, so that those of different lines never meet. Places is a struct with lines, size (updates of
// a line), element(line) (what is added to a place), update(line, i) (its number) and place(line, i), which reports an
// index out of range and then gives -1.
#pragma once

#include "ops/indexing.cuh"
#include "ops/lanes.cuh"

namespace slipway::cuda {

/// One update as the lanes of its line see it.
template <typename T>
struct ScatterSlot {
  int64_t place;
  T value;
};

/// Combines the updates of a tile into y: the first of those that meet takes them all, in order.
template <typename T>
__device__ void take_updates(const ScatterSlot<T>* shared, int64_t place, const Lanes& lanes, Reduction reduction,
                             T* y) {
  const int lane = lanes.lane();
  bool is_first = place >= 0;
  for (int other = 0; other < lane; ++other) {
    is_first = is_first && shared[lanes.thread_of(other)].place != place;
  }
  if (!is_first) return;
  T value = y[place];
  for (int other = lane; other < lanes.per_line; ++other) {
    const ScatterSlot<T>& slot = shared[lanes.thread_of(other)];
    if (slot.place == place) combine(reduction, value, slot.value);
  }
  y[place] = value;
}

/// y[place(u)] = y[place(u)] combined with u, for the updates u of every line in order. 1 to 256 lanes per line take as
/// many updates at a time, and settle in shared memory which of them meet: as many reads as there are lanes, for each.
/// Bound by that, or by the sectors of 32 bytes in which places lie.
/// Shared memory: 16 bytes per thread, in order of the threads. 256 threads, 8 blocks per multiprocessor.
/// Checked against the scalar column by tests/ops.
template <typename T, typename Places>
__global__ void __launch_bounds__(kLaneThreads)
    scatter_kernel(const __grid_constant__ Places places, const Lanes lanes, Reduction reduction,
                   const T* __restrict__ updates, T* y) {
  start_in_order();
  SLIPWAY_SHARED(ScatterSlot<T>, shared);
#pragma unroll 1
  for (int64_t first = static_cast<int64_t>(blockIdx.x) * lanes.lines(); first < places.lines;
       first += static_cast<int64_t>(gridDim.x) * lanes.lines()) {
    const int64_t line = first + lanes.line();
#pragma unroll 1
    for (int64_t tile = 0; tile < places.size; tile += lanes.per_line) {
      const int64_t i = tile + lanes.lane();
      ScatterSlot<T> own{-1, T{0}};
      if (line < places.lines && i < places.size) {
        own.place = places.place(line, i);
        if (own.place >= 0) own.place += places.element(line);
        own.value = updates[places.update(line, i)];
      }
      shared[threadIdx.x] = own;
      __syncthreads();
      take_updates(shared, own.place, lanes, reduction, y);
      __syncthreads();
    }
  }
}

/// dispatch() to the type that `reduction` needs: what is only moved needs no more than its storage.
template <typename F>
void dispatch_reduction(Reduction reduction, DType dtype, const F& f) noexcept {
  if (reduction == Reduction::kNone) return dispatch_element(dtype, f);
  dispatch(Numbers{}, dtype, f);
}

/// y = data, then the updates.
template <typename Places>
void scatter(const OpCall& call, Reduction reduction, const Places& places) noexcept {
  copy_all(call, call.inputs[0].data);
  if (places.lines * places.size == 0) return;
  const Lanes lanes = lanes_for(places.lines, 4 * places.size, places.is_near);
  dispatch_reduction(reduction, call.inputs[0].dtype, [&]<typename T>() {
    Launch how = lanes_launch(places.lines, lanes, 0);
    how.shared_bytes = kLaneThreads * static_cast<int64_t>(sizeof(ScatterSlot<T>));
    launch(call, &scatter_kernel<T, Places>, how, places, lanes, reduction, call.inputs[2].as<T>(),
           call.outputs[0].as<T>());
  });
}

}  // namespace slipway::cuda
