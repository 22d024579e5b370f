#include "passes/bodies.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "ops/op.h"
#include "passes/sweep.h"

namespace slipway {

namespace {

using BodyFacts = std::vector<std::vector<Fact>>;

BodyFacts facts_in(const Graph& graph, const Node& node) {
  std::vector<const Fact*> inputs;
  for (const ValueId id : node.inputs)
    inputs.push_back(id == kNoValue ? nullptr : &graph.values[static_cast<std::size_t>(id)].fact);
  InferContext context(node, inputs);
  node.row->infer(context);
  return context.body_facts();
}

// Captures that are constants come whole, whatever infer has kept of them.
void set_inputs(const Graph& graph, const Node& node, Graph& body, const std::vector<Fact>& facts) {
  const std::size_t own = facts.size() - static_cast<std::size_t>(node.captures);
  for (std::size_t i = 0; i < facts.size(); ++i) {
    Fact& fact = body.values[static_cast<std::size_t>(body.inputs[i])].fact;
    fact = facts[i];
    if (i < own) continue;
    const ValueId outer = node.inputs[static_cast<std::size_t>(node.own_inputs()) + i - own];
    const Fact& known = graph.values[static_cast<std::size_t>(outer)].fact;
    if (known.constant) fact = known;
  }
}

// Drops the last inputs of node and bodies where `is_dropped` says so; one flag for each capture.
void drop_captures(Node& node, std::vector<Graph>& bodies, const std::vector<bool>& is_dropped) {
  const auto drop = [&](std::vector<ValueId>& ids) {
    const std::size_t own = ids.size() - is_dropped.size();
    std::size_t kept = own;
    for (std::size_t i = 0; i < is_dropped.size(); ++i) {
      if (!is_dropped[i]) ids[kept++] = ids[own + i];
    }
    ids.resize(kept);
  };
  drop(node.inputs);
  for (Graph& body : bodies) drop(body.inputs);
  node.captures -= static_cast<int>(std::count(is_dropped.begin(), is_dropped.end(), true));
}

std::vector<bool> constant_captures(const Graph& graph, const Node& node) {
  std::vector<bool> out;
  for (auto i = static_cast<std::size_t>(node.own_inputs()); i < node.inputs.size(); ++i)
    out.push_back(graph.values[static_cast<std::size_t>(node.inputs[i])].fact.constant != nullptr);
  return out;
}

std::vector<bool> unread_captures(const Node& node, const std::vector<Graph>& bodies) {
  std::vector<bool> out(static_cast<std::size_t>(node.captures), true);
  for (const Graph& body : bodies) {
    const std::vector<int> readers = count_readers(body);
    const std::size_t own = body.inputs.size() - out.size();
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = out[i] && readers[static_cast<std::size_t>(body.inputs[own + i])] == 0;
  }
  return out;
}

Node improve(const Graph& graph, const Node& node, std::vector<PassRecord>* log, Precision precision,
             FoldBudget& budget) {
  Node better = copy_of(node);
  const BodyFacts facts = facts_in(graph, node);
  const auto named = node.bodies();
  std::vector<Graph> bodies;
  for (std::size_t i = 0; i < named.size(); ++i) {
    bodies.push_back(*named[i].second);
    set_inputs(graph, node, bodies[i], facts[i]);
  }
  drop_captures(better, bodies, constant_captures(graph, node));
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    std::vector<PassRecord> inner;
    try {
      bodies[i] = run_pipeline(std::move(bodies[i]), log != nullptr ? &inner : nullptr, precision, false, budget);
    } catch (const Error& error) {
      throw error.at(named[i].first);
    }
    for (PassRecord& record : inner) {
      record.pass = concat(record.pass, " in ", node.title(), " ", named[i].first);
      log->push_back(std::move(record));
    }
  }
  drop_captures(better, bodies, unread_captures(better, bodies));
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    bodies[i].check();
    better.attributes.insert_or_assign(named[i].first, std::make_shared<const Graph>(std::move(bodies[i])));
  }
  return better;
}

}  // namespace

Patch improve_bodies(const Graph& graph, std::vector<PassRecord>* log, Precision precision, FoldBudget& budget) {
  Patch patch;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (node.row->kind != RowKind::kControl) continue;
    try {
      patch.insert.emplace_back(i, improve(graph, node, log, precision, budget));
    } catch (const Error& error) {
      throw error.at(node.title());
    }
    patch.remove.push_back(i);
  }
  return patch;
}

}  // namespace slipway
