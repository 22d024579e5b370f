#include "guarded.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "unwatched.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace slipway::emulation {

namespace {

// What a row too many, or a vector too far, still falls into.
constexpr std::size_t kGuardBytes = 512;

}  // namespace

bool holds_poison(const unsigned char* begin, const unsigned char* end) noexcept {
  return begin == end ||
         (*begin == kPoison && std::memcmp(begin, begin + 1, static_cast<std::size_t>(end - begin) - 1) == 0);
}

GuardedBytes::GuardedBytes(std::size_t bytes) : bytes_(bytes) {
  const std::size_t body = (bytes + kDeviceAlignment - 1) / kDeviceAlignment * kDeviceAlignment;
  mapped_ = kGuardBytes + body + kGuardBytes;
  memory_ = static_cast<unsigned char*>(std::aligned_alloc(kDeviceAlignment, mapped_));
  if (memory_ == nullptr) throw std::bad_alloc();
  data_ = memory_ + kGuardBytes;
  std::memset(memory_, kPoison, mapped_);
#if defined(__SANITIZE_ADDRESS__)
  __asan_poison_memory_region(memory_, kGuardBytes);
  __asan_poison_memory_region(data_ + bytes_, mapped_ - kGuardBytes - bytes_);
#endif
}

GuardedBytes::~GuardedBytes() {
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(memory_, mapped_);
#endif
  poison();  // for whoever still reads it
  std::free(memory_);
}

void GuardedBytes::poison() noexcept {
  const Unwatched unwatched;
  std::memset(data_, kPoison, bytes_);
}

bool GuardedBytes::is_poison() const noexcept {
  const Unwatched unwatched;
  return holds_poison(data_, data_ + bytes_);
}

bool GuardedBytes::is_whole() const noexcept {
#if defined(__SANITIZE_ADDRESS__)
  return true;
#else
  return holds_poison(memory_, data_) && holds_poison(data_ + bytes_, memory_ + mapped_);
#endif
}

void GuardedBytes::mend() noexcept {
#if !defined(__SANITIZE_ADDRESS__)
  std::memset(memory_, kPoison, kGuardBytes);
  std::memset(data_ + bytes_, kPoison, mapped_ - kGuardBytes - bytes_);
#endif
}

}  // namespace slipway::emulation
