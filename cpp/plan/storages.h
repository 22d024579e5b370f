// Memory that the steps of one segment write, while it is planned: how long each piece is needed, and where it lies.
#pragma once

#include <cstdint>
#include <vector>

#include "base/layout.h"
#include "plan/plan.h"

namespace slipway {

class Storages final {
 public:
  /// Of a graph with so many values, none of which has memory yet. Absent values (kNoValue) never have any.
  explicit Storages(std::size_t values) : of_(values, -1) {}

  /// Step `now` writes the value: it gets memory of its own.
  void write(ValueId id, int64_t bytes, int now);
  /// Step `now` reads the value.
  void read(ValueId id, int now) noexcept;
  /// The value is read until the run ends.
  void keep(ValueId id) noexcept;
  /// A view: `to` has the memory of `from`, or none as it has none.
  void share(ValueId from, ValueId to) noexcept { at(to) = at(from); }
  /// Takes the last write() back.
  void forget_last(ValueId id) noexcept;
  /// Makes the value's memory that of graph output k; false where it has none, or it is another output's.
  [[nodiscard]] bool give_to_output(ValueId id, int k) noexcept;

  /// Lays all that is no output's into one arena; returns its bytes.
  [[nodiscard]] int64_t lay_out();
  /// Where the value is in `segment`, behind lay_out(); kNowhere where it has no memory here.
  [[nodiscard]] Place place_of(ValueId id, int segment) const noexcept;

 private:
  struct Storage {
    Lifetime life;
    int output = -1;  ///< graph output whose memory it is, or -1 for the arena
  };

  [[nodiscard]] int& at(ValueId id) noexcept { return of_[static_cast<std::size_t>(id)]; }
  [[nodiscard]] Storage* find(ValueId id) noexcept;

  std::vector<int> of_;  // by value: index into list_, or -1
  std::vector<Storage> list_;
};

}  // namespace slipway
