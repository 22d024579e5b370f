#include "ops/network_emitter.h"

#include <algorithm>

#include "ops/network_cost.h"
#include "ops/network_resize.h"
#include "ops/network_windows.h"

namespace slipway {

namespace {

/// Blocks at work at once take at most this much memory.
constexpr int64_t kMostBytes = int64_t{1} << 28;
constexpr int64_t kMostSlots = 64;

}  // namespace

NetworkEmitter::NetworkEmitter(const NetworkItems& items, const std::vector<Fact>& facts, Isa isa,
                               bool has_sample_lanes, const NetworkCut& cut)
    : items_(items),
      facts_(facts),
      isa_(isa),
      lanes_(lanes_of(isa)),
      is_wide_(lanes_ == 16 && has_wide_units()),
      places_(items, lanes_, has_sample_lanes, cut),
      program_(std::make_shared<OwnedNetworkProgram>()) {
  program_->has_sample_lanes = has_sample_lanes;
  program_->batch = items.batch;
  program_->group = places_.group();
  program_->block = places_.cut().samples * places_.group();
  for (std::size_t i = 0; i < items.list.size(); ++i) {
    if (i == places_.cut().first) program_->alone = static_cast<int64_t>(program_->list.size());
    places_.begin(i);
    emit(items.list[i]);
  }
  set_memory();
}

double NetworkEmitter::cost(int threads) const {
  const bool has_far_weights = all_weights_ * lanes_ * 4 > kNearWeights;
  return cost_of(*program_, {far_, weights_, has_far_weights, is_wide_}, threads);
}

std::shared_ptr<const OwnedNetworkProgram> NetworkEmitter::finish() {
  NetworkPacker packer(facts_, isa_, *program_);
  for (const Pack& pack : packs_) pack(packer, *program_);
  program_->ops = program_->list.data();
  program_->count = static_cast<int64_t>(program_->list.size());
  return program_;
}

void NetworkEmitter::add_op(const NetworkOp& op, Uses uses, int64_t work) {
  for (const auto& [index, place] : uses) {
    if (index < 0 || places_.root_of(index).port >= 0) continue;
    places_.touch(index, now());
    starts_.push_back({static_cast<std::size_t>(now()), place, places_.root_index(index)});
  }
  const int64_t times = places_.cut().samples / places_.groups();
  program_->list.push_back(op);
  program_->list.back().groups = places_.groups();
  program_->work += work * times;
  far_ += far_of(op, uses) * static_cast<double>(times);
  const int64_t weights = weights_of(op);
  weights_ += weights * times;
  all_weights_ += weights;
}

double NetworkEmitter::far_of(const NetworkOp& op, Uses uses) const {
  int64_t floats = op.winograd != nullptr ? op.winograd->part : 0;
  int64_t vectors = 0;  // that are read
  int64_t made = 0;
  for (const auto& [index, place] : uses) {
    if (index < 0) continue;
    const int64_t all = value(index).pixels() * places_.rows_of(index) * places_.groups();
    floats += all * lanes_;
    (place == &NetworkOp::out ? made : vectors) += all;
  }
  const bool is_tiled = op.kind == NetworkKind::kWinograd || op.kind == NetworkKind::kStrips;
  const int64_t written = is_tiled ? made : op.pixels * op.rows;
  // A group of channels, of which an operation makes those of one, is read by that one.
  if (op.kind == NetworkKind::kSums && written < made) vectors = vectors * written / made;
  const double beyond = 1.0 - static_cast<double>(near_bytes(lanes_)) / static_cast<double>(floats * 4);
  return beyond > 0 ? beyond * static_cast<double>(vectors + written) : 0.0;
}

int64_t NetworkEmitter::weights_of(const NetworkOp& op) const {
  const int64_t kernels = op.winograd != nullptr ? op.winograd->row_kernels * op.winograd->column_kernels : 1;
  const int64_t matrices = op.kind == NetworkKind::kWinograd ? kWinogradPoints * kernels
                           : op.kind == NetworkKind::kSums   ? 1
                                                             : 0;
  return op.rows * op.terms * matrices / (has_sample_lanes() ? lanes_ : 1);
}

void NetworkEmitter::emit(const NetworkItem& item) {
  if (item.kind != NetworkKind::kGather && item.out < 0) return;  // went into another one
  if (item.kind != NetworkKind::kGather) clear_border(item.out);
  switch (item.kind) {
    case NetworkKind::kCopy:
      return emit_input(item);
    case NetworkKind::kGather:
      return emit_output(item);
    case NetworkKind::kSums:
      return emit_sums(item);
    case NetworkKind::kSpread:
      return emit_spread(item);
    case NetworkKind::kDepthwise:
      return emit_depthwise(item);
    case NetworkKind::kGrouped:
      return emit_grouped(item);
    case NetworkKind::kPool:
      return add_taps(item, pool_taps_of(item, places_), item.is_mean);
    case NetworkKind::kBlend:
      return add_taps(item, blended_of(item, places_), true);
    default:
      return emit_map(item);
  }
}

void NetworkEmitter::clear_border(int index) {
  const NetworkRoot& made = places_.root_of(index);
  if (made.border.is_empty() || made.life.last >= 0) return;
  auto [begins, lengths] = places_.border_of(index);
  NetworkOp op;
  op.kind = NetworkKind::kClear;
  op.pixels = static_cast<int64_t>(begins.size());
  op.out.pixels = keep(std::move(begins));
  op.out.sample = places_.place_of(index, nullptr).sample;
  op.taps = keep(std::move(lengths));
  int64_t floats = 0;
  for (int64_t i = 0; i < op.pixels; ++i) floats += op.taps[i];
  add_op(op, {{index, &NetworkOp::out}}, op.pixels * kReadCost + floats / lanes_);
}

void NetworkEmitter::add_turned(NetworkOp op, NetworkKind kind, int index, NetworkPlace NetworkOp::* place) {
  const NetworkValue& turned = value(index);
  op.kind = kind;
  op.pixels = turned.pixels() * places_.groups();
  op.rows = places_.rows_of(index);
  op.terms = turned.channels;
  op.*place = places_.place_of(index, keep(places_.pixels_of(index)));
  add_op(op, {{index, place}}, op.pixels * op.rows * kTurnCost);
}

void NetworkEmitter::emit_input(const NetworkItem& item) {
  const NetworkValue& made = value(item.out);
  const NetworkRoot& into = places_.root_of(item.out);
  if (into.port >= 0) return;
  NetworkOp op;
  op.port = item.port;
  op.sample = made.elements();
  if (places_.is_turned(item.out)) return add_turned(op, NetworkKind::kEnter, item.out, &NetworkOp::out);
  op.kind = has_sample_lanes() ? NetworkKind::kTranspose : NetworkKind::kCopy;
  const int32_t* elements = keep(places_.elements_of(item.out));
  op.pixels = made.elements() * places_.groups();
  op.terms = 1;
  if (into.is_plane && made.width > 1) {
    std::vector<int32_t> rows;
    for (int64_t i = 0; i < op.pixels; i += made.width) rows.push_back(elements[i]);
    op.pixels /= made.width;
    op.terms = made.width;
    elements = keep(std::move(rows));
  }
  op.out = places_.place_of(item.out, elements);
  const int64_t work = has_sample_lanes() ? op.pixels * kReadCost : op.pixels * (kRunCost + op.terms / lanes_);
  add_op(op, {{item.out, &NetworkOp::out}}, work);
}

void NetworkEmitter::emit_output(const NetworkItem& item) {
  const NetworkValue& from = value(item.in);
  NetworkOp op;
  op.port = item.port;
  op.sample = from.elements();
  if (places_.is_turned(item.in)) return add_turned(op, NetworkKind::kLeave, item.in, &NetworkOp::in);
  op.kind = has_sample_lanes() ? NetworkKind::kUntranspose : NetworkKind::kGather;
  const int32_t* elements = keep(places_.elements_of(item.in));
  op.pixels = op.sample * places_.groups();
  op.terms = 1;
  if (from.pixels() == 1 && places_.is_run(item.in)) {
    std::vector<int32_t> rows;
    for (int64_t g = 0; g < places_.groups(); ++g) rows.push_back(elements[g * from.channels]);
    op.pixels = places_.groups();
    op.terms = from.channels;
    elements = keep(std::move(rows));
  }
  op.in = places_.place_of(item.in, elements);
  add_op(op, {{item.in, &NetworkOp::in}}, op.pixels * (kReadCost + op.terms / lanes_));
}

void NetworkEmitter::add_taps(const NetworkItem& item, NetworkPoolTaps made, bool has_numbers) {
  NetworkOp op;
  op.kind = item.kind;
  op.activation = item.activation;
  op.rows = places_.rows_of(item.out);
  op.pixels = static_cast<int64_t>(made.first.size()) - 1;
  const auto work = static_cast<int64_t>(made.taps.size()) * op.rows + op.pixels * op.rows * kWriteCost;
  op.in = places_.place_of(item.in, nullptr);
  op.out = places_.place_of(item.out, keep(places_.pixels_of(item.out)));
  op.first = keep(std::move(made.first));
  op.taps = keep(std::move(made.taps));
  if (has_numbers) op.counts = keep_in(program_->numbers, std::move(made.counts));
  add_op(op, {{item.in, &NetworkOp::in}, {item.out, &NetworkOp::out}}, work);
}

void NetworkEmitter::emit_map(const NetworkItem& item) {
  NetworkOp op;
  op.kind = item.kind;
  op.activation = item.activation;
  op.rows = places_.rows_of(item.out);
  const NetworkValue& made = value(item.out);
  op.pixels = made.pixels() * places_.groups();
  const bool is_nearest = item.resize != nullptr;
  op.in = places_.place_of(item.in, keep(is_nearest ? nearest_of(item, places_) : places_.pixels_of(item.in)));
  if (item.other >= 0) {
    std::vector<int32_t> pixels = places_.pixels_of(item.other);
    const std::size_t repeats = static_cast<std::size_t>(op.pixels) / pixels.size();  // one for all of a channel
    if (repeats > 1) {
      std::vector<int32_t> repeated;
      for (const int32_t pixel : pixels) repeated.insert(repeated.end(), repeats, pixel);
      pixels = std::move(repeated);
    }
    op.other = places_.place_of(item.other, keep(std::move(pixels)));
  }
  op.out = places_.place_of(item.out, keep(places_.pixels_of(item.out)));
  add_op(op, {{item.in, &NetworkOp::in}, {item.other, &NetworkOp::other}, {item.out, &NetworkOp::out}},
         op.pixels * op.rows * kWriteCost);
}

void NetworkEmitter::set_memory() {
  // Vectors at the end may be read, never written, beyond it. Scratch is no part of what must fit: its size depends
  // on the batch, and whether there is a program must not.
  const int64_t values = (places_.lay_out_roots() + lanes_ + 15) / 16 * 16;
  for (NetworkOp& op : program_->list) op.scratch.start = op.kind == NetworkKind::kWinograd ? values : 0;
  program_->slot = values + scratch_;
  for (const Start& start : starts_) (program_->list[start.op].*start.place).start += places_.start_of(start.root);
  program_->slots = std::clamp<int64_t>(kMostBytes / 4 / program_->slot, 1, std::min(kMostSlots, blocks()));
}

}  // namespace slipway
