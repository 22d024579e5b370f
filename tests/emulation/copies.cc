// Copies that arrive late: at the wait that names them, as late as a device may have it.
#include <cstdint>
#include <cstring>

#include "cuda_threads.h"
#include "machine.h"
#include "unwatched.h"

namespace slipway::emulation {

void start_copy(void* to, const void* data, std::size_t bytes, const Where& where) {
  Machine& machine = Machine::here();
  Thread& thread = machine.current();
  const GuardedBytes& shared = *thread.block->shared;
  auto* bytes_to = static_cast<unsigned char*>(to);
  if (bytes_to < shared.data() || bytes_to + bytes > shared.data() + shared.bytes()) {
    machine.fail(where, "copy_async() to outside of the block's shared memory");
  }
  const Unwatched unwatched;
  LateCopy copy{bytes_to, bytes, {}};
  std::memcpy(copy.data, data, bytes);
  thread.copies.push_back(copy);
}

void commit_started_copies() {
  Thread& thread = Machine::here().current();
  const Unwatched unwatched;
  std::size_t committed = 0;
  for (const std::size_t count : thread.groups) committed += count;
  thread.groups.push_back(thread.copies.size() - committed);
}

void finish_copies(std::size_t groups_left) {
  Thread& thread = Machine::here().current();
  while (thread.groups.size() > groups_left) {
    const auto end = thread.copies.begin() + static_cast<std::ptrdiff_t>(thread.groups.front());
    for (auto copy = thread.copies.begin(); copy != end; ++copy) std::memcpy(copy->to, copy->data, copy->bytes);
    const Unwatched unwatched;
    thread.copies.erase(thread.copies.begin(), end);
    thread.groups.erase(thread.groups.begin());
  }
}

}  // namespace slipway::emulation
