// Operations that sum: convolutions, transposed ones, dense layers.
#include <algorithm>

#include "ops/network_cost.h"
#include "ops/network_emitter.h"
#include "ops/network_spread.h"
#include "ops/network_windows.h"

namespace slipway {

namespace {

/// Groups of tiles at work at once, at most, where there is one block.
constexpr int64_t kMostParts = 8;
/// Of a multiply-add whose vector is put together from lanes of another.
constexpr int64_t kTakenCost = 2;

/// Lets pixels beside each other share what they read, where tiles fit lines so wide; which kernels have tiles, the
/// instruction set's sum_depthwise_part() knows.
void share_lines(const NetworkItem& item, const NetworkValue& made, int64_t step, NetworkOp& op) {
  const WindowAxis& across = item.window.axes[2];
  const int64_t tiles = (made.width + kFewLinePixels - 1) / kFewLinePixels;
  const bool fits = 4 * tiles * kFewLinePixels <= 5 * made.width;
  const bool is_one_block = op.depth == op.terms;  // they add no second one
  if (item.kind != NetworkKind::kDepthwise || across.dilation > 1 || !fits || !is_one_block) return;
  op.line = across.kernel;
  op.step = step;
  op.stride = across.stride;
  op.width = made.width;
}

/// The taps of channels [first, first + count), one channel after the other.
std::vector<int32_t> offsets_of(const NetworkItem& item, const NetworkPlaces& places, int64_t first, int64_t count) {
  std::vector<int32_t> offsets;
  for (int64_t c = first; c < first + count; ++c) {
    for (const int32_t tap : taps_of(item, places, c)) offsets.push_back(tap);
  }
  return offsets;
}

}  // namespace

void NetworkEmitter::emit_sums(const NetworkItem& item) {
  if (const auto form = winograd_of(items_, item)) return emit_winograd(item, *form);
  const NetworkValue& from = value(item.in);
  const NetworkValue& made = value(item.out);
  NetworkOp op;
  op.kind = NetworkKind::kSums;
  op.activation = item.activation;
  op.rows = places_.rows_of(item.out);
  op.window = item.pool * item.pool;
  op.terms = from.channels * item.window.taps();
  op.offsets = keep(offsets_of(item, places_, 0, from.channels));
  op.in = places_.place_of(item.in, keep(windows_of(item, places_)));
  op.pixels = made.pixels() * places_.groups();
  op.depth = sum_depth(op.terms, made.pixels() * op.window == 1);
  op.out = places_.place_of(item.out, keep(places_.pixels_of(item.out)));
  if (item.other >= 0) op.other = places_.place_of(item.other, keep(places_.pixels_of(item.other)));

  op.ends_in_half = ends_in_half(made.channels);
  const int64_t work = work_of_sums(op);
  auto strips = has_sample_lanes() ? nullptr : make_strips(item, places_, made.channels, lanes_, work, op);
  add_op(op, {{item.in, &NetworkOp::in}, {item.other, &NetworkOp::other}, {item.out, &NetworkOp::out}},
         strips != nullptr ? strips->work : work);
  if (strips == nullptr) {
    return packs_.push_back([op = last(), node = item.node](NetworkPacker& packer, OwnedNetworkProgram& program) {
      packer.pack_sums(program.list[op], *node, program.has_sample_lanes);
    });
  }
  packs_.push_back([made = strips.get(), node = item.node](NetworkPacker& packer, OwnedNetworkProgram&) {
    packer.pack_sums(made->sums, *node, true);
  });
  program_->strips.push_back(std::move(strips));
}

int64_t NetworkEmitter::work_of_sums(const NetworkOp& op) const {
  // Half a vector is half the work beside others; alone it waits for the pixels that it reads.
  const int64_t quarters = op.rows * 4 - (!op.ends_in_half ? 0 : op.rows == 1 ? 1 : 2);
  // A single pixel meets weights that come from afar.
  const int64_t streamed = !has_sample_lanes() && op.pixels == 1 ? 2 : 1;
  return op.pixels * op.window * quarters * (op.terms * streamed + kReadCost) / 4 + op.pixels * op.rows * kWriteCost;
}

void NetworkEmitter::emit_spread(const NetworkItem& item) {
  for (NetworkSpread& each : spreads_of(item, places_)) {
    NetworkOp op;
    op.kind = NetworkKind::kSums;
    op.activation = item.activation;
    op.rows = places_.rows_of(item.out);
    op.terms = static_cast<int64_t>(each.offsets.size());
    op.pixels = static_cast<int64_t>(each.pixels.size());
    op.depth = sum_depth(op.terms, op.pixels == places_.groups());
    op.ends_in_half = ends_in_half(places_.channels_of(item.out));
    op.offsets = keep(std::move(each.offsets));
    op.in = places_.place_of(item.in, keep(std::move(each.windows)));
    op.out = places_.place_of(item.out, keep(std::move(each.pixels)));
    add_op(op, {{item.in, &NetworkOp::in}, {item.out, &NetworkOp::out}}, work_of_sums(op));
    packs_.push_back([op = last(), node = item.node, taps = std::move(each.taps)](NetworkPacker& packer,
                                                                                  OwnedNetworkProgram& program) {
      packer.pack_spread(program.list[op], *node, taps);
    });
  }
}

bool NetworkEmitter::ends_in_half(int64_t channels) const {
  const int64_t over = channels % lanes_;
  return !has_sample_lanes() && lanes_ == 16 && !is_wide_ && over > 0 && over <= lanes_ / 2;
}

void NetworkEmitter::emit_winograd(const NetworkItem& item, const WinogradForm& form) {
  const int64_t most_parts = blocks() == 1 ? kMostParts : 1;
  NetworkOp op;
  op.activation = item.activation;
  op.rows = places_.rows_of(item.out);
  op.window = item.pool * item.pool;
  op.terms = value(item.in).channels;
  op.ends_in_half = ends_in_half(value(item.out).channels);
  auto made = make_winograd(form, {items_, item, places_, lanes_, has_sample_lanes(), most_parts}, op);
  op.winograd = made.get();
  scratch_ = std::max(scratch_, made->parts * made->part);
  add_op(op, {{item.in, &NetworkOp::in}, {item.other, &NetworkOp::other}, {item.out, &NetworkOp::out}}, made->work);
  packs_.push_back([op = last(), node = item.node, made](NetworkPacker& packer, OwnedNetworkProgram& program) {
    packer.pack_tiles(program.list[op], *node, *made);
  });
  program_->winograds.push_back(std::move(made));
}

// Sums of their own where a group fills whole rows.
void NetworkEmitter::emit_grouped(const NetworkItem& item) {
  require_fit(has_sample_lanes() || places_.is_run(item.in));
  if (!has_sample_lanes() && item.fellows % lanes_ != 0) return emit_depthwise(item);
  const int32_t* windows = keep(windows_of(item, places_));
  const int32_t* pixels = keep(places_.pixels_of(item.out));
  NetworkOp op;
  op.kind = NetworkKind::kSums;
  op.activation = item.activation;
  op.rows = item.fellows / (has_sample_lanes() ? 1 : lanes_);
  op.terms = item.fellows * item.window.taps();
  op.pixels = value(item.out).pixels() * places_.groups();
  op.depth = sum_depth(op.terms, value(item.out).pixels() == 1);
  op.in = places_.place_of(item.in, windows);
  for (int64_t first = 0; first < value(item.out).channels; first += item.fellows) {
    op.offsets = keep(offsets_of(item, places_, first, item.fellows));
    op.out = places_.place_of(item.out, pixels);
    op.out.start += places_.channel_at(item.out, first);
    add_op(op, {{item.in, &NetworkOp::in}, {item.out, &NetworkOp::out}}, work_of_sums(op));
    packs_.push_back([op = last(), node = item.node, first, count = item.fellows](NetworkPacker& packer,
                                                                                  OwnedNetworkProgram& program) {
      packer.pack_sums(program.list[op], *node, program.has_sample_lanes, first, count);
    });
  }
}

void NetworkEmitter::emit_depthwise(const NetworkItem& item) {
  NetworkOp op;
  op.kind = item.kind;
  op.activation = item.activation;
  op.rows = places_.rows_of(item.out);
  op.terms = item.fellows * item.window.taps();
  op.fellows = item.fellows;
  const bool is_single = item.kind == NetworkKind::kGrouped && value(item.out).pixels() == 1;
  op.depth = sum_depth(op.terms, is_single);
  share_lines(item, value(item.out), places_.steps_of(places_.root_of(item.in)).x, op);
  op.offsets = keep(taps_of(item, places_, 0));
  std::vector<int32_t> windows = windows_of(item, places_);
  op.pixels = static_cast<int64_t>(windows.size());
  op.in = places_.place_of(item.in, keep(std::move(windows)));
  op.out = places_.place_of(item.out, keep(places_.pixels_of(item.out)));
  std::vector<int64_t> lanes;
  const int64_t each = has_sample_lanes() ? lanes_ : 1;
  for (int64_t c = 0; c < places_.channels_of(item.out); ++c) lanes.push_back(places_.lane_of(item.out, c) / each);
  add_op(op, {{item.in, &NetworkOp::in}, {item.out, &NetworkOp::out}},
         op.pixels * op.rows * (op.terms * (op.fellows > 1 ? kTakenCost : 1) + kReadCost + kWriteCost));
  packs_.push_back(
      [op = last(), node = item.node, lanes = std::move(lanes)](NetworkPacker& packer, OwnedNetworkProgram& program) {
        packer.pack_depthwise(program.list[op], *node, lanes);
      });
}

}  // namespace slipway
