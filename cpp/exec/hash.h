// FNV-1a over 64-bit words, for the keys of the plan caches (every hit is compared in full).
#pragma once

#include <cstdint>
#include <cstring>
#include <span>

#include "base/view.h"

namespace slipway {

inline constexpr uint64_t kHashStart = 0xcbf29ce484222325u;

[[nodiscard]] inline uint64_t hash_word(uint64_t hash, uint64_t word) noexcept {
  return (hash ^ word) * 0x100000001b3u;
}

[[nodiscard]] inline uint64_t hash_shape(uint64_t hash, const Shape& shape) noexcept {
  hash = hash_word(hash, static_cast<uint64_t>(shape.rank()));
  for (const int64_t size : shape.sizes()) hash = hash_word(hash, static_cast<uint64_t>(size));
  return hash;
}

[[nodiscard]] inline uint64_t hash_bytes(uint64_t hash, const TensorView& view) noexcept {
  const auto* bytes = view.as<unsigned char>();
  for (int64_t i = 0; i < view.bytes(); ++i) hash = hash_word(hash, bytes[i]);
  return hash;
}

}  // namespace slipway
