#include "scheduler.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "faults.h"
#include "machine.h"

#if defined(SLIPWAY_TSAN_FIBERS)
#include <sanitizer/tsan_interface.h>
#endif

thread_local constinit uint3 threadIdx = {};
thread_local constinit uint3 blockIdx = {};
thread_local constinit dim3 blockDim = {};
thread_local constinit dim3 gridDim = {};

namespace slipway::emulation {

namespace {

// Rounds in which threads did nothing but yield to each other, before they are taken to wait for ever.
constexpr int64_t kMostIdleRounds = 10'000'000;

// Under ThreadSanitizer every thread has a fiber of its own: on one fiber they would be in order.
#if defined(SLIPWAY_TSAN_FIBERS)
constexpr bool kSharesFibers = false;
#else
constexpr bool kSharesFibers = true;
#endif

std::string text_of(const uint3& at) {
  return "(" + std::to_string(at.x) + "," + std::to_string(at.y) + "," + std::to_string(at.z) + ")";
}

std::string place_of(const Thread& thread) {
  return "block " + text_of(thread.block->index) + ", thread " + text_of(thread.index);
}

std::string place_of(const Where& where) { return std::string(where.file_name()) + ":" + std::to_string(where.line()); }

}  // namespace

std::string run_grid(const Grid& grid) { return Machine::here().run(grid); }

thread_local constinit Machine* Machine::here_ = nullptr;

Machine& Machine::make_here() {
  thread_local Machine machine;
  here_ = &machine;
  return machine;
}

Thread& Machine::refuse_host() {
  std::fprintf(stderr, "code for the device was called outside of a kernel\n");
  std::abort();
}

std::string Machine::run(const Grid& grid) {
  watch_faults();
  prepare(grid);
  Chooser chooser;
  chooser_ = &chooser;
  const unsigned together = grid.is_cooperative ? grid.blocks.x : grid.cluster;
  const dim3 groups(grid.blocks.x / together, grid.is_cooperative ? 1 : grid.blocks.y,
                    grid.is_cooperative ? 1 : grid.blocks.z);
  for (const uint32_t number : chooser.arrange(groups.x * groups.y * groups.z)) {
    run_group({number % groups.x * together, number / groups.x % groups.y, number / groups.x / groups.y});
    if (!error_.empty()) break;
  }
  grid_ = nullptr;
  return std::exchange(error_, {});
}

void Machine::prepare(const Grid& grid) {
  grid_ = &grid;
  error_.clear();
  blockDim = grid.threads;
  gridDim = grid.blocks;
  block_count_ = grid.is_cooperative ? grid.blocks.x * grid.blocks.y * grid.blocks.z : grid.cluster;
  blocks_.resize(block_count_ > blocks_.size() ? block_count_ : blocks_.size());
  const int size = static_cast<int>(grid.threads.x * grid.threads.y * grid.threads.z);
  // All of them here: what fibers allocate is a race with the others, to ThreadSanitizer.
  while (!kSharesFibers && fibers_.size() < block_count_ * static_cast<std::size_t>(size)) add_fiber();
  ended_.reserve(fibers_.size());
  for (std::size_t i = 0; i < block_count_; ++i) {
    Block& block = blocks_[i];
    block.size = size;
    block.shared = std::make_unique<GuardedBytes>(grid.shared_bytes);
    block.threads.resize(static_cast<std::size_t>(size));
    block.warps.resize(static_cast<std::size_t>((size + warpSize - 1) / warpSize));
    for (int number = 0; number < size; ++number) {
      const auto n = static_cast<unsigned>(number);
      Thread& thread = block.threads[n];
      thread.block = &block;
      thread.warp = &block.warps[n / warpSize];
      thread.index = {n % grid.threads.x, n / grid.threads.x % grid.threads.y, n / grid.threads.x / grid.threads.y};
      thread.number = number;
      thread.lane = number % warpSize;
    }
  }
}

void Machine::place(Block& block, unsigned rank, uint3 index) {
  block.index = index;
  block.rank = rank;
  block.exited = 0;
  block.has_started = false;
  block.gathering = {};
  block.ready_warps = 0;
  block.shared->poison();
  for (std::size_t w = 0; w < block.warps.size(); ++w) {
    Warp& warp = block.warps[w];
    warp.first = static_cast<int>(w) * warpSize;
    warp.size = block.size - warp.first < warpSize ? block.size - warp.first : warpSize;
    warp.exited = 0;
    warp.yielded = 0;
    warp.gathering = {};
    if (warp.size < warpSize) std::memset(warp.values, kPoison, sizeof warp.values);
    release(warp, block);
  }
  for (Thread& thread : block.threads) {
    thread.fiber = nullptr;
    thread.meeting = Meeting::kNone;
    thread.copies.clear();
    thread.groups.clear();
  }
}

void Machine::run_group(uint3 first) {
  gathering_ = {};
  exited_ = 0;
  for (std::size_t i = 0; i < block_count_; ++i) {
    const auto rank = static_cast<unsigned>(i);
    const uint3 index = grid_->is_cooperative ? uint3{rank % grid_->blocks.x, rank / grid_->blocks.x % grid_->blocks.y,
                                                      rank / grid_->blocks.x / grid_->blocks.y}
                                              : uint3{first.x + rank, first.y, first.z};
    place(blocks_[i], grid_->is_cooperative ? rank % grid_->cluster : rank, index);
  }
#if defined(SLIPWAY_TSAN_FIBERS)
  __tsan_release(this);
#endif
  go_on(host_);
  current_ = nullptr;
#if defined(SLIPWAY_TSAN_FIBERS)
  __tsan_acquire(&exited_);
#endif
  if (failed_ == nullptr && exited_ == threads()) {
    free_.insert(free_.end(), ended_.begin(), ended_.end());
    ended_.clear();
    close();
    return;
  }
  error_ = failed_ != nullptr ? failure_text() : stuck_text();
  failed_ = nullptr;
  ended_.clear();
  free_.clear();
  for (const auto& fiber : fibers_) {
    fiber->reset();
    free_.push_back(fiber.get());
  }
}

// What can be seen when the blocks have ended.
void Machine::close() {
  for (std::size_t i = 0; i < block_count_ && error_.empty(); ++i) {
    const Block& block = blocks_[i];
    const char* what = nullptr;
    if (!block.shared->is_whole()) what = "a thread wrote outside of the block's shared memory";
    if (block_count_ > 1 && !block.shared->is_poison()) {
      what = "another block wrote into the block's shared memory after it ended (a cluster barrier is missing)";
    }
    if (what != nullptr) {
      error_ = "kernel " + kernel_name(grid_->kernel) + ", block " + text_of(block.index) + " with " +
               std::to_string(grid_->shared_bytes) + " bytes of shared memory: " + what;
    }
  }
}

// ---- who goes on ----
Thread* Machine::pick() {
  const auto count = static_cast<uint32_t>(block_count_);
  const uint32_t first = count == 1 ? 0 : chooser_->first_of(count);
  const bool is_backward = chooser_->order() == Order::kBackward;
  for (uint32_t i = 0; i < count; ++i) {
    Block& block = blocks_[is_backward ? count - 1 - i : (first + i) % count];
    if (block.ready_warps == 0) continue;
    const int w = chooser_->pick(block.ready_warps);
    Warp& warp = block.warps[static_cast<std::size_t>(w)];
    const int lane = chooser_->pick(warp.ready);
    warp.ready &= ~(1u << lane);
    if (warp.ready == 0) block.ready_warps &= ~(1u << w);
    return &block.threads[static_cast<std::size_t>(warp.first + lane)];
  }
  return nullptr;
}

bool Machine::wake_yielded() {
  bool found = false;
  for (std::size_t i = 0; i < block_count_; ++i) {
    for (std::size_t w = 0; w < blocks_[i].warps.size(); ++w) {
      Warp& warp = blocks_[i].warps[w];
      if (warp.yielded == 0) continue;
      found = true;
      warp.ready |= std::exchange(warp.yielded, 0);
      blocks_[i].ready_warps |= 1u << w;
    }
  }
  return found && ++idle_rounds_ < kMostIdleRounds;
}

// Leaves `from` for whoever is next: a thread that waited, a new one, or the host where none is left.
void Machine::go_on(Fiber& from) {
  Thread* next = pick();
  if (next == nullptr && wake_yielded()) next = pick();
  if (next == nullptr) {
    host_.switch_from(from);
    return;
  }
  enter(*next);
  if (next->fiber == nullptr) next->fiber = take_fiber();
  if (next->fiber != &from) next->fiber->switch_from(from);
}

void Machine::enter(Thread& thread) {
  current_ = &thread;
  threadIdx = thread.index;
  blockIdx = thread.block->index;
}

void Machine::add_fiber() {
  fibers_.push_back(std::make_unique<Fiber>(&Machine::work, fibers_.size()));
  free_.push_back(fibers_.back().get());
}

Fiber* Machine::take_fiber() {
  if (free_.empty()) add_fiber();
  Fiber* fiber = free_.back();
  free_.pop_back();
  return fiber;
}

// What a fiber does: runs the current thread, and then those that have not started yet, until one of them has to wait.
void Machine::work() {
  Machine& machine = here();
  for (;;) {
    Thread& thread = *machine.current_;
    Fiber* fiber = thread.fiber;
    machine.start(thread);
    machine.grid_->run(machine.grid_->arguments);
    machine.finish(thread);
    // Free before the next thread is chosen, so that a new one may run here at once.
    (kSharesFibers ? machine.free_ : machine.ended_).push_back(fiber);
    machine.go_on(*fiber);
  }
}

void Machine::start(Thread& thread) {
  Block& block = *thread.block;
#if defined(SLIPWAY_TSAN_FIBERS)
  __tsan_acquire(this);
#endif
  if (!block.has_started && block_count_ > 1 && !block.shared->is_poison()) {
    fail(Where::current(),
         "another block wrote into this one's shared memory before it started (a cluster barrier is missing)");
  }
  block.has_started = true;
}

void Machine::finish(Thread& thread) {
  Block& block = *thread.block;
  Warp& warp = *thread.warp;
#if defined(SLIPWAY_TSAN_FIBERS)
  __tsan_release(&exited_);
#endif
  const auto waits = [&](const Gathering& gathering) {
    if (gathering.arrived == 0) return;
    fail(gathering.where, "it ended while others wait in %s", name_of(gathering.meeting));
  };
  waits(warp.gathering);
  waits(block.gathering);
  waits(gathering_);
  thread.fiber = nullptr;
  idle_rounds_ = 0;
  ++warp.exited;
  ++exited_;
  if (++block.exited == block.size && block_count_ > 1) block.shared->poison();
}

// ---- waiting ----
void Machine::park(Meeting meeting, const Where& where) {
  Thread& thread = *current_;
  thread.meeting = meeting;
  thread.where = where;
  idle_rounds_ = 0;
#if defined(SLIPWAY_TSAN_FIBERS)
  __tsan_release(&exited_);  // the grid may end here
#endif
  go_on(*thread.fiber);
  thread.meeting = Meeting::kNone;
}

void Machine::yield(const Where& where) {
  Thread& thread = *current_;
  thread.where = where;
  thread.warp->yielded |= 1u << thread.lane;
#if defined(SLIPWAY_TSAN_FIBERS)
  __tsan_release(&exited_);
#endif
  go_on(*thread.fiber);
}

void Machine::release(Warp& warp, Block& block) noexcept {
  warp.ready = warp.size == warpSize ? ~0u : (1u << warp.size) - 1;
  block.ready_warps |= 1u << (warp.first / warpSize);
}

void Machine::release(Block& block) noexcept {
  for (Warp& warp : block.warps) release(warp, block);
}

void Machine::fail(const Where& where, const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(failed_what_, sizeof failed_what_, format, arguments);
  va_end(arguments);
  failed_ = current_;
  failed_where_ = where;
#if defined(SLIPWAY_TSAN_FIBERS)
  __tsan_release(&exited_);
#endif
  host_.switch_from(*current_->fiber);
  std::abort();
}

std::string Machine::failure_text() const {
  const std::string where = failed_where_.line() == 0 ? "" : " (" + place_of(failed_where_) + ")";
  return "kernel " + kernel_name(grid_->kernel) + ", " + place_of(*failed_) + ": " + failed_what_ + where;
}

std::string Machine::stuck_text() const {
  std::string text = "kernel " + kernel_name(grid_->kernel) + ": no thread can go on;";
  int named = 0;
  for (std::size_t i = 0; i < block_count_; ++i) {
    for (const Thread& thread : blocks_[i].threads) {
      if (thread.fiber == nullptr || named++ > 3) continue;
      text += " " + place_of(thread) + " waits in " + name_of(thread.meeting) + " (" + place_of(thread.where) + ");";
    }
  }
  return text;
}

}  // namespace slipway::emulation
