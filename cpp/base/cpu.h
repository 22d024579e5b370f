// Which instruction sets this processor has, and which one the kernels use.
#pragma once

#include <array>
#include <string_view>

namespace slipway {

/// Columns of kernels. kScalar is the meaning; the others are the same source compiled per instruction set.
enum class Isa : int { kScalar, kBaseline, kAvx2, kAvx512, kNeon };
inline constexpr int kIsaCount = 5;

/// "scalar", "baseline", "avx2", "avx512", "neon".
[[nodiscard]] std::string_view name_of(Isa isa) noexcept;
/// True where this build holds the column and this processor can run it.
[[nodiscard]] bool can_run(Isa isa) noexcept;
/// The fastest that can run; the environment variable SLIPWAY_ISA chooses another (Error(kUsage) if it cannot run).
[[nodiscard]] Isa choose_isa();

}  // namespace slipway
