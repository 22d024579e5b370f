// The CUDA runtime as kernels and their launchers see it, on the CPU: with this folder first on the include path g++
// compiles .cu files (-x c++ -DSLIPWAY_EMULATION), and their threads run as fibers of the calling host thread.
//
// SLIPWAY_EMULATION_ORDER says in which order they run (order.h). A failure names kernel, block, thread and place. Not
// seen are speed, registers, banks, the errors of approximate units, memory that is seen late, __launch_bounds__, and
// addresses of the host inside of structs.
//
// What is not declared here or in the files below is not covered, and does not compile: static __shared__ arrays,
// __constant__ memory, textures, dynamic parallelism, cooperative_groups, PTX outside of primitives.cuh.
#pragma once

#if !defined(SLIPWAY_EMULATION)
#error "tests/emulation needs -DSLIPWAY_EMULATION"
#endif

// libstdc++ writes __attribute__((__noinline__)): it has to come before the word becomes a macro.
#include <memory>

#define __global__
#define __device__
#define __host__
#define __grid_constant__
#define __launch_bounds__(...)
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __align__(bytes) __attribute__((aligned(bytes)))

#include "cuda_atomics.h"
#include "cuda_host.h"
#include "cuda_launch.h"
#include "cuda_math.h"
#include "cuda_threads.h"
#include "cuda_vectors.h"
