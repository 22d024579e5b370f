#include "ort/library.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "base/error.h"

namespace slipway::ort {

namespace {

namespace fs = std::filesystem;

/// Files in a folder whose name starts as the library's does ("libonnxruntime.so.1.31.1"), in order of name.
std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with("libonnxruntime.so") || (name.starts_with("libonnxruntime.") && name.ends_with(".dylib"))) {
      files.push_back(it->path().string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<std::string> candidates(const Options& options) {
  if (!options.library.empty()) return {options.library};
  if (const char* named = std::getenv("SLIPWAY_ORT_LIBRARY"); named != nullptr && *named != '\0') return {named};
  std::vector<std::string> names;
  for (const std::string& folder : options.folders) {
    const std::vector<std::string> files = files_in(folder);
    names.insert(names.end(), files.begin(), files.end());
  }
  names.insert(names.end(), {"libonnxruntime.so", "libonnxruntime.so.1", "libonnxruntime.dylib"});
  return names;
}

/// The base of the interface, or null with the reason.
const ApiBase* open_base(const std::string& file, std::string& reason) {
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (file.find('/') != std::string::npos && fs::exists(status) && !fs::is_regular_file(status)) {
    reason = file + " is not a file";  // a pipe would never open
    return nullptr;
  }
  void* handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* text = ::dlerror();
    reason = text != nullptr ? text : "it cannot be opened";
    return nullptr;
  }
  const auto get_base = reinterpret_cast<const ApiBase* (*)()>(::dlsym(handle, "OrtGetApiBase"));
  const ApiBase* base = get_base == nullptr ? nullptr : get_base();
  if (base == nullptr) reason = concat(file, " is not onnxruntime: it has no OrtGetApiBase");
  return base;
}

}  // namespace

Library open_library(const Options& options) {
  std::string reasons;
  for (const std::string& file : candidates(options)) {
    std::string reason;
    const ApiBase* base = open_base(file, reason);
    if (base == nullptr) {
      reasons += concat(reasons.empty() ? "" : "; ", reason);
      continue;
    }
    const std::string version = base->version();
    const void* api = base->get_api(kApiVersion);
    if (api == nullptr) {
      fail(Code::kUnavailable, "onnxruntime ", version, " (", file, ") is too old; version 1.", kApiVersion,
           " or newer is needed");
    }
    return {Api::from(api), version};
  }
  fail(Code::kUnavailable, "engine onnxruntime is not available: ", quote(reasons, 600),
       "; name its library by --ort-library FILE or SLIPWAY_ORT_LIBRARY");
}

}  // namespace slipway::ort
