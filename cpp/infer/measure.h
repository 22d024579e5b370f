// --iterations: the latency of one batch.
#pragma once

#include <vector>

#include "infer/arguments.h"
#include "infer/engine.h"

namespace slipway::infer {

/// Runs the warm-up, then the iterations, one after the other, and prints percentiles (with --json a row as in
/// `slipway bench`). `batch` is the number of entries, 0 where the model does not say.
void measure(const Engine& engine, const std::vector<Tensor>& inputs, int64_t batch, const Arguments& arguments);

}  // namespace slipway::infer
