// Mean and variance of lines on CUDA.
#pragma once

#include "ops/lanes.cuh"
#include "ops/pack.cuh"
#include "ops/types.h"

namespace slipway::cuda {

struct LineMoments {
  double mean;
  double deviation;  ///< 1 / sqrt(variance + epsilon)
};

struct AddDoubles {
  [[nodiscard]] __device__ double operator()(double a, double b) const { return a + b; }
};

/// Of x[0 .. size), in double and two passes, in all lanes of the line; both NaN where size is 0. Reached by all
/// threads of the block; those without a line have `is_there` false.
template <typename T>
[[nodiscard]] __device__ LineMoments moments_of(double* shared, const T* x, int64_t size, bool is_there, double epsilon,
                                                const Lanes& lanes) {
  const int64_t end = is_there ? size : 0;
  double sum = 0;
  for (int64_t i = lanes.lane(); i < end; i += lanes.per_line) sum += static_cast<double>(x[i]);
  const double mean = merge_lanes(shared, sum, lanes, AddDoubles{}) / static_cast<double>(size);
  double squares = 0;
  for (int64_t i = lanes.lane(); i < end; i += lanes.per_line) {
    const double distance = static_cast<double>(x[i]) - mean;
    squares += distance * distance;
  }
  const double variance = merge_lanes(shared, squares, lanes, AddDoubles{}) / static_cast<double>(size);
  return {mean, 1 / std::sqrt(variance + epsilon)};
}

}  // namespace slipway::cuda
