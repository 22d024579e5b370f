// How exactly a session keeps its weights; activations and sums are float32 in any case.
#pragma once

#include <string_view>

namespace slipway {

/// kBfloat16: rounded to the nearest of 8 significant bits. kInt8: a whole number of at most 127 times a scale per
/// output channel.
enum class Precision { kFloat32, kBfloat16, kInt8 };
inline constexpr int kPrecisionCount = 3;
/// The most steps of a channel's scale, which its largest weight has.
inline constexpr float kInt8Steps = 127.0F;

/// "fp32", "bf16", "int8".
[[nodiscard]] constexpr std::string_view name_of(Precision precision) noexcept {
  switch (precision) {
    case Precision::kBfloat16:
      return "bf16";
    case Precision::kInt8:
      return "int8";
    case Precision::kFloat32:
      break;
  }
  return "fp32";
}

}  // namespace slipway
