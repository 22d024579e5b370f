#include "base/layout.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <queue>
#include <set>

namespace slipway {

namespace {

constexpr int64_t kAlign = 64;
// Above, what is looked at for each buffer is no longer all others.
constexpr std::size_t kMostCompared = 4096;

int64_t room_of(const Lifetime& buffer) {
  return std::max<int64_t>((buffer.bytes + kAlign - 1) / kAlign * kAlign, kAlign);
}

int64_t lay_out_by_size(std::vector<Lifetime>& buffers) {
  std::vector<std::size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return buffers[a].bytes > buffers[b].bytes; });

  std::vector<std::size_t> placed;  // sorted by offset
  int64_t size = 0;
  for (const std::size_t current : order) {
    Lifetime& buffer = buffers[current];
    const int64_t bytes = room_of(buffer);
    int64_t offset = 0;
    for (const std::size_t other : placed) {
      const Lifetime& neighbour = buffers[other];
      if (neighbour.last < buffer.first || neighbour.first > buffer.last) continue;
      if (offset + bytes <= neighbour.offset) break;
      offset = std::max(offset, neighbour.offset + room_of(neighbour));
    }
    buffer.offset = offset;
    size = std::max(size, offset + bytes);
    const auto at =
        std::find_if(placed.begin(), placed.end(), [&](auto other) { return buffers[other].offset > offset; });
    placed.insert(at, current);
  }
  return size;
}

/// The arena as it is at one step.
class Gaps final {
 public:
  [[nodiscard]] int64_t size() const noexcept { return size_; }

  /// The smallest gap that is large enough, else the end.
  int64_t take(int64_t bytes) {
    const auto found = by_size_.lower_bound({bytes, 0});
    if (found == by_size_.end()) {
      size_ += bytes;
      return size_ - bytes;
    }
    const auto [room, offset] = *found;
    remove(offset, room);
    if (room > bytes) add(offset + bytes, room - bytes);
    return offset;
  }

  void give(int64_t offset, int64_t bytes) {
    const auto after = by_offset_.find(offset + bytes);
    if (after != by_offset_.end()) {
      const int64_t room = after->second;
      remove(offset + bytes, room);
      bytes += room;
    }
    const auto next = by_offset_.lower_bound(offset);
    if (next != by_offset_.begin()) {
      const auto [before, room] = *std::prev(next);
      if (before + room == offset) {
        remove(before, room);
        offset = before;
        bytes += room;
      }
    }
    add(offset, bytes);
  }

 private:
  void add(int64_t offset, int64_t bytes) {
    by_offset_.emplace(offset, bytes);
    by_size_.emplace(bytes, offset);
  }
  void remove(int64_t offset, int64_t bytes) {
    by_offset_.erase(offset);
    by_size_.erase({bytes, offset});
  }

  std::map<int64_t, int64_t> by_offset_;
  std::set<std::pair<int64_t, int64_t>> by_size_;
  int64_t size_ = 0;
};

int64_t lay_out_by_time(std::vector<Lifetime>& buffers) {
  std::vector<std::size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return buffers[a].first < buffers[b].first; });

  const auto ends_later = [&](std::size_t a, std::size_t b) { return buffers[a].last > buffers[b].last; };
  std::priority_queue<std::size_t, std::vector<std::size_t>, decltype(ends_later)> alive(ends_later);
  Gaps gaps;
  for (const std::size_t current : order) {
    Lifetime& buffer = buffers[current];
    for (; !alive.empty() && buffers[alive.top()].last < buffer.first; alive.pop()) {
      const Lifetime& gone = buffers[alive.top()];
      gaps.give(gone.offset, room_of(gone));
    }
    buffer.offset = gaps.take(room_of(buffer));
    alive.push(current);
  }
  return gaps.size();
}

}  // namespace

int64_t lay_out(std::vector<Lifetime>& buffers) {
  return buffers.size() > kMostCompared ? lay_out_by_time(buffers) : lay_out_by_size(buffers);
}

}  // namespace slipway
