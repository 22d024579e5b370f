# The options of this build, printed once.

message(STATUS "slipway ${PROJECT_VERSION}")
message(STATUS "  SLIPWAY_PYTHON    ${SLIPWAY_PYTHON}")
message(STATUS "  SLIPWAY_TESTS     ${SLIPWAY_TESTS}")
message(STATUS "  SLIPWAY_FUZZ      ${SLIPWAY_FUZZ}")
message(STATUS "  SLIPWAY_CUDA      ${slipway_cuda_state}")
message(STATUS "  SLIPWAY_SANITIZE  ${SLIPWAY_SANITIZE}")
message(STATUS "  build type        ${CMAKE_BUILD_TYPE}")
