// How much memory a session may hold. Every Buffer that is made in a scope counts against the scope's budget as long as
// it lives, whoever makes it: a pass, a kernel's preparation, a run, a loop that grows (docs/decisions/0020).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

namespace slipway {

class MemoryBudget {
 public:
  /// `limit` in bytes; 0: as much as the machine has.
  explicit MemoryBudget(int64_t limit) noexcept;

  /// Throws Error(kLimit) where `bytes` more would pass the limit.
  void take(int64_t bytes);
  void give(int64_t bytes) noexcept { taken_.fetch_sub(bytes, std::memory_order_relaxed); }
  [[nodiscard]] int64_t taken() const noexcept { return taken_.load(std::memory_order_relaxed); }
  /// True where take() has thrown since this was last asked: then it may help to forget what is kept for later.
  [[nodiscard]] bool has_refused() noexcept { return has_refused_.exchange(false, std::memory_order_relaxed); }

  /// The budget of the innermost scope of this thread; null where there is none.
  [[nodiscard]] static const std::shared_ptr<MemoryBudget>& current() noexcept;
  /// Throws Error(kLimit) where `bytes` alone pass the limit of the current budget; before they are taken anywhere.
  static void require(int64_t bytes);

 private:
  int64_t limit_;
  std::atomic<int64_t> taken_ = 0;
  std::atomic<bool> has_refused_ = false;
};

/// Makes a budget, which outlives the scope, this thread's current one.
class BudgetScope final {
 public:
  explicit BudgetScope(const std::shared_ptr<MemoryBudget>& budget) noexcept;
  ~BudgetScope();
  BudgetScope(const BudgetScope&) = delete;
  BudgetScope& operator=(const BudgetScope&) = delete;

 private:
  const std::shared_ptr<MemoryBudget>* outer_;
};

/// Bytes of other things than a Buffer, which count against the current budget as long as this lives.
class BudgetShare final {
 public:
  /// Throws Error(kLimit) where the budget does not allow them.
  explicit BudgetShare(int64_t bytes);
  ~BudgetShare();
  BudgetShare(const BudgetShare&) = delete;
  BudgetShare& operator=(const BudgetShare&) = delete;

  [[nodiscard]] int64_t bytes() const noexcept { return bytes_; }

 private:
  std::shared_ptr<MemoryBudget> budget_;
  int64_t bytes_;
};

}  // namespace slipway
