#include "ops/network_nest.h"

#include <algorithm>

#include "ops/network_operators.h"

namespace slipway {

namespace {

class Nesting final {
 public:
  explicit Nesting(NetworkItems& items) : items_(items), copy_of_(items.values.size(), kNone) {
    for (std::size_t i = 0; i < items.list.size(); ++i) {
      if (is_copy(items.list[i])) copy_of_[static_cast<std::size_t>(items.list[i].out)] = static_cast<int>(i);
    }
  }

  void run() {
    for (std::size_t later = 1; later < items_.concats.size(); ++later) {
      for (std::size_t earlier = later; earlier-- > 0;) {
        const std::size_t count = beginning(items_.concats[later], items_.concats[earlier]);
        if (count == 0) continue;
        nest(items_.concats[earlier], items_.concats[later], count);
        items_.concats.erase(items_.concats.begin() + static_cast<std::ptrdiff_t>(earlier));
        --later;
        break;
      }
    }
  }

 private:
  static constexpr int kNone = -1;

  /// Of a value that is part of another concatenation, or of the network's input.
  static bool is_copy(const NetworkItem& item) {
    const bool has_kind = item.kind == NetworkKind::kMap && item.activation.kind == Activation::kNone;
    return has_kind && item.out >= 0 && item.other < 0 && item.resize == nullptr;
  }

  /// What the part is a copy of, or the part.
  [[nodiscard]] int source(int part) const {
    const int copy = copy_of_[static_cast<std::size_t>(part)];
    return copy == kNone ? part : items_.list[static_cast<std::size_t>(copy)].in;
  }

  [[nodiscard]] bool fills_vectors(const NetworkConcat& concat) const {
    return std::all_of(concat.parts.begin(), concat.parts.end(), [&](int part) {
      return items_.values[static_cast<std::size_t>(part)].channels % kMostNetworkLanes == 0;
    });
  }

  /// Parts of `all` that are the whole of `first`, the copy of it or copies of its parts; 0 where it begins otherwise.
  [[nodiscard]] std::size_t beginning(const NetworkConcat& all, const NetworkConcat& first) const {
    if (!fills_vectors(all) || !fills_vectors(first)) return 0;
    if (source(all.parts[0]) == first.whole) return 1;
    if (all.parts.size() <= first.parts.size()) return 0;
    const bool begins = std::equal(first.parts.begin(), first.parts.end(), all.parts.begin(), [&](int part, int copy) {
      return source(copy) != copy && (source(copy) == part || source(copy) == source(part));
    });
    return begins ? first.parts.size() : 0;
  }

  void nest(const NetworkConcat& first, NetworkConcat& all, std::size_t count) {
    const auto end = all.parts.begin() + static_cast<std::ptrdiff_t>(count);
    for (auto part = all.parts.begin(); part != end; ++part) {
      items_.list[static_cast<std::size_t>(copy_of_[static_cast<std::size_t>(*part)])].out = kNone;
    }
    const auto rest = all.parts.erase(all.parts.begin(), end);
    all.parts.insert(rest, first.parts.begin(), first.parts.end());
    for (NetworkSlice& slice : items_.slices) {
      if (slice.whole == first.whole) slice.whole = all.whole;
    }
    items_.slices.push_back({first.whole, all.whole, 0});
    items_.values[static_cast<std::size_t>(first.whole)].is_slice = true;
  }

  NetworkItems& items_;
  std::vector<int> copy_of_;  // by value: the item that copies it from another, or kNone
};

}  // namespace

void nest_concats(NetworkItems& items) { Nesting(items).run(); }

}  // namespace slipway
