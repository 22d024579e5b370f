// Network on CUDA.
#include "ops/launch.cuh"
#include "ops/network.h"
#include "ops/network_nodes.h"

namespace slipway::cuda {

void network(const OpCall& call) noexcept {
  run_nodes(call, *call.as<NetworkCall>().nodes, [&](void* to, const void* from, int64_t bytes) {
    const cudaError_t error = cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes), cudaMemcpyDeviceToDevice,
                                              static_cast<cudaStream_t>(call.stream));
    if (error != cudaSuccess) call.report_device(cudaGetErrorString(error));
  });
}

}  // namespace slipway::cuda
