// Runs a graph: finds or makes the plan for the input shapes, borrows memory, calls the kernels in order.
#pragma once

#include <memory>
#include <shared_mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/thread_pool.h"
#include "exec/segment.h"
#include "graph/graph.h"

namespace slipway {

class Runner {
 public:
  /// `graph` is checked, its nodes have rows.
  Runner(Graph graph, Isa isa, int threads);

  [[nodiscard]] const Graph& graph() const noexcept { return graph_; }

  /// Runs once. Where into[k].data is null, output k is allocated and put into (*allocated)[k]. Safe to call from many
  /// threads; allocates nothing of its own for shapes it has seen.
  void run(std::span<const TensorView> inputs, std::span<const MutableView> into, std::vector<Tensor>* allocated);

  /// The plan's text for these shapes, segments that wait for values excluded.
  [[nodiscard]] std::string plan_text(std::span<const Shape> shapes);

 private:
  struct Entry {
    std::vector<Shape> shapes;
    std::shared_ptr<Segment> segment;
  };
  class Run;

  template <typename GetShape>
  [[nodiscard]] std::shared_ptr<Segment> first_segment(std::size_t count, const GetShape& shape_of);

  Graph graph_;
  Isa isa_;
  std::unique_ptr<ThreadPool> pool_;
  std::shared_mutex plans_mutex_;
  std::unordered_multimap<uint64_t, Entry> plans_;
};

}  // namespace slipway
