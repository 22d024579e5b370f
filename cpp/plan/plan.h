// The plan: what one run of a graph does, with concrete shapes. Immutable once made.
//
// Most models need one segment. Where a shape depends on a value (the longest of some lengths), a segment ends, the
// value is read, and a further segment is planned for it; the segments before keep their memory until the run ends.
// Nodes with bodies (Loop, Scan, If) end a segment too, since the shapes that they make are known when they have run.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "ops/op.h"

namespace slipway {

/// Where the bytes of a value are during a run.
struct Place {
  enum class Kind : uint8_t { kNowhere, kInput, kConstant, kArena, kOutput, kResult };
  Kind kind = Kind::kNowhere;
  int32_t index = 0;   ///< input or output of the graph, constant of the plan, or segment of the arena or result
  int64_t offset = 0;  ///< bytes into the arena, or which of the segment's results
};

/// One argument of a step.
struct Operand {
  ValueId value = kNoValue;
  Place place;
  DType dtype = DType::kNone;
  Shape shape;

  [[nodiscard]] int64_t bytes() const noexcept { return shape.count() * size_of(dtype); }
};

/// One call of a kernel, or (without a node) a copy of inputs[0] to outputs[0].
struct Step {
  const Node* node = nullptr;
  Kernel kernel = nullptr;
  Isa isa = Isa::kScalar;
  std::shared_ptr<const void> prepared;
  std::vector<Operand> inputs;
  std::vector<Operand> outputs;
  int64_t scratch_bytes = 0;
  Work work;
  std::string note;  ///< PrepareContext::note
};

/// A node with bodies, run after the steps of its segment.
struct ControlStep {
  const Node* node = nullptr;
  std::vector<Operand> inputs;
  std::size_t results = 0;  ///< how many it makes
};

/// An output that may stand in the memory of an input.
struct Update {
  int output = 0;
  int input = 0;
};

/// Values that one segment may end for.
inline constexpr std::size_t kMostAwaited = 16;

struct Plan {
  int segment = 0;
  std::vector<Step> steps;
  std::vector<std::shared_ptr<const Tensor>> constants;
  int64_t arena_bytes = 0;
  int64_t scratch_bytes = 0;
  /// Graph outputs that this segment makes: index and what they are.
  std::vector<std::pair<int, Operand>> outputs;
  /// Outputs of which a step makes another value of an input by changing elements, where no step reads that input
  /// afterwards. Only of plans of one segment.
  std::vector<Update> updates;
  /// Values that must be read before the rest can be planned.
  std::vector<Operand> awaited;
  /// What must run before the rest can be planned, and the values that it makes: the segment's results.
  std::vector<ControlStep> controls;
  std::vector<ValueId> results;
  /// Where rows do not meet and a few of them at a time stay in cache: the plan of those, which runs `parts` times in
  /// place of this one (rows.h). Else null. On one thread only parts of one row are worth it: kernels are made for
  /// many.
  std::shared_ptr<const Plan> part;
  int64_t parts = 0;
  int64_t part_rows = 0;
  [[nodiscard]] bool is_last() const noexcept { return awaited.empty() && controls.empty(); }

  /// What continue_plan() needs: all that is known after this segment. Empty where nothing is left to plan.
  std::vector<Fact> facts;
  std::vector<Operand> where;
  std::vector<std::size_t> deferred;
  std::vector<bool> output_is_made;

  /// What it takes beside the arrays that it keeps, about.
  [[nodiscard]] int64_t bytes() const noexcept;
};

/// Plans a run with inputs of these types and shapes. `graph` must outlive the plan, its nodes have rows. Throws Error.
[[nodiscard]] Plan make_plan(const Graph& graph, std::span<const TensorView> inputs, const Target& target);

/// What is known when a segment has run: the awaited values in order of before.awaited, and type and shape of its
/// results.
struct Findings {
  std::vector<std::shared_ptr<const Tensor>> values;
  std::vector<DType> dtypes;
  std::vector<Shape> shapes;
};

/// Plans what was deferred.
[[nodiscard]] Plan continue_plan(const Graph& graph, const Plan& before, const Findings& found, const Target& target);

/// The stable text form (`slipway inspect --stage plan`).
[[nodiscard]] std::string text_of(const Plan& plan);

}  // namespace slipway
