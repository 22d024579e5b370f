// Products of split matrices on AMX: sixteen rows by sixteen columns of float32 sums, 32 terms of bfloat16 at once.
#include "simd/split_simd.h"

#ifdef SLIPWAY_SPLITS

namespace slipway::SLIPWAY_ISA {

namespace {

/// All eight registers as sixteen rows of 64 bytes.
struct alignas(64) TileShapes {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

constexpr TileShapes kShapes;

// Not the compiler's intrinsics: they name a register by the text of their argument, which cannot be a constant.
template <int T>
[[gnu::always_inline]] inline void clear_tile() noexcept {
  asm volatile("tilezero %%tmm%c0" ::"i"(T));
}
template <int T>
[[gnu::always_inline]] inline void load_tile(const void* from, int64_t row) noexcept {
  asm volatile("tileloadd (%1,%2,1), %%tmm%c0" ::"i"(T), "r"(from), "r"(row) : "memory");
}
template <int T>
[[gnu::always_inline]] inline void store_tile(void* to, int64_t row) noexcept {
  asm volatile("tilestored %%tmm%c0, (%1,%2,1)" ::"i"(T), "r"(to), "r"(row) : "memory");
}
template <int C, int A, int B>
[[gnu::always_inline]] inline void multiply_tiles() noexcept {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(C), "i"(A), "i"(B));
}

/// f(i) for constants i below N.
template <int N, int I = 0, typename F>
[[gnu::always_inline]] inline void each(const F& f) noexcept {
  if constexpr (I < N) {
    f.template operator()<I>();
    each<N, I + 1>(f);
  }
}

/// R blocks of rows by C blocks of columns: sums in registers from 0 on, then R of A, and what is left for B.
template <int R, int C>
struct Sums {
  static constexpr int kA = R * C;
  static constexpr int kB = kA + R;
  static_assert(kB < 8);
  static constexpr int kColumns = 8 - kB < C ? 8 - kB : C;

  const uint16_t* a;
  const uint16_t* b;
  int64_t a_block;
  int64_t b_block;

  template <int I>
  [[gnu::always_inline]] void load_a() const noexcept {
    each<R>([&]<int i>() { load_tile<kA + i>(a + i * a_block + I * kSplitTile, 64); });
  }

  /// Adds the products of the part of A that was loaded last and part J of B; all of B fits, or each is loaded anew.
  template <int J, bool LoadsB>
  [[gnu::always_inline]] void add() const noexcept {
    each<C>([&]<int j>() {
      constexpr int kTile = kB + j % kColumns;
      if constexpr (LoadsB || C > kColumns) load_tile<kTile>(b + j * b_block + J * kSplitTile, 64);
      each<R>([&]<int i>() { multiply_tiles<i * C + j, kA + i, kTile>(); });
    });
  }

  /// Five of the six products of a group, in an order in which one side stays from step to step.
  [[gnu::always_inline]] void add_small() const noexcept {
    load_a<0>();
    add<2, true>();
    add<1, true>();
    load_a<1>();
    add<1, false>();
    add<0, true>();
    load_a<2>();
    add<0, false>();
  }

  [[gnu::always_inline]] void add_large() const noexcept {
    load_a<0>();
    add<0, true>();
  }

  [[gnu::always_inline]] void next_group() noexcept {
    a += kSplitGroup;
    b += kSplitGroup;
  }
};

template <int R, int C>
void sum_tiles(const SplitProduct& product, int64_t row, int64_t column) noexcept {
  const int64_t block = split_block(product.k);
  const Sums<R, C> begin{product.a + row * block, product.b + column * block, block, block};
  each<R * C>([&]<int t>() { clear_tile<t>(); });
  // The small ones of all terms come first, so that the sums are large, and round coarsely, for one product of the six.
  Sums<R, C> sums = begin;
  for (int64_t left = split_groups(product.k); left > 0; --left, sums.next_group()) sums.add_small();
  sums = begin;
  for (int64_t left = split_groups(product.k); left > 0; --left, sums.next_group()) sums.add_large();
  float* c = product.c + kSplitLines * (row * product.c_row + column);
  const int64_t next = product.c_row * static_cast<int64_t>(sizeof(float));
  each<R * C>([&]<int t>() { store_tile<t>(c + kSplitLines * (t / C * product.c_row + t % C), next); });
}

}  // namespace

float split_row(const float* a, int64_t k, int64_t i, uint16_t* out) noexcept {
  uint16_t* to = out + i / kSplitLines * split_block(k) + i % kSplitLines * kSplitTerms;
  VecInt largest{};
  for (int64_t p = 0; p < split_groups(k) * kSplitTerms; p += kLanes) {
    const Vec x = p + kLanes <= k ? load(a + p) : p < k ? load_first(a + p, k - p) : Vec{};
    const VecInt magnitude = reinterpret_cast<VecInt>(x) & 0x7fffffff;
    largest = largest > magnitude ? largest : magnitude;
    store_split(to + p / kSplitTerms * kSplitGroup + p % kSplitTerms, x);
  }
  int32_t most = 0;
  for (int64_t lane = 0; lane < kLanes; ++lane) most = most > largest[lane] ? most : largest[lane];
  return std::bit_cast<float>(most);
}

SplitUnit::SplitUnit() noexcept { asm volatile("ldtilecfg %0" ::"m"(kShapes)); }
SplitUnit::~SplitUnit() { asm volatile("tilerelease" ::: "memory"); }

void SplitUnit::multiply(const SplitProduct& product) const noexcept {
  const int64_t rows = split_blocks(product.m);
  const int64_t columns = split_blocks(product.n);
  for (int64_t j = 0; j < columns; j += 2) {
    for (int64_t i = 0; i + 2 <= rows; i += 2) {
      if (j + 2 <= columns) {
        sum_tiles<2, 2>(product, i, j);
      } else {
        sum_tiles<2, 1>(product, i, j);
      }
    }
  }
  if (rows % 2 == 0) return;
  int64_t j = 0;
  for (; j + 4 <= columns; j += 4) sum_tiles<1, 4>(product, rows - 1, j);
  for (; j < columns; ++j) sum_tiles<1, 1>(product, rows - 1, j);
}

}  // namespace slipway::SLIPWAY_ISA
#endif
