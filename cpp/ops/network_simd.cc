// Network: block by block through the program, operation by operation.
#include "ops/network_grouped_simd.h"
#include "ops/network_single_simd.h"
#include "ops/network_strips_simd.h"
#include "ops/network_turn_simd.h"
#include "ops/network_winograd_simd.h"

namespace slipway::SLIPWAY_ISA {

namespace {

constexpr int kMostPixels = 8;

/// One block: its slot, and the samples that it has.
struct Block {
  const OpCall& call;
  const NetworkProgram& program;
  float* slot;
  int64_t sample;    ///< the first one
  int64_t count;     ///< at most program.block
  int64_t at;        ///< of a sample that is taken alone: its place in the slot; or 0
  ThreadPool* pool;  ///< for its operations; or null

  [[nodiscard]] int64_t groups() const noexcept { return (count + program.group - 1) / program.group; }
  [[nodiscard]] const float* in(const NetworkPlace& place) const noexcept {
    if (place.port < 0) return out(place);
    return call.inputs[place.port].as<float>() + sample * place.sample + place.start;
  }
  [[nodiscard]] float* out(const NetworkPlace& place) const noexcept { return slot + place.start + at * place.sample; }
};

/// The end of the piece that holds `at`, or begins there.
int64_t piece_border(int64_t count, int64_t most, int64_t at) noexcept {
  int64_t border = 0;
  while (border < at) border += even_piece(count, most, border);
  return border;
}

void run_sums(const Block& block, const NetworkOp& op, int64_t pixels) noexcept {
  const Sums sums{op, block.in(op.in), op.other.pixels != nullptr ? block.in(op.other) : nullptr, block.out(op.out)};
  const bool has_sample_lanes = block.program.has_sample_lanes;
  const bool is_single = !has_sample_lanes && pixels * op.window == 1;
  if (block.pool == nullptr && is_single) return sum_single_part(sums, 0, op.rows);
  const auto part = has_sample_lanes ? sum_samples_part : sum_channels_part;
  if (block.pool == nullptr) return part(sums, 0, pixels, 0, op.rows);
  const int64_t work = pixels * op.window * op.rows * (op.terms + 1);
  if (pixels >= 4 * kMostPixels) {
    const auto body = [&](int64_t begin, int64_t end) {
      part(sums, begin * kMostPixels, end * kMostPixels < pixels ? end * kMostPixels : pixels, 0, op.rows);
    };
    const int64_t grain = grain_of(work / pixels * kMostPixels, kVectorMultiplyAddsPerNanosecond);
    return parallel_for(block.pool, (pixels + kMostPixels - 1) / kMostPixels, grain, body);
  }
  const int64_t most = has_sample_lanes ? kMostRows : kMostVectors;
  const auto body = [&](int64_t begin, int64_t end) {
    if (is_single) return sum_single_part(sums, begin, end);
    part(sums, 0, pixels, piece_border(op.rows, most, begin), piece_border(op.rows, most, end));
  };
  parallel_for(block.pool, op.rows, grain_of(work / op.rows, kVectorMultiplyAddsPerNanosecond), body);
}

void run_depthwise(const Block& block, const NetworkOp& op, int64_t pixels) noexcept {
  const Sums sums{op, block.in(op.in), nullptr, block.out(op.out)};
  const auto part = [&](int64_t begin, int64_t end) {
    if (op.kind == NetworkKind::kGrouped) return sum_grouped_part(sums, begin, end);
    sum_depthwise_part(sums, block.program.has_sample_lanes, begin, end, 0, op.rows);
  };
  if (block.pool == nullptr) return part(0, pixels);
  constexpr int64_t kTile = 2 * kDepthwisePixels;
  const auto body = [&](int64_t begin, int64_t end) {
    part(begin * kTile, end * kTile < pixels ? end * kTile : pixels);
  };
  const int64_t work = kTile * op.rows * (op.terms + 1);
  parallel_for(block.pool, (pixels + kTile - 1) / kTile, grain_of(work, kVectorMultiplyAddsPerNanosecond), body);
}

void run_winograd(const Block& block, const NetworkOp& op, int64_t tiles) noexcept {
  const float* other = op.other.pixels != nullptr ? block.in(op.other) : nullptr;
  run_winograd({op, block.in(op.in), other, block.out(op.out), block.program.has_sample_lanes}, tiles,
               block.out(op.scratch), block.pool);
}

void run_strips(const Block& block, const NetworkOp& op, int64_t strips) noexcept {
  const int64_t most = kStripVectors / op.strips->lines;
  const int64_t tiles = (strips + most - 1) / most;
  const float* in = block.in(op.in);
  float* out = block.out(op.out);
  const auto body = [&](int64_t begin, int64_t end) {
    sum_strips_part(op, in, out, begin * most, end * most < strips ? end * most : strips);
  };
  if (block.pool == nullptr) return body(0, tiles);
  const int64_t work = kStripVectors * op.strips->channels * (op.terms + 1);
  parallel_for(block.pool, tiles, grain_of(work, kVectorMultiplyAddsPerNanosecond), body);
}

/// y[j][i] = f(activation, j, i) for the rows of pixels [begin, end).
template <typename F>
[[gnu::always_inline]] inline void each_vector(const Block& block, const NetworkOp& op, int64_t pixels,
                                               const F& f) noexcept {
  float* out = block.out(op.out);
  const auto body = [&](int64_t begin, int64_t end) {
    for (int64_t j = begin; j < end; ++j) {
      float* y = out + op.out.pixels[j];
      for (int64_t i = 0; i < op.rows; ++i) store(y + i * op.out.row, activate(op.activation, f(j, i)));
    }
  };
  if (block.pool == nullptr) return body(0, pixels);
  const int64_t taps = op.first != nullptr ? op.first[pixels] / pixels : 1;
  parallel_for(block.pool, pixels, grain_of(op.rows * (taps + 2), kVectorMultiplyAddsPerNanosecond), body);
}

/// Terms that are summed one after the other.
constexpr int64_t kFewTaps = 16;

[[gnu::always_inline]] inline Vec sum_few_taps(const float* row, const int32_t* taps, int64_t count) noexcept {
  Vec sum{};
  for (int64_t t = 0; t < count; ++t) sum += load(row + taps[t]);
  return sum;
}

/// Half by half, so that errors grow with the logarithm of the count: a mean may be that of a whole image.
[[gnu::noinline]] Vec sum_taps(const float* row, const int32_t* taps, int64_t count) noexcept {
  if (count <= kFewTaps) return sum_few_taps(row, taps, count);
  return sum_taps(row, taps, count / 2) + sum_taps(row, taps + count / 2, count - count / 2);
}

void run_pool(const Block& block, const NetworkOp& op, int64_t pixels) noexcept {
  const float* in = block.in(op.in);
  if (op.counts == nullptr) {
    return each_vector(block, op, pixels, [&](int64_t j, int64_t i) {
      const float* row = in + i * op.in.row;
      Vec best = broadcast(-__builtin_inff());
      for (int32_t t = op.first[j]; t < op.first[j + 1]; ++t) best = largest(best, load(row + op.taps[t]));
      return best;
    });
  }
  each_vector(block, op, pixels, [&](int64_t j, int64_t i) {
    const float* row = in + i * op.in.row;
    const int32_t* taps = op.taps + op.first[j];
    const int64_t count = op.first[j + 1] - op.first[j];
    const Vec sum = count <= kFewTaps ? sum_few_taps(row, taps, count) : sum_taps(row, taps, count);
    return sum / broadcast(op.counts[j]);
  });
}

void run_blend(const Block& block, const NetworkOp& op, int64_t pixels) noexcept {
  const float* in = block.in(op.in);
  each_vector(block, op, pixels, [&](int64_t j, int64_t i) {
    const float* row = in + i * op.in.row;
    Vec sum{};
    for (int32_t t = op.first[j]; t < op.first[j + 1]; ++t) {
      sum = fma(load(row + op.taps[t]), broadcast(op.counts[t]), sum);
    }
    return sum;
  });
}

void run_add(const Block& block, const NetworkOp& op, int64_t pixels) noexcept {
  const float* a = block.in(op.in);
  const float* b = block.in(op.other);
  each_vector(block, op, pixels, [&](int64_t j, int64_t i) {
    return load(a + op.in.pixels[j] + i * op.in.row) + load(b + op.other.pixels[j] + i * op.other.row);
  });
}

void run_mul(const Block& block, const NetworkOp& op, int64_t pixels) noexcept {
  const float* a = block.in(op.in);
  const float* b = block.in(op.other);
  each_vector(block, op, pixels, [&](int64_t j, int64_t i) {
    return load(a + op.in.pixels[j] + i * op.in.row) * load(b + op.other.pixels[j] + i * op.other.row);
  });
}

void run_map(const Block& block, const NetworkOp& op, int64_t pixels) noexcept {
  const float* a = block.in(op.in);
  each_vector(block, op, pixels, [&](int64_t j, int64_t i) { return load(a + op.in.pixels[j] + i * op.in.row); });
}

void run_clear(const Block& block, const NetworkOp& op, int64_t runs) noexcept {
  float* out = block.out(op.out);
  for (int64_t j = 0; j < runs; ++j) {
    __builtin_memset(out + op.out.pixels[j], 0, static_cast<size_t>(op.taps[j]) * sizeof(float));
  }
}

/// Samples of group `group` that the block has, at most kLanes.
int64_t lanes_used(const Block& block, int64_t group) noexcept {
  const int64_t left = block.count - group * kLanes;
  return left < kLanes ? left : kLanes;
}

void run_transpose(const Block& block, const NetworkOp& op) noexcept {
  const float* all = block.call.inputs[op.port].as<float>();
  const float* end = all + block.program.batch * op.sample;
  float* out = block.out(op.out);
  for (int64_t group = 0; group < block.groups(); ++group) {
    const float* in = all + (block.sample + group * kLanes) * op.sample;
    const int64_t used = lanes_used(block, group);
    const int32_t* pixels = op.out.pixels + group * op.sample;
    if (op.sample == 1) {
      store(out + pixels[0], used == kLanes ? load(in) : load_first(in, used));
      continue;
    }
    for (int64_t e = 0; e < op.sample; e += kLanes) {
      const int64_t width = op.sample - e < kLanes ? op.sample - e : kLanes;
      Vec rows[kLanes] = {};
      for (int64_t i = 0; i < used; ++i) {
        // Where a vector reaches into the next sample, what it reads there is not looked at.
        const float* from = in + i * op.sample + e;
        rows[i] = end - from >= kLanes ? load(from) : load_first(from, width);
      }
      transpose(rows);
      for (int64_t i = 0; i < width; ++i) store(out + pixels[e + i], rows[i]);
    }
  }
}

void run_untranspose(const Block& block, const NetworkOp& op) noexcept {
  const float* in = block.in(op.in);
  for (int64_t group = 0; group < block.groups(); ++group) {
    float* out = block.call.outputs[op.port].as<float>() + (block.sample + group * kLanes) * op.sample;
    const int64_t used = lanes_used(block, group);
    const int32_t* pixels = op.in.pixels + group * op.sample;
    if (op.sample == 1 && used == kLanes) {
      store(out, load(in + pixels[0]));
      continue;
    }
    for (int64_t e = 0; e < op.sample; e += kLanes) {
      const int64_t width = op.sample - e < kLanes ? op.sample - e : kLanes;
      Vec rows[kLanes] = {};
      for (int64_t i = 0; i < width; ++i) rows[i] = load(in + pixels[e + i]);
      transpose(rows);
      for (int64_t i = 0; i < used; ++i) {
        // A vector that reaches into the next sample of the group may do so only before that is written.
        const bool has_room = width == kLanes || (e == 0 && (used - i) * op.sample >= kLanes);
        if (has_room) {
          store(out + i * op.sample + e, rows[i]);
        } else {
          store_first(out + i * op.sample + e, rows[i], width);
        }
      }
    }
  }
}

void copy_run(const float* from, int64_t count, float* to) noexcept {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(to + i, load(from + i));
  for (; i < count; ++i) to[i] = from[i];
}

/// Runs of all samples lie one after the other in the input.
void run_copy(const Block& block, const NetworkOp& op, int64_t runs) noexcept {
  const float* in = block.call.inputs[op.port].as<float>() + block.sample * op.sample;
  float* out = block.out(op.out);
  for (int64_t i = 0; i < runs; ++i, in += op.terms) copy_run(in, op.terms, out + op.out.pixels[i]);
}

/// body(i, places, begin, end) for parts of the pixels of each sample i of the block, whose places are listed so.
template <typename F>
void run_pixels(const Block& block, const NetworkOp& op, const int32_t* places, const F& body) noexcept {
  const int64_t plane = op.sample / op.terms;
  const int64_t vectors = (plane + kLanes - 1) / kLanes;
  for (int64_t i = 0; i < op.pixels / plane && i < block.count; ++i) {
    const auto part = [&](int64_t begin, int64_t end) {
      body(block.sample + i, places + i * plane, begin * kLanes, end * kLanes < plane ? end * kLanes : plane);
    };
    const int64_t work = kLanes * op.rows * kTurnCost;
    block.pool == nullptr ? part(0, vectors)
                          : parallel_for(block.pool, vectors, grain_of(work, kVectorMultiplyAddsPerNanosecond), part);
  }
}

void run_enter(const Block& block, const NetworkOp& op) noexcept {
  const float* in = block.call.inputs[op.port].as<float>();
  const float* stop = in + block.program.batch * op.sample;
  float* out = block.out(op.out);
  run_pixels(block, op, op.out.pixels, [=, &op](int64_t sample, const int32_t* places, int64_t begin, int64_t end) {
    enter_part(op, places, in + sample * op.sample, stop, out, begin, end);
  });
}

void run_leave(const Block& block, const NetworkOp& op) noexcept {
  const float* in = block.in(op.in);
  float* out = block.call.outputs[op.port].as<float>();
  run_pixels(block, op, op.in.pixels, [=, &op](int64_t sample, const int32_t* places, int64_t begin, int64_t end) {
    leave_part(op, places, in, out + sample * op.sample, begin, end);
  });
}

void run_gather(const Block& block, const NetworkOp& op, int64_t runs) noexcept {
  const float* in = block.in(op.in);
  float* out = block.call.outputs[op.port].as<float>() + block.sample * op.sample;
  for (int64_t i = 0; i < runs; ++i, out += op.terms) copy_run(in + op.in.pixels[i], op.terms, out);
}

void run_op(const Block& block, const NetworkOp& op) noexcept {
  const int64_t pixels = op.pixels / op.groups * block.groups();
  switch (op.kind) {
    case NetworkKind::kSums:
      return run_sums(block, op, pixels);
    case NetworkKind::kWinograd:
      return run_winograd(block, op, pixels);
    case NetworkKind::kStrips:
      return run_strips(block, op, pixels);
    case NetworkKind::kPool:
      return run_pool(block, op, pixels);
    case NetworkKind::kSpread:  // it became kSums
      return;
    case NetworkKind::kAdd:
      return run_add(block, op, pixels);
    case NetworkKind::kBlend:
      return run_blend(block, op, pixels);
    case NetworkKind::kMul:
      return run_mul(block, op, pixels);
    case NetworkKind::kDepthwise:
    case NetworkKind::kGrouped:
      return run_depthwise(block, op, pixels);
    case NetworkKind::kMap:
      return run_map(block, op, pixels);
    case NetworkKind::kClear:
      return run_clear(block, op, op.pixels);
    case NetworkKind::kTranspose:
      return run_transpose(block, op);
    case NetworkKind::kUntranspose:
      return run_untranspose(block, op);
    case NetworkKind::kCopy:
      return run_copy(block, op, pixels);
    case NetworkKind::kEnter:
      return run_enter(block, op);
    case NetworkKind::kLeave:
      return run_leave(block, op);
    case NetworkKind::kGather:
      return run_gather(block, op, pixels);
  }
}

void run_block(const OpCall& call, const NetworkProgram& program, int64_t index, float* slot,
               ThreadPool* pool) noexcept {
  const int64_t sample = index * program.block;
  const int64_t left = program.batch - sample;
  const Block block{call, program, slot, sample, left < program.block ? left : program.block, 0, pool};
  for (int64_t at = 0; program.alone > 0 && at < block.count; ++at) {
    const Block one{call, program, slot, sample + at, 1, at, pool};
    for (int64_t i = 0; i < program.alone; ++i) run_op(one, program.ops[i]);
  }
  for (int64_t i = program.alone; i < program.count; ++i) run_op(block, program.ops[i]);
}

}  // namespace

void network(const OpCall& call) noexcept {
  const NetworkProgram* program = call.as<NetworkCall>().program;
  if (program == nullptr) return run_network_nodes(call);
  auto* scratch = reinterpret_cast<float*>(call.scratch);
  const int64_t blocks = (program->batch + program->block - 1) / program->block;
  if (blocks == 1) return run_block(call, *program, 0, scratch, call.pool);
  const auto body = [&](int64_t begin, int64_t end) {
    float* slot = scratch + begin * program->slot;  // a thread's blocks all use the slot of its first one
    for (int64_t i = begin * blocks / program->slots; i < end * blocks / program->slots; ++i) {
      run_block(call, *program, i, slot, nullptr);
    }
  };
  const int64_t work = program->work * (blocks / program->slots);
  parallel_for(call.pool, program->slots, grain_of(work, kVectorMultiplyAddsPerNanosecond), body);
}

}  // namespace slipway::SLIPWAY_ISA
