// Nodes with bodies: Loop, Scan and If. Each object is one node in one frame, with the memory of its runs.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/memory_budget.h"
#include "base/outputs.h"
#include "base/thread_pool.h"
#include "base/view.h"
#include "graph/graph.h"
#include "ops/op.h"

namespace slipway {

class DeviceConstants;
class Runner;

/// What all graphs of a session run with.
struct Machine {
  Target target = Isa::kScalar;
  ThreadPool* pool = nullptr;                      ///< may be null: no threads
  int64_t max_steps = INT64_MAX;                   ///< of one run of one Loop; with more it fails with Error(kLimit)
  std::shared_ptr<MemoryBudget> memory = nullptr;  ///< of all runs; may be null: unbounded
  std::shared_ptr<DeviceConstants> device_constants = nullptr;  ///< of a target on a CUDA device
};

class Control {
 public:
  Control() = default;
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;
  virtual ~Control() = default;

  /// Runs once. `inputs` are those of the node, captures included, absent ones of type kNone. Each result becomes a
  /// view that is valid until the next run, if the inputs are. Throws Error without the node's title.
  virtual void run(std::span<const TensorView> inputs, std::span<TensorView> results) = 0;
};

/// `bodies` run the node's graphs, in order of Node::bodies(); they and the node outlive the control.
[[nodiscard]] std::unique_ptr<Control> make_control(const Node& node, std::span<const std::unique_ptr<Runner>> bodies,
                                                    const Machine& machine);

[[nodiscard]] std::unique_ptr<Control> make_loop(const Node& node, Runner& body, int64_t max_steps);
[[nodiscard]] std::unique_ptr<Control> make_scan(const Node& node, Runner& body);

/// The one truth value that a condition holds. Throws Error(kFault) where it holds another number of them.
[[nodiscard]] bool truth(const TensorView& condition);

}  // namespace slipway
