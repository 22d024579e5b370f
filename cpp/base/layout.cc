#include "base/layout.h"

#include <algorithm>
#include <numeric>

namespace slipway {

int64_t lay_out(std::vector<Lifetime>& buffers) {
  constexpr int64_t kAlign = 64;
  std::vector<std::size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return buffers[a].bytes > buffers[b].bytes; });

  std::vector<std::size_t> placed;  // sorted by offset
  int64_t size = 0;
  for (const std::size_t current : order) {
    Lifetime& buffer = buffers[current];
    const int64_t bytes = std::max<int64_t>((buffer.bytes + kAlign - 1) / kAlign * kAlign, kAlign);
    int64_t offset = 0;
    for (const std::size_t other : placed) {
      const Lifetime& neighbour = buffers[other];
      if (neighbour.last < buffer.first || neighbour.first > buffer.last) continue;
      if (offset + bytes <= neighbour.offset) break;
      const int64_t end =
          neighbour.offset + std::max<int64_t>((neighbour.bytes + kAlign - 1) / kAlign * kAlign, kAlign);
      offset = std::max(offset, end);
    }
    buffer.offset = offset;
    size = std::max(size, offset + bytes);
    const auto at =
        std::find_if(placed.begin(), placed.end(), [&](auto other) { return buffers[other].offset > offset; });
    placed.insert(at, current);
  }
  return size;
}

}  // namespace slipway
