// What an operator is to the engine: one row of ops.def and three functions.
//
//   infer    attributes and input facts -> output facts; refuses what the op does not support. Runs at load with
//            symbolic dimensions, and again at plan time with numbers.
//   prepare  once per node and plan, shapes concrete: typed attributes, packed weights, scratch size, counted work.
//   run      views in, views out; noexcept, allocates nothing; a forbidden value is reported, never thrown.
//
// Views and operators with bodies have infer alone: a view computes nothing, and a body is run by exec/.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/cpu.h"
#include "base/error.h"
#include "base/tensor.h"
#include "cuda/device.h"
#include "graph/graph.h"
#include "ops/call.h"

namespace slipway {

/// How close a result must be: bit for bit, 4 units in the last place, or a bound from the length of its sums.
enum class Tolerance { kExact, kUlp4, kSum };

/// Reads attributes of one node. Every getter throws Error(kModel) on a value of the wrong kind.
class NodeReader {
 public:
  explicit NodeReader(const Node& node) noexcept : node_(node) {}

  [[nodiscard]] const Node& node() const noexcept { return node_; }
  [[nodiscard]] int64_t opset() const noexcept { return node_.opset; }
  [[nodiscard]] bool has_attribute(std::string_view name) const;
  [[nodiscard]] int64_t get_int(std::string_view name, int64_t otherwise) const;
  [[nodiscard]] float get_float(std::string_view name, float otherwise) const;
  [[nodiscard]] std::string get_string(std::string_view name, std::string_view otherwise) const;
  [[nodiscard]] std::vector<int64_t> get_ints(std::string_view name, std::vector<int64_t> otherwise = {}) const;
  [[nodiscard]] std::vector<float> get_floats(std::string_view name, std::vector<float> otherwise = {}) const;
  [[nodiscard]] std::vector<std::string> get_strings(std::string_view name) const;
  /// Null where the attribute is absent.
  [[nodiscard]] std::shared_ptr<const Tensor> get_tensor(std::string_view name) const;
  /// The graph of that attribute; absent is an error.
  [[nodiscard]] const Graph& require_body(std::string_view name) const;
  /// Like get_int, but absent is an error.
  [[nodiscard]] int64_t require_int(std::string_view name) const;

  /// Refuses (Error(kUnsupported)) any attribute that is not listed.
  void allow_attributes(std::initializer_list<std::string_view> names) const;
  /// get_int, refused where it lies outside [low, high].
  [[nodiscard]] int64_t get_int_in(std::string_view name, int64_t otherwise, int64_t low, int64_t high) const;

 private:
  const Node& node_;
};

/// What infer sees and answers.
class InferContext final : public NodeReader {
 public:
  InferContext(const Node& node, std::span<const Fact* const> inputs);

  [[nodiscard]] int input_count() const noexcept { return static_cast<int>(inputs_.size()); }
  [[nodiscard]] int output_count() const noexcept { return static_cast<int>(outputs_.size()); }
  /// False for an optional input that is absent, at the end or by an empty name.
  [[nodiscard]] bool has_input(int i) const noexcept;
  [[nodiscard]] const Fact& input(int i) const;
  [[nodiscard]] DType dtype(int i) const { return input(i).dtype; }
  /// Null where not even the rank is known (only at load time).
  [[nodiscard]] const Dims* dims(int i) const;
  /// The integers of input i (int64 or int32, any shape, row-major). Where its value is not known yet this
  /// remembers that the output shapes wait for it, and returns nothing: then set the outputs by output_unknown().
  [[nodiscard]] std::optional<std::vector<int64_t>> ints(int i);
  /// The value of input i, of whatever type; null, and waited for as by ints(), where it is not known yet.
  [[nodiscard]] const Tensor* value(int i);

  /// Refuses a count of inputs or outputs outside the range, or a missing input below `min_inputs`.
  void require_counts(int min_inputs, int max_inputs, int min_outputs, int max_outputs) const;
  /// Refuses other element types, by name.
  void require_dtype(int i, std::initializer_list<DType> types) const;
  /// Refuses inputs of different element types (absent ones are passed over).
  void require_same_dtype(std::initializer_list<int> inputs) const;
  /// Refuses other ranks (unknown ones pass at load time).
  void require_rank(int i, int low, int high) const;
  /// `axis` made non-negative, Error(kModel) where it does not fit `rank`.
  [[nodiscard]] int64_t normalise_axis(int64_t axis, int64_t rank) const;
  /// Error(code) with the node's title is added by the caller; this only says what is wrong.
  template <typename... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    fail(Code::kUnsupported, parts...);
  }
  template <typename... Parts>
  [[noreturn]] void reject(const Parts&... parts) const {
    fail(Code::kModel, parts...);
  }

  void output(int i, DType dtype, Dims dims);
  /// Element type known, dimensions not (yet); `rank` < 0 where even that is open.
  void output_unknown(int i, DType dtype, int rank = -1);
  /// True where somebody reads output i.
  [[nodiscard]] bool wants_output(int i) const noexcept;

  /// Facts that the inputs of each body have at every step, in order of Node::bodies().
  void set_body_facts(std::vector<std::vector<Fact>> facts) { body_facts_ = std::move(facts); }

  [[nodiscard]] std::vector<Fact>& outputs() noexcept { return outputs_; }
  [[nodiscard]] const std::vector<std::vector<Fact>>& body_facts() const noexcept { return body_facts_; }
  /// Inputs whose values the output shapes wait for.
  [[nodiscard]] const std::vector<int>& awaited() const noexcept { return awaited_; }

 private:
  std::span<const Fact* const> inputs_;
  std::vector<Fact> outputs_;
  std::vector<std::vector<Fact>> body_facts_;
  std::vector<int> awaited_;
};

/// The dimension that numpy broadcasting gives; Error(kModel) where two numbers do not fit.
[[nodiscard]] Dims broadcast(const Dims& a, const Dims& b);

/// Counted work of one call.
struct Work {
  int64_t flops = 0;
  int64_t bytes = 0;
};

/// What kernels are chosen for: an instruction set, or a CUDA device.
struct Target {
  Isa isa = Isa::kScalar;
  std::shared_ptr<CudaDevice> device;  ///< of kCuda
  int threads = 1;                     ///< that a run may use; a plan may depend on them, results must not

  Target(Isa of) noexcept : isa(of) {}  // NOLINT(google-explicit-constructor): an instruction set is a target
  explicit Target(std::shared_ptr<CudaDevice> of) noexcept : isa(Isa::kCuda), device(std::move(of)) {}

  /// The same for a kernel of one column.
  [[nodiscard]] Target at(Isa column) const {
    Target target = *this;
    target.isa = column;
    if (column != Isa::kCuda) target.device = nullptr;
    return target;
  }
};

/// Which of a node's inputs have the same value in every plan: those whose constant is the graph's own, and not what
/// one plan has computed of its shapes or read from a run.
class LastingInputs final {
 public:
  LastingInputs() noexcept = default;
  /// Of the inputs `ids` of a node of `graph`, for a plan or a body that knows `facts` of its values.
  [[nodiscard]] static LastingInputs of(const Graph& graph, const std::vector<Fact>& facts,
                                        const std::vector<ValueId>& ids) noexcept;

  [[nodiscard]] bool has(std::size_t i) const noexcept { return i < kMost && (bits_ >> i & 1) != 0; }

 private:
  static constexpr std::size_t kMost = 64;

  uint64_t bits_ = 0;  // none
};

/// What prepare sees and answers: everything concrete.
class PrepareContext final : public NodeReader {
 public:
  PrepareContext(const Node& node, std::span<const Fact* const> inputs, std::span<const Fact* const> outputs,
                 const Target& target, LastingInputs lasting = {})
      : NodeReader(node), inputs_(inputs), outputs_(outputs), target_(target), lasting_(lasting) {}

  [[nodiscard]] bool has_input(int i) const noexcept;
  [[nodiscard]] int input_count() const noexcept { return static_cast<int>(inputs_.size()); }
  [[nodiscard]] int output_count() const noexcept { return static_cast<int>(outputs_.size()); }
  [[nodiscard]] bool has_output(int i) const noexcept;
  [[nodiscard]] Shape shape(int i) const { return inputs_[i]->shape(); }
  [[nodiscard]] DType dtype(int i) const { return inputs_[i]->dtype; }
  [[nodiscard]] Shape output_shape(int i) const { return outputs_[i]->shape(); }
  [[nodiscard]] DType output_dtype(int i) const { return outputs_[i]->dtype; }
  /// The value of input i where it is constant, else null. Valid as long as the plan.
  [[nodiscard]] const Tensor* constant(int i) const noexcept;
  /// The integers of input i; only where infer has seen them through ints().
  [[nodiscard]] std::vector<int64_t> ints(int i) const;
  /// True where no output has an element and no index is left to be checked: nobody need call the kernel, for which
  /// axes beside one of size 0 might be work in vain without end.
  [[nodiscard]] bool makes_nothing() const;
  [[nodiscard]] Isa isa() const noexcept { return target_.isa; }
  [[nodiscard]] const Target& target() const noexcept { return target_; }
  /// The CUDA device that the kernel will run on; null for the processor.
  [[nodiscard]] CudaDevice* device() const noexcept { return target_.device.get(); }

  /// `make()` of the constants of the inputs `of`: run once per node and key, its result shared by all plans, where
  /// these are lasting; else for this plan alone. For packed weights. Keys must name everything that the result depends
  /// on beside these constants and the node's attributes (for example the isa).
  template <typename T>
  [[nodiscard]] std::shared_ptr<const T> shared(std::initializer_list<std::size_t> of, const std::string& key,
                                                const std::function<std::shared_ptr<const T>()>& make) const {
    if (!std::all_of(of.begin(), of.end(), [&](std::size_t i) { return lasting_.has(i); })) return make();
    NodeCache& cache = *node().cache;
    const std::scoped_lock lock(cache.mutex);
    auto& entry = cache.entries[key];
    if (!entry) entry = make();
    return std::static_pointer_cast<const T>(entry);
  }

  /// The copy on the device of `make()`, shared in the same way: for packed weights of CUDA kernels.
  [[nodiscard]] std::shared_ptr<const DeviceMemory> uploaded(std::initializer_list<std::size_t> of,
                                                             const std::string& key,
                                                             const std::function<Tensor()>& make) const;

  int64_t scratch_bytes = 0;  ///< scratch that run() gets, aligned to 64 bytes, not initialised
  Work work;
  std::string note;  ///< what was chosen and why, for the plan's text; may be empty

 private:
  std::span<const Fact* const> inputs_;
  std::span<const Fact* const> outputs_;
  Target target_;
  LastingInputs lasting_;
};

using InferFunction = void (*)(InferContext&);
using PrepareFunction = std::shared_ptr<const void> (*)(PrepareContext&);
using Kernel = void (*)(const OpCall&) noexcept;

/// A kernel computes, an element-wise one each element of its output from those in the same place of its inputs,
/// broadcast; a view only gives input 0 another shape (the plan then shares its memory); control runs bodies, so that
/// its output shapes are known when it has run.
enum class RowKind { kKernel, kElementwise, kView, kControl };

struct OpRow {
  std::string_view id;      ///< "conv": file and function names
  std::string_view onnx;    ///< "Conv"
  std::string_view domain;  ///< "" or "slipway"
  int min_opset;
  int max_opset;
  Tolerance tolerance;
  RowKind kind;
  InferFunction infer;
  PrepareFunction prepare;
  Kernel kernels[kIsaCount];  ///< null where the column does not exist
  bool has_cuda;              ///< whether the plugin has a kernel
};

/// For prepare: nothing to remember.
[[nodiscard]] std::shared_ptr<const void> prepare_nothing(PrepareContext&);

}  // namespace slipway
