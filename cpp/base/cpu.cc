#include "base/cpu.h"

#include <cstdlib>
#include <optional>

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(SLIPWAY_HAS_AMX) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "base/error.h"

namespace slipway {

namespace {

constexpr std::string_view kNames[] = {"scalar", "baseline", "avx2", "avx512", "amx", "neon", "cuda"};
constexpr std::string_view kExpected = ", expected scalar, baseline, avx2, avx512, amx or neon";

/// Of the processor's.
std::optional<Isa> find_isa(std::string_view name) noexcept {
  for (int i = 0; i < kIsaCount; ++i) {
    if (kNames[i] == name) return static_cast<Isa>(i);
  }
  return std::nullopt;
}

/// Whether the processor has it and the kernel lets this process use its registers: 8 KiB that every thread's state
/// grows by, so that they must be asked for (Documentation/arch/x86/xstate.rst of Linux).
bool has_amx() noexcept {
#if defined(SLIPWAY_HAS_AMX) && defined(__linux__)
  static const bool has = [] {
    constexpr unsigned kBfloat16 = 1U << 22U;
    constexpr unsigned kTile = 1U << 24U;
    constexpr int kAskPermission = 0x1023;
    constexpr int kTileData = 18;
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
    return (d & kBfloat16) != 0 && (d & kTile) != 0 && syscall(SYS_arch_prctl, kAskPermission, kTileData) == 0;
  }();
  return has;
#else
  return false;
#endif
}

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
    case Isa::kAmx:
      return can_run(Isa::kAvx512) && has_amx();
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

bool has_wide_units() noexcept {
  if (const char* wanted = std::getenv("SLIPWAY_WIDE_UNITS"); wanted != nullptr && *wanted != '\0') {
    return *wanted != '0';
  }
#if defined(__x86_64__)
  static const bool has = [] {
    constexpr unsigned kPerformance = 0x8000001AU;  // of AMD's manuals; others have no such leaf
    constexpr unsigned kFp512 = 1U << 3U;
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    if (__builtin_cpu_is("amd") == 0) return can_run(Isa::kAvx512);
    return __get_cpuid(kPerformance, &a, &b, &c, &d) != 0 && (a & kFp512) != 0;
  }();
  return has;
#else
  return false;
#endif
}

Isa isa_named(std::string_view name) {
  const std::optional<Isa> isa = find_isa(name);
  if (!isa) fail(Code::kUsage, "unknown instruction set ", quote(name), kExpected);
  if (!can_run(*isa)) fail(Code::kUnavailable, "instruction set ", name, " is not available on this processor");
  return *isa;
}

Isa choose_isa() {
  if (const char* wanted = std::getenv("SLIPWAY_ISA"); wanted != nullptr && *wanted != '\0') {
    const std::optional<Isa> isa = find_isa(wanted);
    if (!isa) fail(Code::kUsage, "SLIPWAY_ISA is ", quote(wanted), kExpected);
    if (!can_run(*isa)) fail(Code::kUsage, "SLIPWAY_ISA is ", wanted, ", which this build or processor does not have");
    return *isa;
  }
  for (const Isa isa : {Isa::kNeon, Isa::kAvx512, Isa::kAvx2}) {
    if (can_run(isa)) return isa;
  }
  return Isa::kBaseline;
}

}  // namespace slipway
