#include "base/memory_budget.h"

#include <unistd.h>

#include "base/error.h"

namespace slipway {

namespace {

thread_local const std::shared_ptr<MemoryBudget>* current_budget = nullptr;

int64_t memory_of_machine() noexcept {
  const int64_t bytes = int64_t{sysconf(_SC_PHYS_PAGES)} * int64_t{sysconf(_SC_PAGESIZE)};
  return bytes > 0 ? bytes : INT64_MAX;
}

}  // namespace

MemoryBudget::MemoryBudget(int64_t limit) noexcept : limit_(limit > 0 ? limit : memory_of_machine()) {}

void MemoryBudget::take(int64_t bytes) {
  int64_t before = taken();
  do {
    if (bytes <= limit_ - before) continue;
    has_refused_.store(true, std::memory_order_relaxed);
    fail(Code::kLimit, "needs ", bytes, " bytes beside the ", before, " that the session holds, max_memory is ",
         limit_);
  } while (!taken_.compare_exchange_weak(before, before + bytes, std::memory_order_relaxed));
}

const std::shared_ptr<MemoryBudget>& MemoryBudget::current() noexcept {
  static const std::shared_ptr<MemoryBudget> none;
  return current_budget == nullptr ? none : *current_budget;
}

void MemoryBudget::require(int64_t bytes) {
  const std::shared_ptr<MemoryBudget>& budget = current();
  if (budget && bytes > budget->limit_) fail(Code::kLimit, "needs ", bytes, " bytes, max_memory is ", budget->limit_);
}

BudgetScope::BudgetScope(const std::shared_ptr<MemoryBudget>& budget) noexcept : outer_(current_budget) {
  current_budget = &budget;
}

BudgetScope::~BudgetScope() { current_budget = outer_; }

BudgetShare::BudgetShare(int64_t bytes) : budget_(MemoryBudget::current()), bytes_(bytes) {
  if (budget_) budget_->take(bytes_);
}

BudgetShare::~BudgetShare() {
  if (budget_) budget_->give(bytes_);
}

}  // namespace slipway
