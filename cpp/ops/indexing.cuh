// Indices on CUDA: checked on every run, in the kernel that follows them.
#pragma once

#include "ops/index_walk.h"
#include "ops/move.cuh"

namespace slipway::cuda {

/// A list of int64 or int32, of which one pointer is set.
struct DeviceIndices {
  const int64_t* wide;
  const int32_t* narrow;

  explicit DeviceIndices(const TensorView& view) noexcept
      : wide(view.dtype == DType::kInt64 ? view.as<int64_t>() : nullptr),
        narrow(view.dtype == DType::kInt32 ? view.as<int32_t>() : nullptr) {}
  [[nodiscard]] __device__ int64_t operator[](int64_t i) const { return wide != nullptr ? wide[i] : narrow[i]; }
};

/// `index` made non-negative. One outside [-size, size) is reported, and -1 returned.
[[nodiscard]] __device__ inline int64_t checked_index(DeviceFault* fault, int64_t index, int64_t size) {
  if (index < -size || index >= size) {
    report(fault, DeviceFaultKind::kIndex, index, -size, size - 1);
    return -1;
  }
  return index < 0 ? index + size : index;
}

/// TupleIndex as a kernel's parameter.
struct DeviceTuples {
  const int64_t* indices;
  DeviceFault* fault;
  int64_t tuple;
  Divisor per_batch;
  bool has_large_count;
  int64_t batch_stride;
  int64_t sizes[kMaxRank];
  int64_t strides[kMaxRank];

  DeviceTuples(const OpCall& call, const TupleIndex& host) noexcept
      : indices(call.inputs[1].as<int64_t>()),
        fault(call.device_fault),
        tuple(host.tuple),
        per_batch(divisor_of(host.per_batch, is_large(host.count))),
        has_large_count(is_large(host.count)),
        batch_stride(host.batch_stride) {
    for (int k = 0; k < kMaxRank; ++k) {
      sizes[k] = host.sizes[static_cast<std::size_t>(k)];
      strides[k] = host.strides[static_cast<std::size_t>(k)];
    }
  }

  /// Place of row i's slice in data. An index out of range is reported, and -1 returned.
  [[nodiscard]] __device__ int64_t offset(int64_t i) const {
    int64_t at = divide(i, per_batch, has_large_count) * batch_stride;
#pragma unroll 1
    for (int64_t k = 0; k < tuple; ++k) {
      const int64_t index = checked_index(fault, indices[i * tuple + k], sizes[k]);
      if (index < 0) return -1;
      at += index * strides[k];
    }
    return at;
  }
};

}  // namespace slipway::cuda
