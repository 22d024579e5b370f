// The choice of what computes: the native engine or onnxruntime, behind one small interface.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "infer/signature.h"
#include "slipway/slipway.h"

namespace slipway::infer {

enum class EngineKind { kNative, kOnnxruntime };

struct EngineOptions {
  EngineKind kind = EngineKind::kNative;
  std::string ort_library;
  std::string device = "cpu";
  std::string precision = "fp32";
  int threads = 1;
  int64_t max_memory = 0;         ///< bytes of a native session; 0: as many as the machine has
  int64_t max_steps = INT64_MAX;  ///< of a loop of a native session
};

class Engine {
 public:
  virtual ~Engine() = default;
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  [[nodiscard]] virtual const std::vector<PortInfo>& inputs() const noexcept = 0;
  [[nodiscard]] virtual const std::vector<PortInfo>& outputs() const noexcept = 0;
  [[nodiscard]] virtual const Metadata& metadata() const noexcept = 0;
  /// "native-cpu", "onnxruntime-cpu": the name of the runtime in reports.
  [[nodiscard]] virtual std::string_view runtime() const noexcept = 0;
  /// Checks that the inputs fit their ports and computes. Throws Error.
  [[nodiscard]] std::vector<Tensor> run(const std::vector<Tensor>& inputs) const;

 private:
  [[nodiscard]] virtual std::vector<Tensor> compute(std::span<const TensorView> inputs) const = 0;
};

/// The ONNX file of a model or bundle folder. Throws Error(kDamaged) for a folder without one.
[[nodiscard]] std::string model_file(const std::string& path);

/// Throws Error(kUnavailable) where engine or device are not there, Error(kModel) where the model is refused.
[[nodiscard]] std::unique_ptr<Engine> open_engine(const std::string& path, const EngineOptions& options);

}  // namespace slipway::infer
