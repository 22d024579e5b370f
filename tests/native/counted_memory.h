// Counts the memory that a test's program takes, and refuses some of it where asked to: its operator new. For one file
// of each program.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace slipway::counted {

// Each block begins with its size, in a header that keeps the largest alignment in use.
inline constexpr std::size_t kHeader = 64;
inline std::atomic<int64_t> now{0};                    ///< bytes held
inline std::atomic<int64_t> peak{0};                   ///< most bytes held at once since it was last set
inline std::atomic<int64_t> blocks{0};                 ///< taken or asked for so far
inline std::atomic<int64_t> first_refused{INT64_MAX};  ///< the block from which on there is no memory ...
inline std::atomic<int64_t> refused{0};                ///< ... for so many blocks

inline void* take(std::size_t bytes) noexcept {
  const int64_t number = blocks++;
  if (number >= first_refused && number - first_refused < refused) return nullptr;
  auto* block = static_cast<std::byte*>(std::aligned_alloc(kHeader, (bytes + 2 * kHeader - 1) / kHeader * kHeader));
  if (block == nullptr) return nullptr;
  *reinterpret_cast<std::size_t*>(block) = bytes;
  const int64_t held = now += static_cast<int64_t>(bytes);
  if (held > peak) peak = held;
  return block + kHeader;
}

inline void give(void* memory) noexcept {
  if (memory == nullptr) return;
  std::byte* block = static_cast<std::byte*>(memory) - kHeader;
  now -= static_cast<int64_t>(*reinterpret_cast<std::size_t*>(block));
  std::free(block);
}

inline void* take_or_throw(std::size_t bytes) {
  void* memory = take(bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace slipway::counted

void* operator new(std::size_t bytes) { return slipway::counted::take_or_throw(bytes); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return slipway::counted::take(bytes); }
void* operator new(std::size_t bytes, std::align_val_t) { return slipway::counted::take_or_throw(bytes); }
void* operator new(std::size_t bytes, std::align_val_t, const std::nothrow_t&) noexcept {
  return slipway::counted::take(bytes);
}
void operator delete(void* memory) noexcept { slipway::counted::give(memory); }
void operator delete(void* memory, std::size_t) noexcept { slipway::counted::give(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { slipway::counted::give(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { slipway::counted::give(memory); }
