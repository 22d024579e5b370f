// The walk of the vectorised GRU, LSTM and RNN, as a packed sequence does it: sequences sorted by length, the longest
// first, so that those still running at a step are the first rows. Per group of sequences:
//
//     1. the inputs of the next few steps, only of running sequences, are multiplied with W in one product, or the
//     products are looked up;
//     2. each of these steps takes R block by block (recurrent_pack.h): the products of some running states with one
//     block stay in registers, and its gates are applied to them at once.
//
// Groups and directions are independent of each other and run on several threads. A row's arithmetic does not depend
// on the other rows, so neither grouping nor batch changes a bit.
#pragma once

#include "ops/recurrent_pack.h"
#include "simd/block.h"
#include "simd/math.h"

namespace slipway::SLIPWAY_ISA {
namespace {

/// Multiply-adds below which a fork and join costs more than it saves: some 8 us of one row.
constexpr double kRecurrentThreadWork = 1 << 18;

/// Some of the sequences in one direction: rows first, first + stride, ... of the sorted order.
struct RecurrentGroup {
  const OpCall& call;
  const Recurrent& sizes;
  RecurrentPacking at;
  int64_t direction;
  const float* weights;  // packed
  const int32_t* order;
  const int32_t* lengths;
  int64_t first;
  int64_t stride;
  int64_t count;
  float* h;              // [count, padded]
  float* next;           // [count, padded]: H after the step
  float* c;              // [count, padded]
  float* sums;           // [count + kRecurrentRows, at.row]
  const float** inputs;  // [count + kRecurrentRows]: rows of X
  const float* table;    // of the direction; null: sums are computed
  const float** found;   // [count]: rows of sums of the step
  bool from_behind;      // the step takes the last block first

  [[nodiscard]] int64_t sequence(int64_t row) const noexcept { return order[first + row * stride]; }
  [[nodiscard]] int64_t length(int64_t row) const noexcept { return lengths[sequence(row)]; }
  /// The time at which a sequence takes a step.
  [[nodiscard]] int64_t time_at(int64_t row, int64_t step) const noexcept {
    return sizes.runs_backwards(direction) ? length(row) - 1 - step : step;
  }
  /// Of the first `running` rows, those that have not ended before the step.
  [[nodiscard]] int64_t shrink(int64_t running, int64_t step) const noexcept {
    while (running > 0 && length(running - 1) <= step) --running;
    return running;
  }
};

/// The two sums of some units of one sequence at one step.
struct GateSums {
  const float* states;  // H R'
  const float* inputs;  // X W' + bias
  int64_t stride;       // between gates

  [[gnu::always_inline]] Vec state(int64_t gate) const noexcept { return load(states + gate * stride); }
  [[gnu::always_inline]] Vec input(int64_t gate) const noexcept { return load(inputs + gate * stride); }
  [[gnu::always_inline]] Vec sum(int64_t gate) const noexcept { return state(gate) + input(gate); }
};

/// Products of some rows of states with one block of R.
struct StateSums {
  int64_t block;
  int64_t row;   // the first
  int64_t rows;  // 0: none
  const float* sums;
};

template <typename Finish>
void finish_sums(const RecurrentGroup& group, const GateColumns& gates, int64_t first, const StateSums& done,
                 const Finish& finish) noexcept {
  const int64_t column = done.block * gates.gates * gates.units;
  const int64_t width = gates.width(done.block);
  const int64_t stride = gates.stride(done.block);
  const int64_t count = gates.count(done.block);
  for (int64_t i = 0; i < done.rows; ++i) {
    const float* input = group.found[done.row + i] + first + column;
    for (int64_t j = 0; j < count; j += kLanes) {
      const GateSums sums{done.sums + i * width + j, input + j, stride};
      finish(sums, done.row + i, done.block * gates.units + j, column + j);
    }
  }
}

/// The product of the states of the first `rows` rows with gates of R: `finish(sums, row, unit, column)` for each
/// vector of units, `column` being that of its first gate; `first` is the column of the first of these gates.
template <typename Finish>
void multiply_states(const RecurrentGroup& group, const GateColumns& gates, const float* r, const float* states,
                     int64_t first, int64_t rows, const Finish& finish) noexcept {
  // Gates are applied while the next product waits for its weights. Zeros behind the last row: the gates of a narrow
  // block are read as whole vectors.
  alignas(64) float sums[2][(kBlockSums + 1) * kLanes];
  StateSums done{};
  for (int64_t i = 0, turn = 0; i < gates.blocks(); ++i) {
    const int64_t block = group.from_behind ? gates.blocks() - 1 - i : i;
    const int64_t width = gates.width(block);
    const float* weights = r + block * gates.gates * gates.units * gates.hidden;
    for (int64_t row = 0, height = 0; row < rows; row += height, turn = 1 - turn) {
      height = next_rows(rows - row, width / kLanes);
      const float* from[kBlockRows];
      for (int64_t k = 0; k < height; ++k) from[k] = states + (row + k) * group.at.padded;
      multiply_block({gates.hidden, from, weights, nullptr, sums[turn], width}, height, width / kLanes);
      store(sums[turn] + height * width, Vec{});
      finish_sums(group, gates, first, done, finish);
      done = {block, row, height, sums[turn]};
    }
  }
  finish_sums(group, gates, first, done, finish);
}

void copy(const float* from, int64_t n, float* to) noexcept { __builtin_memcpy(to, from, static_cast<size_t>(n) * 4); }
void clear(float* to, int64_t n) noexcept { __builtin_memset(to, 0, static_cast<size_t>(n) * 4); }

void load_states(const RecurrentGroup& group, std::size_t input, float* states) noexcept {
  clear(states, group.count * group.at.padded);
  if (!group.call.has_input(input)) return;
  for (int64_t row = 0; row < group.count; ++row) {
    const int64_t at = group.sizes.state_at(group.direction, group.sequence(row));
    copy(group.call.inputs[input].as<float>() + at, group.sizes.hidden, states + row * group.at.padded);
  }
}

/// Of rows [begin, end).
void store_states(const RecurrentGroup& group, const float* states, std::size_t output, int64_t begin,
                  int64_t end) noexcept {
  if (!group.call.has_output(output)) return;
  for (int64_t row = begin; row < end; ++row) {
    const int64_t at = group.sizes.state_at(group.direction, group.sequence(row));
    copy(states + row * group.at.padded, group.sizes.hidden, group.call.outputs[output].as<float>() + at);
  }
}

/// Y of one step.
void write_step(const RecurrentGroup& group, int64_t running, int64_t step) noexcept {
  if (!group.call.has_output(kY)) return;
  for (int64_t row = 0; row < running; ++row) {
    const int64_t at = group.sizes.y_at(group.time_at(row, step), group.direction, group.sequence(row));
    copy(group.h + row * group.at.padded, group.sizes.hidden, group.call.outputs[kY].as<float>() + at);
  }
}

void clear_padding(const RecurrentGroup& group) noexcept {
  if (!group.call.has_output(kY)) return;
  for (int64_t row = 0; row < group.count; ++row) {
    const int64_t n = group.sequence(row);
    for (int64_t t = group.length(row); t < group.sizes.time; ++t) {
      clear(group.call.outputs[kY].as<float>() + group.sizes.y_at(t, group.direction, n), group.sizes.hidden);
    }
  }
}

/// X W' + bias of some gates, whose first column is `first`.
void multiply_inputs(const RecurrentGroup& group, const GateColumns& gates, const float* w, int64_t first,
                     int64_t rows) noexcept {
  const int64_t features = group.sizes.features;
  for (int64_t block = 0, column = first; block < gates.blocks(); ++block) {
    const int64_t width = gates.width(block);
    const float* bias = group.weights + group.at.bias + column;
    for (int64_t row = 0, height = 0; row < rows; row += height) {
      height = next_rows(rows - row, width / kLanes);
      float* sums = group.sums + row * group.at.row + column;
      multiply_block({features, group.inputs + row, w, bias, sums, group.at.row}, height, width / kLanes);
    }
    w += width * features;
    column += width;
  }
}

/// X W' + bias of the running sequences for as many steps as there is room; returns the step after them.
int64_t project_inputs(const RecurrentGroup& group, int64_t running, int64_t step) noexcept {
  int64_t rows = 0;
  for (;; ++step) {
    running = group.shrink(running, step);
    if (running == 0 || rows + running > group.count + kRecurrentRows) break;
    for (int64_t row = 0; row < running; ++row, ++rows) {
      const int64_t at = group.sizes.x_at(group.time_at(row, step), group.sequence(row));
      group.inputs[rows] = group.sizes.x_row<float>(group.call, at);
    }
  }
  multiply_inputs(group, group.at.gates, group.weights, 0, rows);
  if (group.at.is_split) {
    multiply_inputs(group, group.at.last, group.weights + group.at.w_last, group.at.gates.columns(), rows);
  }
  return step;
}

/// The rows of sums end with zeros, which no product touches.
void clear_ends(const RecurrentGroup& group) noexcept {
  for (int64_t row = 0; row < group.count + kRecurrentRows; ++row) {
    store(group.sums + row * group.at.row + group.at.columns, Vec{});
  }
}

/// Where the products of the inputs of a step stand.
void look_up(const RecurrentGroup& group, int64_t running, int64_t step) noexcept {
  for (int64_t row = 0; row < running; ++row) {
    const int64_t at = group.sizes.x_at(group.time_at(row, step), group.sequence(row));
    group.found[row] = group.table + group.sizes.table_row(group.call, at) * group.at.row;
  }
}

/// `advance(group, rows)` writes the states of the first rows after a step to group.next and group.c.
template <typename Advance>
void run_group(RecurrentGroup group, const Advance& advance) noexcept {
  load_states(group, kInitialH, group.h);
  load_states(group, kInitialC, group.c);
  if (group.table == nullptr) clear_ends(group);
  int64_t running = group.shrink(group.count, 0);
  store_states(group, group.h, kLastH, running, group.count);
  const float* sums = group.sums;
  for (int64_t step = 0, end = 0; running > 0;) {
    if (group.table != nullptr) {
      look_up(group, running, step);
    } else {
      if (step == end) {
        end = project_inputs(group, running, step);
        sums = group.sums;
      }
      for (int64_t row = 0; row < running; ++row, sums += group.at.row) group.found[row] = sums;
    }
    // What the step before has read last is still near.
    group.from_behind = step % 2 != 0;
    advance(group, running);
    float* before = group.h;
    group.h = group.next;
    group.next = before;
    write_step(group, running, step);
    const int64_t still = group.shrink(running, ++step);
    store_states(group, group.h, kLastH, still, running);
    running = still;
  }
  store_states(group, group.c, kLastC, 0, group.count);
  clear_padding(group);
}

/// Sequences by length, longest first; equal lengths keep their order.
void sort_by_length(const OpCall& call, const Recurrent& sizes, const RecurrentScratch& scratch) noexcept {
  auto* counts = reinterpret_cast<int32_t*>(call.scratch + scratch.counts);
  auto* order = reinterpret_cast<int32_t*>(call.scratch + scratch.order);
  auto* lengths = reinterpret_cast<int32_t*>(call.scratch + scratch.lengths);
  for (int64_t i = 0; i < sizes.time + 2; ++i) counts[i] = 0;
  // Length l is counted at T - l + 1, so that the running sum at T - l is the place of its first.
  for (int64_t n = 0; n < sizes.batch; ++n) {
    lengths[n] = static_cast<int32_t>(sizes.length_of(call, n));
    ++counts[sizes.time - lengths[n] + 1];
  }
  for (int64_t i = 1; i < sizes.time + 2; ++i) counts[i] += counts[i - 1];
  for (int64_t n = 0; n < sizes.batch; ++n) {
    order[counts[sizes.time - lengths[n]]++] = static_cast<int32_t>(n);
  }
}

/// Multiply-adds, if all sequences were as long as the longest. In double, which cannot overflow.
double count_work(const RecurrentPlan& plan) noexcept {
  const Recurrent& sizes = plan.sizes;
  const int64_t features = plan.table != nullptr ? 0 : sizes.features;
  const auto weights = static_cast<double>(sizes.gates * sizes.hidden * (sizes.hidden + features));
  return weights * static_cast<double>(sizes.directions) * static_cast<double>(sizes.time * sizes.batch);
}

/// Groups of one direction: one per thread, where there is enough to do.
int64_t count_groups(const OpCall& call, const Recurrent& sizes, int64_t most) noexcept {
  if (call.pool == nullptr || count_work(call.as<RecurrentPlan>()) < kRecurrentThreadWork) return 1;
  const int64_t wanted = call.pool->threads() / sizes.directions;
  return wanted < 1 ? 1 : wanted > most ? most : wanted;
}

/// The sequences g, g + groups, ... of the sorted order, in direction d. Rows of other groups lie before its own.
RecurrentGroup make_group(const OpCall& call, const RecurrentScratch& scratch, const float* weights, int64_t d,
                          int64_t g, int64_t groups) noexcept {
  const auto& plan = call.as<RecurrentPlan>();
  const Recurrent& sizes = plan.sizes;
  const RecurrentPacking at(sizes, kLanes);
  const auto floats = [&](int64_t place) { return reinterpret_cast<float*>(call.scratch + place); };
  const int64_t rest = sizes.batch % groups;
  const int64_t before = g * (sizes.batch / groups) + (g < rest ? g : rest);
  const int64_t row = d * scratch.rows + before + g * kRecurrentRows;
  float* states = floats(scratch.states) + (d * RecurrentScratch::kStates * sizes.batch + before) * at.padded;
  return {.call = call,
          .sizes = sizes,
          .at = at,
          .direction = d,
          .weights = weights + d * at.size,
          .order = reinterpret_cast<const int32_t*>(call.scratch + scratch.order),
          .lengths = reinterpret_cast<const int32_t*>(call.scratch + scratch.lengths),
          .first = g,
          .stride = groups,
          .count = sizes.batch / groups + (g < rest ? 1 : 0),
          .h = states,
          .next = states + sizes.batch * at.padded,
          .c = states + 2 * sizes.batch * at.padded,
          .sums = floats(scratch.sums) + row * at.row,
          .inputs = reinterpret_cast<const float**>(call.scratch + scratch.inputs) + row,
          .table = plan.table != nullptr ? plan.table + d * sizes.vocabulary * at.row : nullptr,
          .found = reinterpret_cast<const float**>(call.scratch + scratch.found) + d * sizes.batch + before,
          .from_behind = false};
}

/// The packed weights; packed now, into scratch, where they are not constant.
const float* find_weights(const OpCall& call, const RecurrentScratch& scratch) noexcept {
  const auto& plan = call.as<RecurrentPlan>();
  if (plan.packed != nullptr) return plan.packed;
  auto* out = reinterpret_cast<float*>(call.scratch + scratch.packed);
  pack_recurrent(plan.sizes, kLanes, call.inputs[kW].as<float>(), call.inputs[kR].as<float>(),
                 call.has_input(kBias) ? call.inputs[kBias].as<float>() : nullptr, out);
  return out;
}

template <typename Advance>
void run_recurrent(const OpCall& call, const Advance& advance) noexcept {
  const auto& plan = call.as<RecurrentPlan>();
  const Recurrent& sizes = plan.sizes;
  if (!sizes.check_inputs(call)) return;
  const RecurrentScratch scratch(plan, kLanes);
  sort_by_length(call, sizes, scratch);
  const float* weights = find_weights(call, scratch);
  const int64_t groups = count_groups(call, sizes, scratch.groups);
  const auto body = [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t direction = task % sizes.directions;
      run_group(make_group(call, scratch, weights, direction, task / sizes.directions, groups), advance);
    }
  };
  const bool is_large = count_work(plan) >= kRecurrentThreadWork;
  parallel_for(is_large ? call.pool : nullptr, groups * sizes.directions, 1, body);
}

}  // namespace
}  // namespace slipway::SLIPWAY_ISA
