// Atomic functions, for the types that CUDA has them for; each gives the value from before. True atomics: kernels of
// several host threads may meet in one word.
#pragma once

namespace slipway::emulation {

template <typename T, typename F>
T change(T* address, const F& f) {
  T before;
  __atomic_load(address, &before, __ATOMIC_RELAXED);
  T after = f(before);
  while (!__atomic_compare_exchange(address, &before, &after, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    after = f(before);
  }
  return before;
}

}  // namespace slipway::emulation

#define SLIPWAY_ATOMIC(name, T, formula)                                                 \
  inline T name(T* address, T value) {                                                   \
    return slipway::emulation::change(address, [value](T old) -> T { return formula; }); \
  }
#define SLIPWAY_ATOMIC_OF_WHOLE(T)                        \
  SLIPWAY_ATOMIC(atomicMax, T, old < value ? value : old) \
  SLIPWAY_ATOMIC(atomicMin, T, value < old ? value : old) \
  SLIPWAY_ATOMIC(atomicAnd, T, old& value)                \
  SLIPWAY_ATOMIC(atomicOr, T, old | value)                \
  SLIPWAY_ATOMIC(atomicXor, T, old ^ value)
SLIPWAY_ATOMIC_OF_WHOLE(int)
SLIPWAY_ATOMIC_OF_WHOLE(unsigned)
SLIPWAY_ATOMIC_OF_WHOLE(long long)
SLIPWAY_ATOMIC_OF_WHOLE(unsigned long long)
#undef SLIPWAY_ATOMIC_OF_WHOLE
// Sums of ints wrap around on the device.
SLIPWAY_ATOMIC(atomicAdd, int, static_cast<int>(static_cast<unsigned>(old) + static_cast<unsigned>(value)))
SLIPWAY_ATOMIC(atomicAdd, unsigned, old + value)
SLIPWAY_ATOMIC(atomicAdd, unsigned long long, old + value)
SLIPWAY_ATOMIC(atomicAdd, float, old + value)
SLIPWAY_ATOMIC(atomicAdd, double, old + value)
SLIPWAY_ATOMIC(atomicSub, int, static_cast<int>(static_cast<unsigned>(old) - static_cast<unsigned>(value)))
SLIPWAY_ATOMIC(atomicSub, unsigned, old - value)
SLIPWAY_ATOMIC(atomicExch, int, (static_cast<void>(old), value))
SLIPWAY_ATOMIC(atomicExch, unsigned, (static_cast<void>(old), value))
SLIPWAY_ATOMIC(atomicExch, unsigned long long, (static_cast<void>(old), value))
SLIPWAY_ATOMIC(atomicExch, float, (static_cast<void>(old), value))
SLIPWAY_ATOMIC(atomicInc, unsigned, old >= value ? 0 : old + 1)
SLIPWAY_ATOMIC(atomicDec, unsigned, old == 0 || old > value ? value : old - 1)
#undef SLIPWAY_ATOMIC

#define SLIPWAY_ATOMIC_SWAP(T)                                                                        \
  inline T atomicCAS(T* address, T expected, T value) {                                               \
    __atomic_compare_exchange(address, &expected, &value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED); \
    return expected;                                                                                  \
  }
SLIPWAY_ATOMIC_SWAP(int)
SLIPWAY_ATOMIC_SWAP(unsigned)
SLIPWAY_ATOMIC_SWAP(unsigned long long)
#undef SLIPWAY_ATOMIC_SWAP
