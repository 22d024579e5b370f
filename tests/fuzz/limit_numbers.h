// Numbers at which programs break.
#pragma once

#include <cstdint>
#include <limits>

namespace slipway::fuzz {

inline constexpr int64_t kLimits[] = {0,
                                      -1,
                                      1,
                                      int64_t{1} << 31,
                                      (int64_t{1} << 31) - 1,
                                      int64_t{1} << 32,
                                      int64_t{1} << 62,
                                      std::numeric_limits<int64_t>::max(),
                                      std::numeric_limits<int64_t>::min(),
                                      std::numeric_limits<int32_t>::min()};

inline constexpr double kRealLimits[] = {std::numeric_limits<double>::quiet_NaN(),
                                         std::numeric_limits<double>::infinity(),
                                         -std::numeric_limits<double>::infinity(),
                                         -0.0,
                                         std::numeric_limits<float>::max(),
                                         std::numeric_limits<float>::denorm_min(),
                                         0x1p31,
                                         0x1p63};

}  // namespace slipway::fuzz
