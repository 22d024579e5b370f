// The floating-point environment belongs to a thread, and programs change it: directed rounding, denormals flushed to
// zero, exceptions that trap. Kernels are written for the default one of IEEE 754, and every thread of a run needs one.
#pragma once

#include <cstdint>

namespace slipway {

/// While it lives its thread rounds to nearest, keeps denormals and does not trap; then it does again what it did
/// before. Threads that are started meanwhile begin so too.
class FloatScope final {
 public:
  FloatScope() noexcept : before_(read()) {
    if (is_changed()) write(kDefault);
  }
  ~FloatScope() {
    if (is_changed()) write(before_);
  }
  FloatScope(const FloatScope&) = delete;
  FloatScope& operator=(const FloatScope&) = delete;

 private:
  [[nodiscard]] bool is_changed() const noexcept { return (before_ & kSettings) != kDefault; }

#if defined(__x86_64__)
  using Word = unsigned;
  // MXCSR (Intel's manual, volume 1, 10.2.3): its lowest six bits are flags, 0x1F80 masks all exceptions.
  static constexpr Word kDefault = 0x1F80;
  static constexpr Word kSettings = 0xFFC0;
  [[nodiscard]] static Word read() noexcept { return __builtin_ia32_stmxcsr(); }
  static void write(Word word) noexcept { __builtin_ia32_ldmxcsr(word); }
#elif defined(__aarch64__)
  using Word = uint64_t;
  // FPCR (Arm's manual of the A-profile, C5.2.8): zero in a new process; flags are in another register.
  static constexpr Word kDefault = 0;
  static constexpr Word kSettings = ~Word{0};
  [[nodiscard]] static Word read() noexcept {
    Word word = 0;
    asm volatile("mrs %0, fpcr" : "=r"(word));
    return word;
  }
  static void write(Word word) noexcept { asm volatile("msr fpcr, %0" : : "r"(word)); }
#else
  using Word = unsigned;
  static constexpr Word kDefault = 0;
  static constexpr Word kSettings = 0;
  [[nodiscard]] static Word read() noexcept { return 0; }
  static void write(Word) noexcept {}
#endif

  Word before_;
};

}  // namespace slipway
