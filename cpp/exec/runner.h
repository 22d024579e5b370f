// Runs a graph: finds or makes the plan for the input shapes, borrows memory, calls the kernels in order.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <shared_mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "exec/control.h"
#include "exec/segment.h"
#include "exec/slot.h"
#include "graph/graph.h"

namespace slipway {

class Runner;

/// A run whose memory is fixed, to be repeated by one thread at a time. Where one segment is the whole plan, it keeps a
/// frame of its own with every address in place, and all that is left of a run is to call the kernels.
class BoundRun {
 public:
  BoundRun(const BoundRun&) = delete;
  BoundRun& operator=(const BoundRun&) = delete;
  ~BoundRun();

  /// Throws Error(kUsage) where another thread is in the middle of it. On a CUDA device the work is given to the
  /// stream; a forbidden value that it meets is reported by the next run, or by finish(). A stream that somebody
  /// records gets the kernels one by one; what was recorded may run as long as this object lives.
  void run(void* stream = nullptr);
  /// On a CUDA device: waits for the work of the last run. Throws Error(kFault) where it met a forbidden value.
  void finish(void* stream);
  /// True where a run takes a few microseconds at most.
  [[nodiscard]] bool is_short() const noexcept;

 private:
  friend class Runner;
  BoundRun(Runner& runner, std::span<const TensorView> inputs, std::span<const MutableView> into);

  Runner& runner_;
  std::vector<TensorView> inputs_;
  std::vector<MutableView> into_;
  std::shared_ptr<Segment> segment_;  // of frame_
  std::unique_ptr<Frame> frame_;      // null where the plan goes on behind its first segment
  std::atomic<bool> is_running_ = false;
  void* stream_ = nullptr;  // of the last run on a CUDA device
  bool has_stream_ = false;
};

class Runner {
 public:
  /// `graph` is checked, its nodes have rows. The machine's pool outlives the runner.
  Runner(Graph graph, const Machine& machine);
  /// Of a body: `graph` is not copied and outlives the runner.
  Runner(std::shared_ptr<const Graph> graph, const Machine& machine);
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;
  ~Runner();

  [[nodiscard]] const Graph& graph() const noexcept { return *graph_; }

  /// Runs once. Safe to call from many threads; allocates nothing of its own for shapes it has seen. Where the
  /// machine's budget of memory does not suffice, it forgets all plans and starts again; if that does not help it
  /// throws Error(kLimit). On a CUDA device, arrays and memory are the device's, and the results are there in order of
  /// the stream.
  void run(std::span<const TensorView> inputs, Outputs& outputs, void* stream = nullptr);
  /// Runs once as a part of another run, within its budget: a body.
  void run_inside(std::span<const TensorView> inputs, Outputs& outputs, void* stream = nullptr);
  /// The same into given memory: where into[k].data is null, output k is allocated and put into (*allocated)[k].
  void run(std::span<const TensorView> inputs, std::span<const MutableView> into, std::vector<Tensor>* allocated);

  /// A run with these very arrays; they must stay valid as long as it does. Every output needs memory.
  [[nodiscard]] std::unique_ptr<BoundRun> bind(std::span<const TensorView> inputs, std::span<const MutableView> into);

  /// The plan's text for these shapes, segments that wait for values excluded.
  [[nodiscard]] std::string plan_text(std::span<const Shape> shapes);

 private:
  class Run;
  friend class BoundRun;

  /// work(); again with all plans forgotten where the budget of memory has not sufficed.
  template <typename F>
  auto within_budget(const F& work);
  void forget_plans();
  [[nodiscard]] std::shared_ptr<Segment> find_segment(uint64_t hash, std::span<const TensorView> inputs) const;
  [[nodiscard]] std::shared_ptr<Segment> first_segment(std::span<const TensorView> inputs);
  void keep(std::shared_ptr<Segment> segment, std::unique_ptr<Frame> frame) noexcept;

  std::shared_ptr<const Graph> graph_;
  Machine machine_;
  std::map<const Node*, std::vector<std::unique_ptr<Runner>>> bodies_;
  std::shared_mutex plans_mutex_;
  std::unordered_multimap<uint64_t, std::shared_ptr<Segment>> plans_;
  int64_t plan_bytes_ = 0;
  Slot<Frame> last_;  // of the last run, with its segment: the next one, if of the same shapes, looks nothing up
};

}  // namespace slipway
