// Finding and opening onnxruntime's shared library.
#pragma once

#include "ort/api.h"
#include "ort/ort.h"

namespace slipway::ort {

struct Library {
  Api api = {};
  std::string version;
};

/// Opens the library named by the options, else by SLIPWAY_ORT_LIBRARY, else from the options' folders, else by the
/// loader's own search. It stays open until the program ends. Throws Error(kUnavailable) listing what was tried.
[[nodiscard]] Library open_library(const Options& options);

}  // namespace slipway::ort
