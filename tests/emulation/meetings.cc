// How the threads of a grid meet: barriers of a block, a cluster or a grid, and the operations of a warp.
#include <cstring>

#include "cuda_threads.h"
#include "machine.h"

#if defined(SLIPWAY_TSAN_FIBERS)
#include <sanitizer/tsan_interface.h>
#endif

namespace slipway::emulation {

namespace {

bool is_same(const Where& a, const Where& b) {
  if (a.line() != b.line() || a.column() != b.column()) return false;
  return a.file_name() == b.file_name() || std::strcmp(a.file_name(), b.file_name()) == 0;
}

// Notes that the current thread has come; true where it is the last of `expected`.
bool arrive(Gathering& gathering, Meeting meeting, int expected, int exited, const Where& where) {
  Machine& machine = Machine::here();
  if (exited > 0) machine.fail(where, "%s after another thread has ended", name_of(meeting));
  if (gathering.arrived == 0) {
    gathering = {0, meeting, where};
  } else if (gathering.meeting != meeting || !is_same(gathering.where, where)) {
    machine.fail(where, "it came to %s while others wait in %s at line %u", name_of(meeting),
                 name_of(gathering.meeting), gathering.where.line());
  }
  if (++gathering.arrived < expected) return false;
  gathering.arrived = 0;
  return true;
}

// What threads do before a meeting it is seen by all of them after it. Says so to ThreadSanitizer.
void bring([[maybe_unused]] void* meeting) {
#if defined(SLIPWAY_TSAN_FIBERS)
  __tsan_release(meeting);
#endif
}
void take([[maybe_unused]] void* meeting) {
#if defined(SLIPWAY_TSAN_FIBERS)
  __tsan_acquire(meeting);
#endif
}

void meet_group(Meeting meeting, const Where& where) {
  Machine& machine = Machine::here();
  bring(&machine.gathering());
  if (arrive(machine.gathering(), meeting, machine.threads(), machine.exited(), where)) {
    for (std::size_t i = 0; i < machine.block_count(); ++i) machine.release(machine.block(i));
  }
  machine.park(meeting, where);
  take(&machine.gathering());
}

}  // namespace

const char* name_of(Meeting meeting) noexcept {
  static constexpr const char* kNames[] = {"nothing",
                                           "__syncthreads()",
                                           "__syncthreads_or()",
                                           "__syncthreads_and()",
                                           "__syncthreads_count()",
                                           "sync_cluster()",
                                           "sync_grid()",
                                           "__syncwarp()",
                                           "__shfl_sync()",
                                           "__shfl_up_sync()",
                                           "__shfl_down_sync()",
                                           "__shfl_xor_sync()",
                                           "__ballot_sync()",
                                           "__any_sync()",
                                           "__all_sync()",
                                           "multiply_tf32()"};
  return kNames[static_cast<int>(meeting)];
}

void fail_thread(const char* what, const Where& where) {
  Machine& machine = Machine::here();
  (void)machine.current();
  machine.fail(where, "%s", what);
}

int meet_block(Meeting meeting, bool is_set, const Where& where) {
  Machine& machine = Machine::here();
  Block& block = *machine.current().block;
  // A thread may come to the next barrier before others have read this one's count, but not to the one after it.
  if (block.gathering.arrived == 0) block.set[++block.generation % 2] = 0;
  const unsigned generation = block.generation % 2;
  block.set[generation] += is_set ? 1 : 0;
  bring(&block.set[generation]);
  if (arrive(block.gathering, meeting, block.size, block.exited, where)) machine.release(block);
  machine.park(meeting, where);
  take(&block.set[generation]);
  return block.set[generation];
}

const LaneValue* meet_warp(Meeting meeting, unsigned mask, const LaneValue& value, const Where& where) {
  Machine& machine = Machine::here();
  Thread& thread = machine.current();
  Warp& warp = *thread.warp;
  const unsigned lanes = warp.size == warpSize ? ~0u : (1u << warp.size) - 1;
  if (mask != lanes) {
    machine.fail(where, "%s names other lanes than the %d of the warp", name_of(meeting), warp.size);
  }
  if (warp.gathering.arrived == 0) ++warp.generation;
  LaneValue* values = warp.values[warp.generation % 2];
  values[thread.lane] = value;
  bring(values);
  if (arrive(warp.gathering, meeting, warp.size, warp.exited, where)) machine.release(warp, *thread.block);
  machine.park(meeting, where);
  take(values);
  return values;
}

void meet_cluster(const Where& where) {
  Machine& machine = Machine::here();
  if (machine.grid().is_cooperative) fail_thread("sync_cluster() in a cooperative grid is not covered", where);
  meet_group(Meeting::kSyncCluster, where);
}

void meet_grid(const Where& where) {
  if (!Machine::here().grid().is_cooperative) fail_thread("sync_grid() in a grid that is not cooperative", where);
  meet_group(Meeting::kSyncGrid, where);
}

void yield_thread(const Where& where) { Machine::here().yield(where); }

int lane() { return Machine::here().current().lane; }
int thread_number() { return Machine::here().current().number; }
int threads_of_block() { return Machine::here().current().block->size; }
unsigned char* shared_memory() { return Machine::here().current().block->shared->data(); }
int64_t shared_bytes() { return static_cast<int64_t>(Machine::here().current().block->shared->bytes()); }
unsigned rank_in_cluster() { return Machine::here().current().block->rank; }
unsigned blocks_of_cluster() { return Machine::here().grid().cluster; }

unsigned char* shared_memory_of(unsigned rank, const Where& where) {
  Machine& machine = Machine::here();
  if (machine.grid().is_cooperative) fail_thread("in_cluster() in a cooperative grid is not covered", where);
  if (rank >= machine.block_count()) fail_thread("in_cluster() of a block that the cluster does not have", where);
  return machine.block(rank).shared->data();
}

}  // namespace slipway::emulation
