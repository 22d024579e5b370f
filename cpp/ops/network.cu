// Network on CUDA.
#include "ops/launch.cuh"
#include "ops/network.h"
#include "ops/network_block.h"
#include "ops/network_nodes.h"

namespace slipway::cuda {

void network(const OpCall& call) noexcept {
  const auto& network = call.as<NetworkCall>();
  if (network.stages != nullptr) return run_network_stages(call, *network.stages);
  run_nodes(call, *network.nodes, [&](void* to, const void* from, int64_t bytes) {
    const cudaError_t error = cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes), cudaMemcpyDeviceToDevice,
                                              static_cast<cudaStream_t>(call.stream));
    if (error != cudaSuccess) call.report_device(cudaGetErrorString(error));
  });
}

}  // namespace slipway::cuda
