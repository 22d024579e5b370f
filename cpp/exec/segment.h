// A plan with all that running it needs: memory to borrow, resolved arguments, and the segments that follow it.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/memory_budget.h"
#include "base/thread_pool.h"
#include "exec/control.h"
#include "exec/device_frame.h"
#include "exec/thread_trial.h"
#include "plan/plan.h"

namespace slipway {

class Segment;

/// Memory of one run of one segment, with every argument of every step resolved but those of `Segment::fixups`.
struct Frame {
  std::shared_ptr<Segment> segment;  ///< while no run has the frame, but the runner has kept it
  Buffer arena;
  Buffer scratch;
  std::vector<TensorView> inputs;                  ///< of all steps and then all controls, one after the other
  std::vector<MutableView> outputs;                ///< of all steps
  std::vector<std::unique_ptr<Control>> controls;  ///< made by the first run with this frame
  std::vector<TensorView> results;                 ///< of all controls
  std::unique_ptr<DeviceFrame> device;             ///< of a CUDA device, in place of arena and scratch
  std::vector<std::unique_ptr<Frame>> parts;       ///< one for each thread, in place of arena and scratch
  ThreadTrial trial;

  /// Where the arena lies.
  [[nodiscard]] std::byte* arena_data() noexcept { return device ? device->arena() : arena.data(); }
};

/// An argument whose address is known only when a run starts.
struct Fixup {
  bool is_output = false;
  std::size_t index = 0;  ///< into Frame::inputs or Frame::outputs
  Place place;
};

class Segment {
 public:
  /// `shapes` are those of the graph's inputs; a segment behind the first is found by other things and has none.
  explicit Segment(Plan plan, const Machine& machine, std::vector<Shape> shapes = {});

  [[nodiscard]] const Plan& plan() const noexcept { return plan_; }
  /// What it takes beside arrays, about; counted against the budget of memory.
  [[nodiscard]] int64_t bytes() const noexcept { return share_.bytes(); }
  [[nodiscard]] const std::vector<Fixup>& fixups() const noexcept { return fixups_; }

  /// Of a first segment: true where it was planned for inputs of these shapes.
  [[nodiscard]] bool is_for(std::span<const TensorView> inputs) const noexcept;
  /// True where it is the whole plan and its kernels take a few microseconds at most.
  [[nodiscard]] bool is_short() const noexcept { return is_short_; }

  /// Takes a frame that nobody uses, or makes one. Allocates only while more runs are at once than ever before.
  [[nodiscard]] std::unique_ptr<Frame> borrow();
  void give_back(std::unique_ptr<Frame> frame) noexcept;

  /// Calls the kernels in order; returns the views behind those of the steps, which are the controls'. Throws Error
  /// where a kernel reports a forbidden value.
  const TensorView* call_kernels(Frame& frame, ThreadPool* pool) const;
  /// The same on a CUDA device, in order of the stream; whether a value was forbidden is not known when this returns.
  void launch_kernels(Frame& frame, void* stream) const { frame.device->launch(plan_, frame, stream); }
  /// The same one by one, for a stream that somebody records.
  void record_kernels(Frame& frame, void* stream) const { frame.device->call_kernels(plan_, frame, stream); }

  /// The segment planned for these values of plan().awaited and shapes of these results, or null.
  [[nodiscard]] std::shared_ptr<Segment> find_next(std::span<const TensorView> values,
                                                   std::span<const TensorView> results) const;
  /// Keeps a segment for next time; if another thread was faster, its segment is returned.
  std::shared_ptr<Segment> keep_next(Findings found, std::shared_ptr<Segment> next);

 private:
  struct Next {
    Findings found;
    std::shared_ptr<Segment> segment;
  };

  /// An argument of the part's whose address moves from part to part.
  struct Link {
    Fixup to;
    bool is_output = false;  ///< whether the whole plan has it in Frame::outputs, else in Frame::inputs
    std::size_t from = 0;
  };

  void link_part(const Machine& machine);
  const TensorView* call_steps(Frame& frame, ThreadPool* pool) const;
  void call_parts(Frame& frame, ThreadPool* pool) const;
  void call_part(const Frame& frame, Frame& mine, int64_t index, ThreadPool* pool) const;
  [[nodiscard]] std::shared_ptr<Segment> find(uint64_t hash, std::span<const TensorView> values,
                                              std::span<const TensorView> results) const;

  Plan plan_;
  BudgetShare share_;
  std::vector<Shape> shapes_;
  std::vector<Fixup> fixups_;
  bool is_short_;
  std::unique_ptr<Segment> part_;  // of the plan's part
  std::vector<Link> links_;
  int64_t part_threads_ = 0;
  std::shared_ptr<CudaDevice> device_;                          // null: the processor
  std::vector<std::shared_ptr<const DeviceMemory>> constants_;  // of the plan, on the device
  std::mutex frames_mutex_;
  std::vector<std::unique_ptr<Frame>> frames_;
  mutable std::shared_mutex next_mutex_;
  std::unordered_multimap<uint64_t, Next> next_;
};

}  // namespace slipway
