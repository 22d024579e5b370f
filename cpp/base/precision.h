// How exactly a session computes. Values and sums are float32 in any case.
#pragma once

#include <string_view>

namespace slipway {

/// kBfloat16: weights are rounded to the nearest of 8 significant bits. kInt8: weights are a whole number of at most
/// 127 times a scale per output channel. kTf32: weights stay; where a CUDA device multiplies on tensor cores, it rounds
/// what it is given to 11 significant bits.
enum class Precision { kFloat32, kBfloat16, kInt8, kTf32 };
inline constexpr int kPrecisionCount = 4;
/// The most steps of a channel's scale, which its largest weight has.
inline constexpr float kInt8Steps = 127.0F;

/// "fp32", "bf16", "int8", "tf32".
[[nodiscard]] constexpr std::string_view name_of(Precision precision) noexcept {
  switch (precision) {
    case Precision::kBfloat16:
      return "bf16";
    case Precision::kInt8:
      return "int8";
    case Precision::kTf32:
      return "tf32";
    case Precision::kFloat32:
      break;
  }
  return "fp32";
}

}  // namespace slipway
