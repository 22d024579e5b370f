#include "exec/peak.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "base/cpu.h"
#include "base/error.h"

namespace slipway {

// Of simd/peak_simd.cc, once per instruction set.
#define SLIPWAY_DECLARE_PEAKS(isa)                                                                          \
  namespace isa {                                                                                           \
  int64_t peak_multiply_add(float* x, int64_t n) noexcept;                                                  \
  int64_t peak_read(float* x, int64_t n) noexcept;                                                          \
  int64_t peak_sigmoid(float* x, int64_t n) noexcept;                                                       \
  int64_t peak_tanh(float* x, int64_t n) noexcept;                                                          \
  constexpr int64_t (*kPeaks[])(float*, int64_t) noexcept = {&peak_multiply_add, &peak_read, &peak_sigmoid, \
                                                             &peak_tanh};                                   \
  }
SLIPWAY_DECLARE_PEAKS(baseline)
#if defined(SLIPWAY_HAS_AVX)
SLIPWAY_DECLARE_PEAKS(avx2)
SLIPWAY_DECLARE_PEAKS(avx512)
#elif defined(SLIPWAY_HAS_NEON)
SLIPWAY_DECLARE_PEAKS(neon)
#endif
#undef SLIPWAY_DECLARE_PEAKS

namespace {

using Clock = std::chrono::steady_clock;
using PeakLoop = int64_t (*)(float*, int64_t) noexcept;

/// Values that every loop's step divides.
constexpr int64_t kStep = 128;
/// Work between two looks at the clock, in values or steps: some tens of microseconds.
constexpr int64_t kBetweenLooks = int64_t{1} << 16;
constexpr int64_t kGateValues = 2048;

PeakLoop loop_of(Peak what, Isa isa) {
  const auto i = static_cast<std::size_t>(what);
#if defined(SLIPWAY_HAS_AVX)
  if (isa == Isa::kAvx512 || isa == Isa::kAmx) return avx512::kPeaks[i];
  if (isa == Isa::kAvx2) return avx2::kPeaks[i];
#elif defined(SLIPWAY_HAS_NEON)
  if (isa == Isa::kNeon) return neon::kPeaks[i];
#endif
  if (isa == Isa::kScalar) fail(Code::kUnavailable, "the scalar kernels have no peak");
  return baseline::kPeaks[i];
}

double rate_of(PeakLoop loop, float* x, int64_t count, int64_t repeats, double seconds) {
  loop(x, count);
  int64_t done = 0;
  const Clock::time_point start = Clock::now();
  double passed = 0;
  while (passed < seconds) {
    for (int64_t i = 0; i < repeats; ++i) done += loop(x, count);
    passed = std::chrono::duration<double>(Clock::now() - start).count();
  }
  return static_cast<double>(done) / passed;
}

}  // namespace

double measure_peak(Peak what, int64_t bytes, double seconds, int threads) {
  if (threads < 1 || threads > 256) fail(Code::kUsage, "threads: got ", threads, ", expected 1 to 256");
  if (!(seconds > 0 && seconds <= 60))
    fail(Code::kUsage, "seconds: got ", seconds, ", expected more than 0, at most 60");
  if (bytes < 1 || bytes > (int64_t{1} << 32)) fail(Code::kUsage, "bytes: got ", bytes, ", expected 1 to 2^32");
  const PeakLoop loop = loop_of(what, choose_isa());
  const int64_t values = (bytes / static_cast<int64_t>(sizeof(float)) + kStep - 1) / kStep * kStep;
  const int64_t count = what == Peak::kRead ? values : kGateValues;
  const int64_t repeats = std::max<int64_t>(1, kBetweenLooks / count);

  std::vector<double> rates(static_cast<std::size_t>(threads));
  std::atomic<int> waiting{threads};
  const auto work = [&](std::size_t i) {
    // 64 bytes more than needed, so that the first value can stand at the start of a cache line.
    std::vector<float> memory(static_cast<std::size_t>((what == Peak::kRead ? 1 : 2) * count + 16));
    const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
    float* x = memory.data() + (64 - address % 64) % 64 / sizeof(float);
    if (what == Peak::kMultiplyAdd) x[0] = x[1] = 0.5f;  // every chain goes to 1: no denormals, no infinities
    waiting.fetch_sub(1);
    while (waiting.load() > 0) std::this_thread::yield();
    rates[i] = rate_of(loop, x, count, repeats, seconds);
  };
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back(work, static_cast<std::size_t>(i));
  work(0);
  for (std::thread& thread : others) thread.join();
  double sum = 0;
  for (const double rate : rates) sum += rate;
  return sum;
}

}  // namespace slipway
