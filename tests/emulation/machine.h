// The blocks that a host thread runs at one time, their threads, and who waits for what.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cuda_threads.h"
#include "fiber.h"
#include "guarded.h"
#include "order.h"
#include "scheduler.h"

namespace slipway::emulation {

struct Block;
struct Warp;

/// A copy_async whose data have not arrived yet.
struct LateCopy {
  unsigned char* to = nullptr;
  std::size_t bytes = 0;
  unsigned char data[16];
};

struct Thread {
  Block* block = nullptr;
  Warp* warp = nullptr;
  Fiber* fiber = nullptr;  ///< null before the thread starts, and after it ended
  uint3 index = {};
  int number = 0;
  int lane = 0;
  Meeting meeting = Meeting::kNone;  ///< what it waits for
  Where where;
  std::vector<LateCopy> copies;     ///< under way, oldest first
  std::vector<std::size_t> groups;  ///< number of copies in each committed group
};

/// Threads that have come to one meeting.
struct Gathering {
  int arrived = 0;
  Meeting meeting = Meeting::kNone;
  Where where;
};

struct Warp {
  int first = 0;  ///< number of lane 0
  int size = 0;
  int exited = 0;
  uint32_t ready = 0;
  uint32_t yielded = 0;
  Gathering gathering;
  unsigned generation = 0;
  LaneValue values[2][warpSize];  ///< of this operation and the one before
};

struct Block {
  uint3 index = {};
  unsigned rank = 0;
  int size = 0;
  int exited = 0;
  bool has_started = false;
  uint32_t ready_warps = 0;
  Gathering gathering;
  unsigned generation = 0;
  int set[2] = {};  ///< threads that came with true, to this barrier and the one before
  std::vector<Thread> threads;
  std::vector<Warp> warps;
  std::unique_ptr<GuardedBytes> shared;
};

class Machine final {
 public:
  /// The calling host thread's.
  [[nodiscard]] static Machine& here() { return here_ != nullptr ? *here_ : make_here(); }

  Machine() = default;
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  [[nodiscard]] std::string run(const Grid& grid);

  /// The thread that runs; aborts outside of kernels.
  [[nodiscard]] Thread& current() { return current_ != nullptr ? *current_ : refuse_host(); }
  /// True where the calling host thread runs a thread of a grid.
  [[nodiscard]] static bool is_in_kernel() noexcept { return here_ != nullptr && here_->current_ != nullptr; }
  [[nodiscard]] const Grid& grid() const noexcept { return *grid_; }
  [[nodiscard]] Block& block(std::size_t rank) noexcept { return blocks_[rank]; }
  [[nodiscard]] std::size_t block_count() const noexcept { return block_count_; }
  /// Of the blocks that run at the same time.
  [[nodiscard]] Gathering& gathering() noexcept { return gathering_; }
  [[nodiscard]] int threads() const noexcept { return static_cast<int>(block_count_) * blocks_[0].size; }
  [[nodiscard]] int exited() const noexcept { return exited_; }

  /// The current thread waits until it is released.
  void park(Meeting meeting, const Where& where);
  /// Lets the current thread wait until no other can go on.
  void yield(const Where& where);
  void release(Warp& warp, Block& block) noexcept;
  void release(Block& block) noexcept;

  /// Ends the grid with a message that names the current thread. What its callers own is left behind as it is, so
  /// nothing of it may have to be freed.
  [[noreturn, gnu::format(printf, 3, 4)]] void fail(const Where& where, const char* format, ...);

 private:
  static thread_local constinit __attribute__((tls_model("initial-exec"))) Machine* here_;
  static Machine& make_here();
  static void work();
  [[noreturn]] static Thread& refuse_host();
  void prepare(const Grid& grid);
  void place(Block& block, unsigned rank, uint3 index);
  void run_group(uint3 first);
  void start(Thread& thread);
  void finish(Thread& thread);
  void close();
  [[nodiscard]] Thread* pick();
  [[nodiscard]] bool wake_yielded();
  void enter(Thread& thread);
  void go_on(Fiber& from);
  void add_fiber();
  [[nodiscard]] Fiber* take_fiber();
  [[nodiscard]] std::string failure_text() const;
  [[nodiscard]] std::string stuck_text() const;

  const Grid* grid_ = nullptr;
  Chooser* chooser_ = nullptr;
  Thread* current_ = nullptr;
  std::vector<Block> blocks_;
  std::size_t block_count_ = 0;
  Gathering gathering_;
  int exited_ = 0;
  int64_t idle_rounds_ = 0;
  std::string error_;
  const Thread* failed_ = nullptr;
  Where failed_where_;
  char failed_what_[256];

  Fiber host_;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Fiber*> free_;
  std::vector<Fiber*> ended_;  ///< not to be used again for this group
};

/// "__syncthreads()" and the like.
[[nodiscard]] const char* name_of(Meeting meeting) noexcept;

}  // namespace slipway::emulation
