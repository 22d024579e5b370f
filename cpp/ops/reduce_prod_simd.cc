// ReduceProd of float32; other types stay with the scalar kernel. Lanes are elements of y, whose factors come one after
// the other in double: the bits are those of the scalar kernel, and no other order overflows or vanishes on its way.
#include "ops/reduce_simd.h"
#include "simd/wide.h"

namespace slipway {

namespace scalar {

void reduce_prod(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

namespace {

/// kLanes products.
struct Products {
  Wide low = broadcast_wide(1.0);
  Wide high = broadcast_wide(1.0);

  [[gnu::always_inline]] void multiply(Wide by_low, Wide by_high) noexcept {
    low *= by_low;
    high *= by_high;
  }
  [[gnu::always_inline]] void multiply(Vec by) noexcept { multiply(widen_low(by), widen_high(by)); }
};

template <int V>
[[gnu::always_inline]] inline Vecs<V> product_of(const Columns<V>& terms) noexcept {
  const int64_t step = terms.reduced.inner_strides()[0];
  Products products[V];
  terms.reduced.for_each_run(0, terms.reduced.count(), [&](int64_t, int64_t count, const Steps<1>& at) {
    const float* p = terms.x + at[0];
    for (int64_t i = 0; i < count; ++i, p += step) {
      if (V == 1 && terms.lanes < kLanes) {
        products[0].multiply(load_first(p, terms.lanes));
        continue;
      }
      for (int v = 0; v < V; ++v)
        products[v].multiply(load_wide(p + v * kLanes), load_wide(p + v * kLanes + kWideLanes));
    }
  });
  Vecs<V> y;
  for (int v = 0; v < V; ++v) y.v[v] = narrow(products[v].low, products[v].high);
  return y;
}

[[gnu::always_inline]] inline Vecs<1> product_of(const Row& terms) noexcept {
  double product = 1.0;
  terms.reduced.for_each_run(0, terms.reduced.count(), [&](int64_t, int64_t count, const Steps<1>& at) {
    for (int64_t i = 0; i < count; ++i) product *= static_cast<double>(terms.x[at[0] + i]);
  });
  return {{broadcast(static_cast<float>(product))}};
}

[[gnu::always_inline]] inline Lanes product_of(const Rows& terms) noexcept {
  Products products;
  terms.reduced.for_each_run(0, terms.reduced.count(), [&](int64_t, int64_t count, const Steps<1>& at) {
    const float* p = terms.x + at[0];
    Vec rows[kLanes];
    int64_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
      for (int64_t lane = 0; lane < kLanes; ++lane) rows[lane] = load(p + lane * terms.step + i);
      transpose(rows);
#pragma GCC unroll 16
      for (int64_t k = 0; k < kLanes; ++k) products.multiply(rows[k]);
    }
    if (i == count) return;
    for (int64_t lane = 0; lane < kLanes; ++lane) rows[lane] = load_first(p + lane * terms.step + i, count - i);
    transpose(rows);
    for (int64_t k = 0; k < count - i; ++k) products.multiply(rows[k]);
  });
  return {{narrow(products.low, products.high)}};
}

}  // namespace

void reduce_prod(const OpCall& call) noexcept {
  reduce(call, scalar::reduce_prod, [](const auto& terms) { return product_of(terms); });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
