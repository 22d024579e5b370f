// The CUDA kernel that takes images through a whole network. For .cu files.
#pragma once

#include "ops/call.h"
#include "ops/network_stage.h"

namespace slipway::cuda {

/// Inputs and outputs are those of the call.
void run_network_stages(const OpCall& call, const NetworkStages& prepared) noexcept;

}  // namespace slipway::cuda
