// Sequences of GRU, LSTM and RNN by their lengths, and the rows of X that lie within them.
#include "ops/recurrent.cuh"

namespace slipway::cuda {

namespace {

constexpr int kOrderThreads = 1024;

/// The sum of the values of all threads before this one; *total of all. Uses kWarp ints of `shared`.
__device__ int sum_before(int value, int* shared, int* total) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  int sum = value;
  for (int by = 1; by < kWarp; by *= 2) {
    const int other = __shfl_up_sync(kAllLanes, sum, static_cast<unsigned>(by));
    sum += lane >= by ? other : 0;
  }
  __syncthreads();
  if (lane == kWarp - 1) shared[warp] = sum;
  __syncthreads();
  if (warp == 0) {
    int warps = shared[lane];
    for (int by = 1; by < kWarp; by *= 2) {
      const int other = __shfl_up_sync(kAllLanes, warps, static_cast<unsigned>(by));
      warps += lane >= by ? other : 0;
    }
    shared[lane] = warps;
  }
  __syncthreads();
  *total = shared[kWarp - 1];
  return sum - value + (warp > 0 ? shared[warp - 1] : 0);
}

// A counting sort by one block: kOrderThreads bins of lengths, one where T is smaller, the longest first. The order
// within a bin depends on the run, the results do not: a sequence's bits are the same in every tile. Moves 4 (2 N + T
// N) bytes at most; bound by latency, some 3 us. For batches of more tiles than run at once, where it halves the work.
__global__ void __launch_bounds__(kOrderThreads) recurrent_order(__grid_constant__ const OrderArguments from) {
  SLIPWAY_SHARED(int, bins);
  int* shared = bins + kOrderThreads;
  const Recurrent& sizes = from.sizes;
  const int thread = static_cast<int>(threadIdx.x);
  const int batch = static_cast<int>(sizes.batch);
  const auto bin_of = [&](int n) {
    const int64_t missing = sizes.time - from.memory.length_of(sizes, n);
    return static_cast<int>(sizes.time < kOrderThreads ? missing : missing * (kOrderThreads - 1) / sizes.time);
  };
  let_next_start();
  wait_for_previous();
  bins[thread] = 0;
  __syncthreads();
  for (int n = thread; n < batch; n += kOrderThreads) atomicAdd(&bins[bin_of(n)], 1);
  __syncthreads();
  int total = 0;
  const int first = sum_before(bins[thread], shared, &total);
  bins[thread] = first;
  __syncthreads();
  for (int n = thread; n < batch; n += kOrderThreads) from.order[atomicAdd(&bins[bin_of(n)], 1)] = n;
  __syncthreads();
  if (from.rows == nullptr) return;
  int done = 0;
  for (int base = 0; base < batch; base += kOrderThreads) {
    const int position = base + thread;
    const int n = position < batch ? from.order[position] : -1;
    const int length = n < 0 ? 0 : static_cast<int>(from.memory.length_of(sizes, n));
    int32_t* rows = from.rows + done + sum_before(length, shared, &total);
    for (int t = 0; t < length; ++t) rows[t] = static_cast<int32_t>(sizes.x_at(t, n));
    done += total;
  }
  if (thread == 0) *from.count = done;
}

}  // namespace

void order_sequences(const OpCall& call, const OrderArguments& arguments) noexcept {
  constexpr int64_t kInts = kOrderThreads + kWarp;
  launch(call, recurrent_order,
         {.grid = dim3(1), .block = dim3(kOrderThreads), .shared_bytes = kInts * static_cast<int64_t>(sizeof(int))},
         arguments);
}

}  // namespace slipway::cuda
