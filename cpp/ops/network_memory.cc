#include "ops/network_memory.h"

#include <algorithm>
#include <limits>

namespace slipway {

namespace {

bool is_used(const NetworkItem& item) { return item.out >= 0 || item.kind == NetworkKind::kGather; }

}  // namespace

bool is_dense(const NetworkItem& item, const NetworkValue& in) {
  const auto& [d, h, w] = item.window.axes;
  const auto covers = [](const WindowAxis& axis, int64_t size) {
    return axis.output == 1 && axis.kernel == size && axis.begin == 0 && axis.end == 0 &&
           (axis.dilation == 1 || size == 1);
  };
  return item.kind == NetworkKind::kSums && item.pool == 1 && covers(h, in.height) && covers(w, in.width);
}

NetworkMemory::NetworkMemory(const NetworkItems& items)
    : items_(items),
      placed_(items.values.size()),
      phases_(items.values.size(), std::numeric_limits<int>::max()),
      ports_(items.values.size(), -1) {
  for (const NetworkConcat& concat : items.concats) {
    add_root(concat.whole);
    int64_t channel = 0;
    for (const int part : concat.parts) {
      placed_[static_cast<std::size_t>(part)] = {at(concat.whole).root, channel};
      channel += value(part).channels;
    }
  }
  for (const NetworkItem& item : items.list) {
    if (item.out >= 0 && at(item.out).root < 0) add_root(item.out);
  }
  set_phases();
  set_ports();
  set_forms();
  set_lives();
  cover_reads();
}

void NetworkMemory::add_root(int index) {
  const NetworkValue& made = value(index);
  Root root;
  root.channels = made.channels;
  root.height = made.height;
  root.width = made.width;
  placed_[static_cast<std::size_t>(index)] = {static_cast<int>(roots_.size()), 0};
  roots_.push_back(root);
}

int NetworkMemory::phase_of(const NetworkItem& item) const {
  return 1 + std::max(phase_of(item.in), item.other >= 0 ? phase_of(item.other) : -1);
}

void NetworkMemory::set_phases() {
  for (const NetworkItem& item : items_.list) {
    if (item.out < 0) continue;
    phases_[static_cast<std::size_t>(item.out)] = item.kind == NetworkKind::kCopy ? -1 : phase_of(item);
    const NetworkConcat* concat = items_.concat_with(item.out);
    if (concat == nullptr) continue;
    int last = -1;
    for (const int part : concat->parts) last = std::max(last, phase_of(part));
    phases_[static_cast<std::size_t>(concat->whole)] = last;
  }
}

/// Values that one output of the network takes, and nobody else, need no memory.
void NetworkMemory::set_ports() {
  std::vector<int> readers(items_.values.size(), 0);
  for (const NetworkItem& item : items_.list) {
    if (!is_used(item) || item.kind == NetworkKind::kCopy) continue;
    ++readers[static_cast<std::size_t>(item.in)];
    if (item.other >= 0) ++readers[static_cast<std::size_t>(item.other)];
  }
  for (const NetworkItem& item : items_.list) {
    if (item.kind != NetworkKind::kGather || readers[static_cast<std::size_t>(item.in)] != 1) continue;
    if (phase_of(item.in) < 0 || items_.concat_of(item.in) != nullptr || items_.concat_with(item.in) != nullptr) {
      continue;
    }
    ports_[static_cast<std::size_t>(item.in)] = item.port;
  }
}

/// Borders from windows that reach over edges; flat values from dense layers.
void NetworkMemory::set_forms() {
  for (const NetworkItem& item : items_.list) {
    if (item.kind != NetworkKind::kSums || item.out < 0) continue;
    Root& root = root_of(item.in);
    if (is_dense(item, value(item.in))) {
      root.is_flat = root.is_flat || root.height * root.width > 1;
      continue;
    }
    const auto& [d, h, w] = item.window.axes;
    const auto beyond = [](const WindowAxis& axis) {
      const int64_t last = (axis.output - 1) * axis.stride - axis.begin + (axis.kernel - 1) * axis.dilation;
      return std::max<int64_t>(0, last - (axis.input - 1));
    };
    root.top = std::max(root.top, h.begin);
    root.left = std::max(root.left, w.begin);
    root.bottom = std::max(root.bottom, beyond(h));
    root.right = std::max(root.right, beyond(w));
  }
  for (Root& root : roots_) {
    require_fit(!root.is_flat || !root.has_border());
    if (root.height * root.width == 1 && !root.has_border()) root.is_flat = true;
  }
}

void NetworkMemory::set_lives() {
  for (Root& root : roots_) {
    // A dense layer reads whole vectors.
    root.life = {(root.channels * root.plane() + 3) / 4 * 16, std::numeric_limits<int>::max(), 0, 0};
    require_fit(root.life.bytes < std::numeric_limits<int>::max());
  }
  const auto use = [&](int index, int phase) {
    if (index < 0 || port_of(index) >= 0) return;
    Lifetime& life = root_of(index).life;
    life.first = std::min(life.first, std::max(phase, 0));
    life.last = std::max(life.last, phase);
  };
  for (const NetworkItem& item : items_.list) {
    if (item.out >= 0) use(item.out, phase_of(item.out));
    if (!is_used(item) || item.kind == NetworkKind::kCopy) continue;
    use(item.in, phase_of(item));
    use(item.other, phase_of(item));
  }
  std::vector<Lifetime> lives;
  for (Root& root : roots_) {
    if (root.life.first > root.life.last) root.life.bytes = 0;
    lives.push_back(root.life);
  }
  floats_ = lay_out(lives) / 4;
  for (std::size_t i = 0; i < roots_.size(); ++i) roots_[i].life = lives[i];
}

/// Makes room behind the last value for what tiles read in vain.
void NetworkMemory::cover_reads() {
  for (const NetworkItem& item : items_.list) {
    if (item.kind != NetworkKind::kSums || item.out < 0 || is_dense(item, value(item.in))) continue;
    const StagePlace in = place_of(item.in);
    const auto& [d, h, w] = item.window.axes;
    // A tile has one row more than it needs, and three columns, read four at a time.
    const auto last = [](const WindowAxis& axis, int64_t more) {
      return (axis.output - 1 + more) * axis.stride + (axis.kernel - 1) * axis.dilation - axis.begin;
    };
    const int64_t channel = in.start + (value(item.in).channels - 1) * in.plane;
    floats_ = std::max(floats_, channel + last(h, 1) * in.pitch + last(w, 3) + 4);
  }
  floats_ = (floats_ + 3) / 4 * 4;
  require_fit(floats_ < std::numeric_limits<int>::max() / 64);
}

StagePlace NetworkMemory::place_of(int index) const {
  const Root& root = root_of(index);
  const int64_t first = root.start() + at(index).first_channel * root.plane();
  return {static_cast<int>(first + root.top * root.pitch() + root.left), static_cast<int>(root.plane()),
          static_cast<int>(root.pitch())};
}

StageBorder NetworkMemory::take_border(int index) {
  Root& root = root_of(index);
  StageBorder border;
  if (root.is_cleared) return border;
  root.is_cleared = true;
  border.start = static_cast<int>(root.start());
  border.pitch = static_cast<int>(root.pitch());
  if (root.has_border()) {
    border.rows_of_channel = small_divisor(static_cast<int>(root.top + root.height + root.bottom));
    border.rows = small_divisor(static_cast<int>(root.channels) * border.rows_of_channel.size);
    border.top = static_cast<int>(root.top);
    border.height = static_cast<int>(root.height);
    border.left = static_cast<int>(root.left);
    border.width = static_cast<int>(root.width);
  } else {
    const int64_t floats = root.channels * root.plane();
    border.start = static_cast<int>(root.start() + floats);
    border.tail = static_cast<int>((4 - floats % 4) % 4);
  }
  return border;
}

}  // namespace slipway
