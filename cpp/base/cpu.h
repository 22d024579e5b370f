// Which instruction sets this processor has, and which one the kernels use.
#pragma once

#include <array>
#include <string_view>

namespace slipway {

/// Columns of kernels. kScalar is the meaning; the next ones are the same source compiled per instruction set; kCuda
/// stands for the plugin's. kAmx is kAvx512 with large products on units for bfloat16 (simd/split.h); only
/// who asks for it gets it.
enum class Isa : int { kScalar, kBaseline, kAvx2, kAvx512, kAmx, kNeon, kCuda };
inline constexpr int kIsaCount = 6;  ///< of the processor

/// "scalar", "baseline", "avx2", "avx512", "amx", "neon", "cuda".
[[nodiscard]] std::string_view name_of(Isa isa) noexcept;
/// The instruction set of that name; Error(kUsage) where there is none, Error(kUnavailable) where it cannot run here.
[[nodiscard]] Isa isa_named(std::string_view name);
/// True where this build holds the column and this processor can run it; not for kCuda.
[[nodiscard]] bool can_run(Isa isa) noexcept;
/// The fastest that can run, of those that nobody needs to ask for; the environment variable SLIPWAY_ISA chooses
/// another (Error(kUsage) if it cannot run).
[[nodiscard]] Isa choose_isa();
/// True where units compute 512 bits at once: half of such a vector takes one as long as the whole. Where they are
/// narrower (AMD's before Zen 5), a whole one takes two of their turns. SLIPWAY_WIDE_UNITS=0 or 1 in the environment
/// says otherwise, for tests: it decides for what is faster, not for results.
[[nodiscard]] bool has_wide_units() noexcept;
/// What computes on the processor where kernels are those of `isa`: itself, or scalar beside kCuda.
[[nodiscard]] constexpr Isa host_isa(Isa isa) noexcept { return isa == Isa::kCuda ? Isa::kScalar : isa; }

}  // namespace slipway
