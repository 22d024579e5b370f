// Where the values of a network are in a block's memory on a GPU, and in which phase each is made (network_stage.h).
#pragma once

#include <vector>

#include "base/layout.h"
#include "ops/network_items.h"
#include "ops/network_stage.h"

namespace slipway {

/// True for sums over all of a value, without padding: a dense layer, whatever the graph calls it.
[[nodiscard]] bool is_dense(const NetworkItem& item, const NetworkValue& in);

class NetworkMemory final {
 public:
  /// Throws NetworkUnfit.
  explicit NetworkMemory(const NetworkItems& items);

  /// The phase that makes the value; -1 for an input.
  [[nodiscard]] int phase_of(int value) const { return phases_[static_cast<std::size_t>(value)]; }
  [[nodiscard]] int phase_of(const NetworkItem& item) const;
  /// The output of the network that takes the value where nobody else does: it has no place. Else -1.
  [[nodiscard]] int port_of(int value) const { return ports_[static_cast<std::size_t>(value)]; }
  [[nodiscard]] StagePlace place_of(int value) const;
  /// What has to be cleared around a value; once for a value and those that it is concatenated with.
  [[nodiscard]] StageBorder take_border(int value);
  /// Floats of an image.
  [[nodiscard]] int64_t floats() const { return floats_; }

 private:
  struct Root {
    int64_t channels = 0;
    int64_t height = 0;
    int64_t width = 0;
    int64_t top = 0;
    int64_t left = 0;
    int64_t bottom = 0;
    int64_t right = 0;
    bool is_flat = false;  // its elements lie one after the other
    bool is_cleared = false;
    Lifetime life;

    [[nodiscard]] bool has_border() const { return top + left + bottom + right > 0; }
    [[nodiscard]] int64_t pitch() const { return is_flat ? width : (left + width + right + 3) / 4 * 4; }
    [[nodiscard]] int64_t plane() const { return (top + height + bottom) * pitch(); }
    [[nodiscard]] int64_t start() const { return life.offset / 4; }
  };
  struct Placed {
    int root = -1;
    int64_t first_channel = 0;
  };

  [[nodiscard]] Root& root_of(int value) { return roots_[static_cast<std::size_t>(at(value).root)]; }
  [[nodiscard]] const Root& root_of(int value) const { return roots_[static_cast<std::size_t>(at(value).root)]; }
  [[nodiscard]] const Placed& at(int value) const { return placed_[static_cast<std::size_t>(value)]; }
  [[nodiscard]] const NetworkValue& value(int index) const { return items_.values[static_cast<std::size_t>(index)]; }
  void add_root(int value);
  void set_phases();
  void set_ports();
  void set_forms();
  void set_lives();
  void cover_reads();

  const NetworkItems& items_;
  std::vector<Root> roots_;
  std::vector<Placed> placed_;
  std::vector<int> phases_;
  std::vector<int> ports_;
  int64_t floats_ = 0;
};

}  // namespace slipway
