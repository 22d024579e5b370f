#include "infer/engine.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "ort/ort.h"

namespace slipway::infer {

namespace {

namespace fs = std::filesystem;

class NativeEngine final : public Engine {
 public:
  explicit NativeEngine(slipway::Session session) : session_(std::move(session)) {}
  const std::vector<PortInfo>& inputs() const noexcept override { return session_.inputs(); }
  const std::vector<PortInfo>& outputs() const noexcept override { return session_.outputs(); }
  const Metadata& metadata() const noexcept override { return session_.metadata(); }
  std::string_view runtime() const noexcept override {
    return session_.cuda_device() < 0 ? "native-cpu" : "native-cuda";
  }

 private:
  std::vector<Tensor> compute(std::span<const TensorView> inputs) const override { return session_.run(inputs); }
  slipway::Session session_;
};

class OrtEngine final : public Engine {
 public:
  explicit OrtEngine(ort::Session session) : session_(std::move(session)) {}
  const std::vector<PortInfo>& inputs() const noexcept override { return session_.inputs(); }
  const std::vector<PortInfo>& outputs() const noexcept override { return session_.outputs(); }
  const Metadata& metadata() const noexcept override { return session_.metadata(); }
  std::string_view runtime() const noexcept override { return "onnxruntime-cpu"; }

 private:
  std::vector<Tensor> compute(std::span<const TensorView> inputs) const override { return session_.run(inputs); }
  ort::Session session_;
};

void check_input(const PortInfo& port, const TensorView& view) {
  bool fits = port.dtype == view.dtype && port.dims.size() == view.shape.sizes().size();
  for (int axis = 0; fits && axis < view.shape.rank(); ++axis) {
    const Dim& dim = port.dims[static_cast<std::size_t>(axis)];
    fits = !dim.is_known() || dim.value() == view.shape[axis];
  }
  if (fits) return;
  fail(Code::kInput, "input ", quote(port.name), ": got ", name_of(view.dtype), " ", view.shape.text(), ", expected ",
       name_of(port.dtype), " ", text_of(port.dims));
}

/// Where pip puts onnxruntime, seen from a program in the same environment's folder of scripts.
std::vector<std::string> wheel_folders() {
  std::vector<std::string> folders;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  const fs::path libraries = program.parent_path().parent_path() / "lib";
  for (fs::directory_iterator it(libraries, error), end; !error && it != end; it.increment(error)) {
    if (!it->path().filename().string().starts_with("python3")) continue;
    folders.push_back((it->path() / "site-packages" / "onnxruntime" / "capi").string());
  }
  return folders;
}

}  // namespace

std::vector<Tensor> Engine::run(const std::vector<Tensor>& tensors) const {
  std::vector<TensorView> views;
  for (const Tensor& tensor : tensors) views.push_back(tensor.view());
  for (std::size_t i = 0; i < views.size(); ++i) check_input(inputs()[i], views[i]);
  return compute(views);
}

std::string model_file(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) fail(Code::kIo, "there is no model ", quote(path, 400));
  if (!fs::is_directory(status)) return path;
  const fs::path file = fs::path(path) / "model.onnx";
  if (!fs::is_regular_file(file, error)) fail(Code::kDamaged, "bundle ", quote(path, 400), " has no model.onnx");
  return file.string();
}

std::unique_ptr<Engine> open_engine(const std::string& path, const EngineOptions& options) {
  const std::string file = model_file(path);
  if (options.kind == EngineKind::kNative) {
    SessionOptions session;
    session.device = options.device;
    session.threads = options.threads;
    session.precision = options.precision;
    session.max_memory = options.max_memory;
    session.max_steps = options.max_steps;
    return std::make_unique<NativeEngine>(slipway::Session::open(file, session));
  }
  if (options.max_memory != 0 || options.max_steps != INT64_MAX) {
    fail(Code::kUnavailable, "--max-memory and --max-steps are not available for engine onnxruntime; use native");
  }
  if (options.precision != "fp32") {
    fail(Code::kUnavailable, "precision ", options.precision, " is not available for engine onnxruntime; use fp32");
  }
  if (options.device != "cpu") {
    fail(Code::kUnavailable, "device ", quote(options.device), " is not available for engine onnxruntime; use cpu");
  }
  return std::make_unique<OrtEngine>(ort::Session::open(file, {options.ort_library, wheel_folders(), options.threads}));
}

}  // namespace slipway::infer
