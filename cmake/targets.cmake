# Interface targets that our own targets link privately; whoever uses the library inherits nothing of them.

add_library(slipway_warnings INTERFACE)
if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
  target_compile_options(slipway_warnings INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor)
  # Warnings are errors, but an installation must not fail because a newer compiler knows more of them.
  if(NOT SKBUILD)
    target_compile_options(slipway_warnings INTERFACE -Werror)
  endif()
endif()

add_library(slipway_sanitizers INTERFACE)
if(SLIPWAY_FUZZ)
  # The engine says where it has been; the fuzz targets link the rest of libFuzzer.
  string(JOIN "," SLIPWAY_SANITIZE ${SLIPWAY_SANITIZE} fuzzer-no-link)
endif()
if(SLIPWAY_SANITIZE)
  target_compile_options(slipway_sanitizers INTERFACE -fsanitize=${SLIPWAY_SANITIZE} -fno-sanitize-recover=all
                                                      -fno-omit-frame-pointer -D_GLIBCXX_ASSERTIONS)
  target_link_options(slipway_sanitizers INTERFACE -fsanitize=${SLIPWAY_SANITIZE})
endif()
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release)
endif()

# Files are small and all include the same headers: a dozen together compile in a quarter to a half of the time. Those
# whose path matches `alone` are large and compile alone, beside each other on several cores.
function(slipway_together target alone)
  get_target_property(sources ${target} SOURCES)
  list(FILTER sources INCLUDE REGEX "${alone}")
  if(sources)
    set_source_files_properties(${sources} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 12)
  # A file included by another one is taken for a header, whose types should not hold what only it knows.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-Wno-subobject-linkage>)
  endif()
endfunction()
set(slipway_large_cuda "/(network|recurrent|conv|gemm|matmul|gru|lstm|rnn|embedded|cuda_plugin)[^/]*$")
