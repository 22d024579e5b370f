#include "order.h"

#include <bit>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <numeric>
#include <string_view>
#include <utility>

namespace slipway::emulation {

namespace {

struct Setting {
  Order order;
  uint64_t seed;
};

Setting read_setting() {
  const char* text = std::getenv("SLIPWAY_EMULATION_ORDER");
  const std::string_view asked = text == nullptr ? "" : text;
  if (asked.empty() || asked == "forward") return {Order::kForward, 1};
  if (asked == "backward") return {Order::kBackward, 1};
  if (asked == "random") return {Order::kRandom, 1};
  constexpr std::string_view kSeeded = "random:";
  if (asked.starts_with(kSeeded)) {
    uint64_t seed = 0;
    const char* end = asked.data() + asked.size();
    const auto [stop, error] = std::from_chars(asked.data() + kSeeded.size(), end, seed);
    if (error == std::errc() && stop == end) return {Order::kRandom, seed};
  }
  std::fprintf(stderr, "SLIPWAY_EMULATION_ORDER is \"%s\", expected forward, backward, random or random:SEED\n", text);
  std::abort();
}

std::mutex mutex;

Setting& setting() {
  static Setting now = read_setting();
  return now;
}

thread_local constinit uint64_t grids = 0;

}  // namespace

void set_order(Order order, uint64_t seed) {
  const std::scoped_lock lock(mutex);
  setting() = {order, seed};
  grids = 0;
}

Chooser::Chooser() {
  const std::scoped_lock lock(mutex);
  order_ = setting().order;
  state_ = setting().seed + (grids++ << 32);
}

// Vigna, "Further scramblings of Marsaglia's xorshift generators", 2017: splitmix64.
uint64_t Chooser::next() noexcept {
  uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

int Chooser::pick(uint32_t bits) noexcept {
  if (order_ == Order::kForward) return std::countr_zero(bits);
  if (order_ == Order::kBackward) return 31 - std::countl_zero(bits);
  // The first one at or after a random place: as good as a fair choice, and no division.
  const int shift = static_cast<int>(next() % 32);
  return (std::countr_zero(std::rotr(bits, shift)) + shift) % 32;
}

std::vector<uint32_t> Chooser::arrange(uint32_t count) {
  std::vector<uint32_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0u);
  for (uint32_t i = 0; i < count / 2 && order_ == Order::kBackward; ++i) std::swap(numbers[i], numbers[count - 1 - i]);
  for (uint32_t i = count; i > 1 && order_ == Order::kRandom; --i) std::swap(numbers[i - 1], numbers[next() % i]);
  return numbers;
}

uint32_t Chooser::first_of(uint32_t count) noexcept {
  return order_ == Order::kRandom ? static_cast<uint32_t>(next() % count) : 0;
}

}  // namespace slipway::emulation
