# Decides whether the CUDA plugin is built; slipway_cuda_state says what was decided and why.
# The tree holds no CUDA kernels yet, so that AUTO comes to OFF and ON is refused.

if(SLIPWAY_CUDA STREQUAL "ON")
  message(FATAL_ERROR "SLIPWAY_CUDA=ON: this version of slipway holds no CUDA kernels; use AUTO or OFF")
elseif(SLIPWAY_CUDA STREQUAL "OFF")
  set(slipway_cuda_state "OFF (asked for)")
elseif(SLIPWAY_CUDA STREQUAL "AUTO")
  set(slipway_cuda_state "OFF (AUTO: this version of slipway holds no CUDA kernels)")
else()
  message(FATAL_ERROR "SLIPWAY_CUDA=${SLIPWAY_CUDA}: expected AUTO, ON or OFF")
endif()
