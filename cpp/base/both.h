// Marks functions that run on the host and on a CUDA device.
#pragma once

#if defined(__CUDACC__)
#define SLIPWAY_BOTH __host__ __device__
#else
#define SLIPWAY_BOTH
#endif
