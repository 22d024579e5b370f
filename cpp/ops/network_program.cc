#include "ops/network_program.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <optional>

#include "ops/network_cost.h"
#include "ops/network_items.h"
#include "ops/network_places.h"
#include "ops/network_spread.h"
#include "ops/network_weights.h"
#include "ops/network_windows.h"
#include "simd/panels.h"

namespace slipway {

namespace {

/// Blocks at work at once take at most this much memory.
constexpr int64_t kMostBytes = int64_t{1} << 28;
constexpr int64_t kMostSlots = 64;
/// Groups of tiles at work at once, at most, where there is one block.
constexpr int64_t kMostParts = 8;

class Emitter final {
  /// Packs the weights of an operation of the program, whose address is not known before all are there.
  using Pack = std::function<void(NetworkPacker&, OwnedNetworkProgram&)>;

 public:
  Emitter(const NetworkItems& items, const std::vector<Fact>& facts, Isa isa, bool has_sample_lanes)
      : items_(items),
        facts_(facts),
        isa_(isa),
        lanes_(lanes_of(isa)),
        is_wide_(lanes_ == 16 && has_wide_units()),
        places_(items, lanes_, has_sample_lanes),
        program_(std::make_shared<OwnedNetworkProgram>()) {
    program_->has_sample_lanes = has_sample_lanes;
    program_->batch = items.batch;
    program_->block = places_.block();
    program_->groups = places_.groups();
    for (const NetworkItem& item : items.list) emit(item);
    set_memory();
  }

  [[nodiscard]] double cost(int threads) const {
    return cost_of(*program_, {program_->slot - scratch_ + part_, written_, is_wide_}, threads);
  }

  std::shared_ptr<const OwnedNetworkProgram> finish() {
    NetworkPacker packer(facts_, isa_, *program_);
    for (const Pack& pack : packs_) pack(packer, *program_);
    program_->ops = program_->list.data();
    program_->count = static_cast<int64_t>(program_->list.size());
    return program_;
  }

 private:
  [[nodiscard]] const NetworkValue& value(int index) const { return items_.values[static_cast<std::size_t>(index)]; }
  [[nodiscard]] bool has_sample_lanes() const { return program_->has_sample_lanes; }
  [[nodiscard]] int64_t blocks() const { return (program_->batch + program_->block - 1) / program_->block; }

  template <typename T>
  static const T* keep_in(std::vector<std::vector<T>>& lists, std::vector<T> list) {
    lists.push_back(std::move(list));
    return lists.back().data();
  }
  const int32_t* keep(std::vector<int32_t> list) { return keep_in(program_->places, std::move(list)); }

  [[nodiscard]] std::size_t last() const { return program_->list.size() - 1; }
  [[nodiscard]] int now() const { return static_cast<int>(program_->list.size()); }

  void add_op(const NetworkOp& op, std::initializer_list<std::pair<int, NetworkPlace NetworkOp::*>> uses,
              int64_t work) {
    for (const auto& [index, place] : uses) {
      if (index < 0 || places_.root_of(index).port >= 0) continue;
      places_.touch(index, now());
      starts_.push_back({static_cast<std::size_t>(now()), place, places_.root_index(index)});
    }
    program_->list.push_back(op);
    program_->work += work;
    written_ += op.pixels * op.rows;
  }

  void emit(const NetworkItem& item) {
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
      case NetworkKind::kPool:
        return emit_pool(item);
      default:
        return emit_map(item);
    }
  }

  /// Before the first operation that writes into a root with a border.
  void clear_border(int index) {
    const NetworkRoot& made = places_.root_of(index);
    if (made.border.is_empty() || made.life.last >= 0) return;
    auto [begins, lengths] = places_.border_of(index);
    NetworkOp op;
    op.kind = NetworkKind::kClear;
    op.pixels = static_cast<int64_t>(begins.size());
    op.out.pixels = keep(std::move(begins));
    op.taps = keep(std::move(lengths));
    int64_t floats = 0;
    for (int64_t i = 0; i < op.pixels; ++i) floats += op.taps[i];
    add_op(op, {{index, &NetworkOp::out}}, op.pixels * kReadCost + floats / lanes_);
  }

  void emit_input(const NetworkItem& item) {
    const NetworkValue& made = value(item.out);
    const NetworkRoot& into = places_.root_of(item.out);
    if (into.port >= 0) return;
    NetworkOp op;
    op.port = item.port;
    op.sample = made.elements();
    if (places_.is_turned(item.out)) {
      op.kind = NetworkKind::kEnter;
      op.pixels = made.height * made.width * places_.groups();
      op.rows = places_.rows_of(item.out);
      op.terms = made.channels;
      op.out = places_.place_of(item.out, keep(places_.pixels_of(item.out)));
      return add_op(op, {{item.out, &NetworkOp::out}}, op.pixels * op.rows * kTurnCost);
    }
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

  void emit_output(const NetworkItem& item) {
    const NetworkValue& from = value(item.in);
    NetworkOp op;
    op.port = item.port;
    op.sample = from.elements();
    if (places_.is_turned(item.in)) {
      op.kind = NetworkKind::kLeave;
      op.pixels = from.height * from.width * places_.groups();
      op.rows = places_.rows_of(item.in);
      op.terms = from.channels;
      op.in = places_.place_of(item.in, keep(places_.pixels_of(item.in)));
      return add_op(op, {{item.in, &NetworkOp::in}}, op.pixels * op.rows * kTurnCost);
    }
    op.kind = has_sample_lanes() ? NetworkKind::kUntranspose : NetworkKind::kGather;
    const int32_t* elements = keep(places_.elements_of(item.in));
    op.pixels = op.sample * places_.groups();
    op.terms = 1;
    if (from.height * from.width == 1 && places_.is_run(item.in)) {
      std::vector<int32_t> rows;
      for (int64_t g = 0; g < places_.groups(); ++g) rows.push_back(elements[g * from.channels]);
      op.pixels = places_.groups();
      op.terms = from.channels;
      elements = keep(std::move(rows));
    }
    op.in = places_.place_of(item.in, elements);
    add_op(op, {{item.in, &NetworkOp::in}}, op.pixels * (kReadCost + op.terms / lanes_));
  }

  void emit_sums(const NetworkItem& item) {
    if (const auto form = winograd_of(items_, item)) return emit_winograd(item, *form);
    const NetworkValue& from = value(item.in);
    const NetworkValue& made = value(item.out);
    NetworkOp op;
    op.kind = NetworkKind::kSums;
    op.activation = item.activation;
    op.rows = places_.rows_of(item.out);
    op.window = item.pool * item.pool;
    op.terms = from.channels * item.window.taps();
    std::vector<int32_t> offsets;
    for (int64_t c = 0; c < from.channels; ++c) {
      for (const int32_t tap : taps_of(item, places_, c)) offsets.push_back(tap);
    }
    op.offsets = keep(std::move(offsets));
    op.in = places_.place_of(item.in, keep(windows_of(item, places_)));
    op.pixels = made.height * made.width * places_.groups();
    op.depth = sum_depth(op.terms, made.height * made.width * op.window == 1);
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

  [[nodiscard]] int64_t work_of_sums(const NetworkOp& op) const {
    // Half a vector is half the work beside others; alone it waits for the pixels that it reads.
    const int64_t quarters = op.rows * 4 - (!op.ends_in_half ? 0 : op.rows == 1 ? 1 : 2);
    // A single pixel meets weights that come from afar.
    const int64_t streamed = !has_sample_lanes() && op.pixels == 1 ? 2 : 1;
    return op.pixels * op.window * quarters * (op.terms * streamed + kReadCost) / 4 + op.pixels * op.rows * kWriteCost;
  }

  void emit_spread(const NetworkItem& item) {
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

  [[nodiscard]] bool ends_in_half(int64_t channels) const {
    const int64_t over = channels % lanes_;
    return !has_sample_lanes() && lanes_ == 16 && !is_wide_ && over > 0 && over <= lanes_ / 2;
  }

  void emit_winograd(const NetworkItem& item, const WinogradForm& form) {
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
    part_ = std::max(part_, made->part);
    add_op(op, {{item.in, &NetworkOp::in}, {item.other, &NetworkOp::other}, {item.out, &NetworkOp::out}}, made->work);
    packs_.push_back([op = last(), node = item.node, made](NetworkPacker& packer, OwnedNetworkProgram& program) {
      packer.pack_tiles(program.list[op], *node, *made);
    });
    program_->winograds.push_back(std::move(made));
  }

  void emit_depthwise(const NetworkItem& item) {
    NetworkOp op;
    op.kind = item.kind;
    op.activation = item.activation;
    op.rows = places_.rows_of(item.out);
    op.terms = item.window.taps();
    op.depth = sum_depth(op.terms, false);
    op.offsets = keep(taps_of(item, places_, 0));
    std::vector<int32_t> windows = windows_of(item, places_);
    op.pixels = static_cast<int64_t>(windows.size());
    op.in = places_.place_of(item.in, keep(std::move(windows)));
    op.out = places_.place_of(item.out, keep(places_.pixels_of(item.out)));
    std::vector<int64_t> lanes;
    const int64_t each = has_sample_lanes() ? lanes_ : 1;
    for (int64_t c = 0; c < places_.channels_of(item.in); ++c) lanes.push_back(places_.lane_of(item.in, c) / each);
    add_op(op, {{item.in, &NetworkOp::in}, {item.out, &NetworkOp::out}},
           op.pixels * op.rows * (op.terms + kReadCost + kWriteCost));
    packs_.push_back(
        [op = last(), node = item.node, lanes = std::move(lanes)](NetworkPacker& packer, OwnedNetworkProgram& program) {
          packer.pack_depthwise(program.list[op], *node, lanes);
        });
  }

  void emit_pool(const NetworkItem& item) {
    NetworkOp op;
    op.kind = NetworkKind::kPool;
    op.activation = item.activation;
    op.rows = places_.rows_of(item.out);
    NetworkPoolTaps made = pool_taps_of(item, places_);
    op.pixels = static_cast<int64_t>(made.counts.size());
    const auto work = static_cast<int64_t>(made.taps.size()) * op.rows + op.pixels * op.rows * kWriteCost;
    op.in = places_.place_of(item.in, nullptr);
    op.out = places_.place_of(item.out, keep(places_.pixels_of(item.out)));
    op.first = keep(std::move(made.first));
    op.taps = keep(std::move(made.taps));
    if (item.is_mean) op.counts = keep_in(program_->numbers, std::move(made.counts));
    add_op(op, {{item.in, &NetworkOp::in}, {item.out, &NetworkOp::out}}, work);
  }

  void emit_map(const NetworkItem& item) {
    NetworkOp op;
    op.kind = item.kind;
    op.activation = item.activation;
    op.rows = places_.rows_of(item.out);
    const NetworkValue& made = value(item.out);
    op.pixels = made.height * made.width * places_.groups();
    op.in = places_.place_of(item.in, keep(places_.pixels_of(item.in)));
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

  void set_memory() {
    // Vectors at the end may be read, never written, beyond it. Scratch is no part of what must fit: its size depends
    // on the batch, and whether there is a program must not.
    const int64_t values = (places_.lay_out_roots() + lanes_ + 15) / 16 * 16;
    for (NetworkOp& op : program_->list) op.scratch.start = op.kind == NetworkKind::kWinograd ? values : 0;
    program_->slot = values + scratch_;
    for (const Start& start : starts_) (program_->list[start.op].*start.place).start += places_.start_of(start.root);
    program_->slots = std::clamp<int64_t>(kMostBytes / 4 / program_->slot, 1, std::min(kMostSlots, blocks()));
  }

  struct Start {
    std::size_t op;
    NetworkPlace NetworkOp::* place;
    int root;
  };

  const NetworkItems& items_;
  const std::vector<Fact>& facts_;
  Isa isa_;
  int64_t lanes_;
  bool is_wide_;  // a vector takes a unit no longer than half of one
  NetworkPlaces places_;
  std::shared_ptr<OwnedNetworkProgram> program_;
  std::vector<Start> starts_;
  std::vector<Pack> packs_;
  int64_t scratch_ = 0;  // floats behind the values, which all convolutions in tiles share
  int64_t part_ = 0;     // what one thread uses of it
  int64_t written_ = 0;
};

std::optional<Emitter> try_layout(const NetworkItems& items, const std::vector<Fact>& facts, Isa isa,
                                  bool has_sample_lanes) {
  try {
    return std::optional<Emitter>(std::in_place, items, facts, isa, has_sample_lanes);
  } catch (const NetworkUnfit&) {
    return std::nullopt;
  }
}

std::optional<NetworkItems> try_read(const Graph& body, const std::vector<Fact>& facts) {
  try {
    return read_network(body, facts);
  } catch (const NetworkUnfit&) {
    return std::nullopt;
  }
}

}  // namespace

std::shared_ptr<const OwnedNetworkProgram> make_network_program(const Graph& body, const std::vector<Fact>& facts,
                                                                const Target& target) {
  const Isa isa = target.isa;
  if (host_isa(isa) == Isa::kScalar) return nullptr;
  const std::optional<NetworkItems> items = try_read(body, facts);
  if (!items) return nullptr;
  std::optional<Emitter> samples = try_layout(*items, facts, isa, true);
  std::optional<Emitter> channels = try_layout(*items, facts, isa, false);
  if (!samples && !channels) return nullptr;
  const bool takes_samples = samples && (!channels || samples->cost(target.threads) < channels->cost(target.threads));
  return takes_samples ? samples->finish() : channels->finish();
}

}  // namespace slipway
