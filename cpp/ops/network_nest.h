// Concatenations that grow: layer by layer, of all that the layers before have made (Huang et al. 2017, "Densely
// Connected Convolutional Networks").
#pragma once

#include "ops/network_items.h"

namespace slipway {

/// A concatenation that another one begins with becomes some of its channels, so that nothing is copied from one to the
/// other. Where lanes would not be whole vectors, it stays as it is.
void nest_concats(NetworkItems& items);

}  // namespace slipway
