// onnxruntime behind the same face as slipway::Session: its shared library is opened at run time and spoken to through
// its C ABI. Nothing of onnxruntime is needed to build this.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "slipway/slipway.h"

namespace slipway::ort {

struct Options {
  std::string library;               ///< file to open; empty: SLIPWAY_ORT_LIBRARY, then the usual places
  std::vector<std::string> folders;  ///< more folders in which the library may be
  int threads = 1;
};

/// A model loaded by onnxruntime, on the CPU. Safe to use from many threads at once.
class Session final {
 public:
  /// Throws Error(kUnavailable) where no library can be opened, Error(kModel) where it refuses the model.
  [[nodiscard]] static Session open(const std::string& model, const Options& options);

  [[nodiscard]] const std::vector<PortInfo>& inputs() const noexcept;
  [[nodiscard]] const std::vector<PortInfo>& outputs() const noexcept;
  [[nodiscard]] const std::map<std::string, std::string, std::less<>>& metadata() const noexcept;
  /// "1.31.1".
  [[nodiscard]] const std::string& library_version() const noexcept;

  /// Inputs in order of inputs(). Throws Error(kFault) with onnxruntime's own message.
  [[nodiscard]] std::vector<Tensor> run(std::span<const TensorView> inputs) const;

 private:
  struct State;
  explicit Session(std::shared_ptr<const State> state) noexcept : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace slipway::ort
