// Measures what this machine can do at most, for the floor of a benchmark.
#pragma once

#include <cstdint>

namespace slipway {

enum class Peak { kMultiplyAdd, kRead, kSigmoid, kTanh };

/// Returns the rate of all threads together: floating-point operations, bytes or values per second.
///
/// Every thread works on `bytes` bytes of its own for about `seconds`; only kRead depends on `bytes`. Uses the kernels
/// of choose_isa(). Throws Error(kUsage) where an argument is out of its range.
[[nodiscard]] double measure_peak(Peak what, int64_t bytes, double seconds, int threads);

}  // namespace slipway
