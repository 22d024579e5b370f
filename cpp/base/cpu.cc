#include "base/cpu.h"

#include <cstdlib>

#include "base/error.h"

namespace slipway {

namespace {

constexpr std::string_view kNames[] = {"scalar", "baseline", "avx2", "avx512", "neon", "cuda"};

}  // namespace

std::string_view name_of(Isa isa) noexcept { return kNames[static_cast<int>(isa)]; }

bool can_run(Isa isa) noexcept {
  switch (isa) {
    case Isa::kScalar:
    case Isa::kBaseline:
      return true;
    case Isa::kAvx2:
#if defined(SLIPWAY_HAS_AVX)
      return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
#else
      return false;
#endif
    case Isa::kAvx512:
#if defined(SLIPWAY_HAS_AVX)
      return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
             __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
#else
      return false;
#endif
    case Isa::kNeon:
#if defined(SLIPWAY_HAS_NEON)
      return true;
#else
      return false;
#endif
    case Isa::kCuda:
      return false;
  }
  return false;
}

Isa isa_named(std::string_view name) {
  for (int i = 0; i < kIsaCount; ++i) {
    const auto isa = static_cast<Isa>(i);
    if (name_of(isa) != name) continue;
    if (!can_run(isa)) fail(Code::kUnavailable, "instruction set ", name, " is not available on this processor");
    return isa;
  }
  fail(Code::kUsage, "unknown instruction set ", quote(name), ", expected scalar, baseline, avx2, avx512 or neon");
}

Isa choose_isa() {
  if (const char* wanted = std::getenv("SLIPWAY_ISA"); wanted != nullptr && *wanted != '\0') {
    for (int i = 0; i < kIsaCount; ++i) {
      if (kNames[i] != wanted) continue;
      if (can_run(static_cast<Isa>(i))) return static_cast<Isa>(i);
      fail(Code::kUsage, "SLIPWAY_ISA is ", wanted, ", which this build or processor does not have");
    }
    fail(Code::kUsage, "SLIPWAY_ISA is ", quote(wanted), ", expected scalar, baseline, avx2, avx512 or neon");
  }
  for (const Isa isa : {Isa::kNeon, Isa::kAvx512, Isa::kAvx2}) {
    if (can_run(isa)) return isa;
  }
  return Isa::kBaseline;
}

}  // namespace slipway
