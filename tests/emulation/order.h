// Which of several blocks, warps or lanes goes first: a choice that right kernels do not depend on.
#pragma once

#include <cstdint>
#include <vector>

namespace slipway::emulation {

enum class Order { kForward, kBackward, kRandom };

/// From now on, for all host threads. At first as the environment has it: SLIPWAY_EMULATION_ORDER=forward, backward,
/// random or random:SEED.
void set_order(Order order, uint64_t seed = 1);

/// The choices of one grid.
class Chooser final {
 public:
  /// In the order that holds now. Two grids of a host thread get different random numbers.
  Chooser();

  [[nodiscard]] Order order() const noexcept { return order_; }
  /// The number of one of the bits that are set.
  [[nodiscard]] int pick(uint32_t bits) noexcept;
  /// The numbers below `count`, in the order in which they go.
  [[nodiscard]] std::vector<uint32_t> arrange(uint32_t count);
  /// Where a search through `count` of them begins.
  [[nodiscard]] uint32_t first_of(uint32_t count) noexcept;

 private:
  [[nodiscard]] uint64_t next() noexcept;

  Order order_;
  uint64_t state_;
};

}  // namespace slipway::emulation
