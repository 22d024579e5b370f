// Runs the threads of a grid, one after another, on the calling host thread: a block at a time, or a cluster, or all
// blocks of a cooperative grid. A thread runs until it waits for others or ends; order.h says who goes on then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "cuda_vectors.h"

namespace slipway::emulation {

/// A kernel about to run; its limits are checked.
struct Grid {
  const void* kernel = nullptr;  ///< its address, for messages
  dim3 blocks;
  dim3 threads;
  std::size_t shared_bytes = 0;
  unsigned cluster = 1;  ///< blocks of a cluster, along x
  bool is_cooperative = false;
  void (*run)(const void* arguments) = nullptr;  ///< the kernel, for the current thread
  const void* arguments = nullptr;
};

/// Runs the grid; "" or what went wrong, after which no further block was run.
[[nodiscard]] std::string run_grid(const Grid& grid);

/// The kernel's name where the program's symbols tell it, else its address.
[[nodiscard]] std::string kernel_name(const void* kernel);

}  // namespace slipway::emulation
