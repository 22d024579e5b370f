// The command line of slipway-infer.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/shape.h"
#include "infer/engine.h"

namespace slipway::infer {

enum class Action { kPredict, kHelp, kVersion, kSelftest };

struct Arguments {
  Action action = Action::kPredict;
  std::string model;
  std::vector<std::string> inputs;  ///< [name=]FILE.npy
  std::vector<std::string> images;
  std::vector<std::string> texts;
  std::vector<std::string> tables;
  bool random = false;
  uint64_t seed = 0;
  std::map<std::string, Shape> shapes;
  EngineOptions engine;
  int top = 1;
  bool json = false;
  std::string output;
  std::string output_folder;
  int iterations = 0;  ///< 0: no measuring
  int warmup = 10;

  [[nodiscard]] bool has_source() const noexcept {
    return random || !inputs.empty() || !images.empty() || !texts.empty() || !tables.empty();
  }
};

/// Reads the arguments after the program's name. Throws Error(kUsage).
[[nodiscard]] Arguments parse_arguments(const std::vector<std::string>& arguments);

/// The text of --help.
[[nodiscard]] std::string usage();

}  // namespace slipway::infer
