// Outputs that may stand in the memory of an input.
#pragma once

#include "plan/plan.h"

namespace slipway {

/// What Plan::updates says, of a plan that has its places.
[[nodiscard]] std::vector<Update> find_updates(const Plan& plan);

}  // namespace slipway
