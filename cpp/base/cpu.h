// Which instruction sets this processor has, and which one the kernels use.
#pragma once

#include <array>
#include <string_view>

namespace slipway {

/// Columns of kernels. kScalar is the meaning; the next ones are the same source compiled per instruction set; kCuda
/// stands for the plugin's.
enum class Isa : int { kScalar, kBaseline, kAvx2, kAvx512, kNeon, kCuda };
inline constexpr int kIsaCount = 5;  ///< of the processor

/// "scalar", "baseline", "avx2", "avx512", "neon", "cuda".
[[nodiscard]] std::string_view name_of(Isa isa) noexcept;
/// The instruction set of that name; Error(kUsage) where there is none, Error(kUnavailable) where it cannot run here.
[[nodiscard]] Isa isa_named(std::string_view name);
/// True where this build holds the column and this processor can run it; not for kCuda.
[[nodiscard]] bool can_run(Isa isa) noexcept;
/// The fastest that can run; the environment variable SLIPWAY_ISA chooses another (Error(kUsage) if it cannot run).
[[nodiscard]] Isa choose_isa();
/// What computes on the processor where kernels are those of `isa`: itself, or scalar beside kCuda.
[[nodiscard]] constexpr Isa host_isa(Isa isa) noexcept { return isa == Isa::kCuda ? Isa::kScalar : isa; }

}  // namespace slipway
