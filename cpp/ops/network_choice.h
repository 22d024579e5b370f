// How a network's stages are launched: images of a block, blocks of a cluster, threads, which of both kernels.
#pragma once

#include <string>

namespace slipway {

class CudaDevice;
struct OwnedNetworkStages;

/// Sets everything that depends on the choice, by counted work; returns what was chosen and why. Throws NetworkUnfit
/// where an image does not fit a block's memory.
[[nodiscard]] std::string choose_network_launch(OwnedNetworkStages& network, const CudaDevice& device);

}  // namespace slipway
