// Writes the operations of a network's program, item by item, for one layout.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

#include "ops/network_places.h"
#include "ops/network_program.h"
#include "ops/network_weights.h"
#include "ops/network_windows.h"

namespace slipway {

class NetworkEmitter final {
 public:
  /// Throws NetworkUnfit.
  NetworkEmitter(const NetworkItems& items, const std::vector<Fact>& facts, Isa isa, bool has_sample_lanes,
                 const NetworkCut& cut);

  /// As cost_of() counts it.
  [[nodiscard]] double cost(int threads) const;

  /// Packs the weights.
  [[nodiscard]] std::shared_ptr<const OwnedNetworkProgram> finish();

 private:
  /// Packs the weights of an operation of the program, whose address is not known before all are there.
  using Pack = std::function<void(NetworkPacker&, OwnedNetworkProgram&)>;
  using Uses = std::initializer_list<std::pair<int, NetworkPlace NetworkOp::*>>;

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

  /// `uses` are values, and the members of `op` that say where they are.
  void add_op(const NetworkOp& op, Uses uses, int64_t work);
  /// Vectors that an operation reads and writes, as far as they are not in a second cache.
  [[nodiscard]] double far_of(const NetworkOp& op, Uses uses) const;
  /// Vectors of weights of an operation.
  [[nodiscard]] int64_t weights_of(const NetworkOp& op) const;
  void emit(const NetworkItem& item);
  /// Before the first operation that writes into a root with a border.
  void clear_border(int index);
  /// Of an input or output, value `index`, whose squares are turned on the way; `op` has its port.
  void add_turned(NetworkOp op, NetworkKind kind, int index, NetworkPlace NetworkOp::* place);
  void emit_input(const NetworkItem& item);
  void emit_output(const NetworkItem& item);
  void emit_sums(const NetworkItem& item);
  void emit_spread(const NetworkItem& item);
  void emit_winograd(const NetworkItem& item, const WinogradForm& form);
  /// Channel by channel, or group by group where a vector has several groups.
  void emit_depthwise(const NetworkItem& item);
  void emit_grouped(const NetworkItem& item);
  [[nodiscard]] int64_t work_of_sums(const NetworkOp& op) const;
  [[nodiscard]] bool ends_in_half(int64_t channels) const;
  /// Of a pooling or blend; `has_numbers` where counts are looked at.
  void add_taps(const NetworkItem& item, NetworkPoolTaps made, bool has_numbers);
  void emit_map(const NetworkItem& item);
  void set_memory();

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
  double far_ = 0;       // vectors that are not in a second cache
  int64_t weights_ = 0;  // vectors, as often as a block reads them
  int64_t all_weights_ = 0;
};

}  // namespace slipway
