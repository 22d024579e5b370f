// The engine's public face: open a model, look at its ports, run it. This header is all that a user needs.
//
//   const slipway::Session session = slipway::Session::open("artifacts/names-gru");
//   const std::vector<slipway::Tensor> outputs = session.run(views_of_inputs);
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/outputs.h"
#include "base/tensor.h"
#include "graph/dim.h"

namespace slipway {

class ExternalFiles;

/// "0.1.0", the version of pyproject.toml.
[[nodiscard]] const char* version() noexcept;

struct SessionOptions {
  std::string device = "cpu";  ///< or "cuda", "cuda:N"; one that is not there is Error(kUnavailable), never replaced
  int threads = 1;             ///< 1 to 256
  /// "fp32", or less exact weights of fewer bytes: "bf16" (8 significant bits), "int8" (a scale per output channel). On
  /// a CUDA device also "tf32": products on tensor cores round what they multiply (11 significant bits).
  std::string precision = "fp32";
  bool optimize = true;  ///< false runs the graph as it stands in the file, without passes
  std::string isa;       ///< "scalar", "baseline", "avx2", "avx512", "amx", "neon"; empty: the best here
  /// A Loop that takes more steps in one run fails with Error(kLimit); without, only the model says when it ends.
  int64_t max_steps = INT64_MAX;
  /// Bytes that the session may hold at once: constants, prepared weights, and the values of all runs under way, for
  /// which plans that are only kept for later make room. More fails with Error(kLimit). 0: as many as the machine has.
  /// Memory of a CUDA device is not counted.
  int64_t max_memory = 0;
};

/// An input or output of a model.
struct PortInfo {
  std::string name;
  DType dtype = DType::kNone;
  Dims dims;             ///< numbers, or symbols that may differ from run to run
  bool has_rank = true;  ///< false where the model does not even state how many dimensions there are
};

/// Shapes of all inputs, in order of Session::inputs().
using InputShapes = std::vector<Shape>;

class BoundRun;

/// A run whose arrays are fixed (Session::bind), the cheapest to repeat. One thread at a time; keeps the model alive.
class BoundCall {
 public:
  /// Runs once. Throws Error(kFault) where a value is forbidden, Error(kUsage) where another thread is running it.
  void operator()() const;
  /// Of a call on device arrays: gives the work to a CUDA stream and returns; a forbidden value is reported by the next
  /// call, or by finish().
  void run_on(void* stream) const;
  /// Waits for what run_on() gave to the stream.
  void finish(void* stream) const;
  /// True where a run takes a few microseconds at most: others need not be let run meanwhile.
  [[nodiscard]] bool is_short() const noexcept;

 private:
  friend class Session;
  explicit BoundCall(std::shared_ptr<BoundRun> run) noexcept : run_(std::move(run)) {}
  std::shared_ptr<BoundRun> run_;
};

/// A loaded model. Safe to use from many threads at once, and in the children of a fork, which work on one thread;
/// copies share the model.
class Session {
 public:
  /// Opens an ONNX file, or the model of a bundle folder. Tensors that it keeps in other files must lie in the same
  /// folder or below it, behind no link. Throws Error.
  [[nodiscard]] static Session open(const std::string& path, const SessionOptions& options = {});
  /// Reads an ONNX model from memory, which is not needed afterwards. Tensors in other files are refused. Throws Error.
  [[nodiscard]] static Session read(std::span<const std::byte> bytes, const SessionOptions& options = {});

  [[nodiscard]] const std::vector<PortInfo>& inputs() const noexcept;
  [[nodiscard]] const std::vector<PortInfo>& outputs() const noexcept;
  [[nodiscard]] const std::map<std::string, std::string, std::less<>>& metadata() const noexcept;
  /// Number of the CUDA device that the model runs on; -1 for the processor.
  [[nodiscard]] int cuda_device() const noexcept;

  /// Runs once; inputs in order of inputs(), contiguous, valid during the call. Throws Error(kInput) where one does
  /// not fit its port or is not aligned to its elements, Error(kFault) where a value is forbidden (an index out of
  /// range).
  [[nodiscard]] std::vector<Tensor> run(std::span<const TensorView> inputs) const;
  /// The same into the caller's memory: an output whose view has data must have the right type and shape (else
  /// Error(kInput)), be aligned, and share memory with no input and no other output (else too); one without data is
  /// allocated and returned at its place.
  [[nodiscard]] std::vector<Tensor> run(std::span<const TensorView> inputs, std::span<const MutableView> into) const;

  /// The same into memory that `outputs` gives as soon as a shape is known.
  void run(std::span<const TensorView> inputs, Outputs& outputs) const;
  /// On a CUDA device: arrays that lie there, with results in memory of the device that `outputs` gives; all in order
  /// of the stream (a cudaStream_t). Returns when the work is given to the stream, or, where a value may be forbidden,
  /// when it is done.
  void run_on(void* stream, std::span<const TensorView> inputs, Outputs& outputs) const;
  /// Fixes the memory of all inputs and outputs, which must stay valid as long as the call; their contents may change
  /// between runs. Throws Error(kInput) where one does not fit, or an output has no memory.
  /// On a CUDA device all of it must be the device's, and the call is run by run_on().
  [[nodiscard]] BoundCall bind(std::span<const TensorView> inputs, std::span<const MutableView> into) const;

  /// The stable text of a stage: "onnx" (as read), "graph" (with facts), "passes" (after the passes, with what each
  /// did) or "plan" (steps, kernels, memory; needs shapes). Throws Error(kUsage) for another name, Error(kInput) where
  /// a shape does not fit its input.
  [[nodiscard]] std::string text(const std::string& stage, const InputShapes& shapes = {}) const;

  struct State;

 private:
  [[nodiscard]] static Session load(std::span<const std::byte> bytes, const SessionOptions& options,
                                    const ExternalFiles* files);
  explicit Session(std::shared_ptr<const State> state) noexcept : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace slipway
