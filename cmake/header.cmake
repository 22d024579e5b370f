# Writes the installed slipway/slipway.h: the public header with the headers of the engine that it includes, so that a
# user has one file and no include folder of ours can hide one of theirs.

# In an order in which each comes after those that it includes.
set(slipway_header_parts
    cpp/base/error.h
    cpp/base/dtype.h
    cpp/base/shape.h
    cpp/base/view.h
    cpp/base/tensor.h
    cpp/base/outputs.h
    cpp/graph/dim.h
    cpp/include/slipway/slipway.h)

function(slipway_write_header file)
  set(text "// slipway ${PROJECT_VERSION} for C++20, made from the headers of its sources. C programs include slipway/c.h.\n")
  string(APPEND text "#pragma once\n")
  foreach(part IN LISTS slipway_header_parts)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${part})
    file(READ ${PROJECT_SOURCE_DIR}/${part} content)
    string(REGEX REPLACE "#pragma once\n|#include \"[^\n]*\n" "" content "${content}")
    string(APPEND text "\n${content}")
  endforeach()
  file(GENERATE OUTPUT ${file} CONTENT "${text}")
endfunction()
