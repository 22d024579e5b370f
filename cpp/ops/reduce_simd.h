// Reductions of float32. An operator is a formula of terms, of which there are two kinds: the innermost axis is kept,
// and lanes are elements of y (Columns), or it is reduced, and lanes are terms of one element (Row). Sums have one
// order, which depends neither on threads nor on neighbours, not even on whether there are any
// (docs/decisions/0019-rows-of-a-batch.md), and go through two levels, and a third where one lane sums up alone, so
// that errors grow with a root of the length.
#pragma once

#include "ops/reduce_walks.h"
#include "simd/vec.h"

namespace slipway::SLIPWAY_ISA {
namespace {

/// Terms that a lane sums before it begins anew.
constexpr int64_t kTerms = 256;
/// The same where lanes are elements of y: of as many sums it makes one of kTerms.
constexpr int64_t kFewTerms = 16;
/// Vectors that are summed side by side.
constexpr int64_t kSideBySide = 4;
constexpr int64_t kTermsPerNanosecond = 4;

/// What terms become. at(place) is for the vector of terms of that place.
template <int V>
struct Vecs {
  static constexpr int kCount = V;
  Vec v[V];

  [[nodiscard, gnu::always_inline]] Vec at(int place) const noexcept { return v[place]; }
};
/// One vector, in which every lane has a place.
struct Lanes {
  static constexpr int kCount = 1;
  Vec v[1];

  [[nodiscard, gnu::always_inline]] Vec at(int place) const noexcept { return broadcast(v[0][place]); }
};

/// f(x...) for each vector.
template <typename F, typename Result, typename... Others>
[[gnu::always_inline]] inline Result each(const F& f, const Result& x, const Others&... others) noexcept {
  Result y;
  for (int v = 0; v < Result::kCount; ++v) y.v[v] = f(x.v[v], others.v[v]...);
  return y;
}

/// The larger of both, or the smaller one; NaN in either wins. Which zero of two is taken is open.
struct Larger {
  static constexpr float kNothing = -__builtin_inff();
  [[gnu::always_inline]] static Vec fold(Vec best, Vec x) noexcept { return x != x ? x : max(best, x); }
};
struct Smaller {
  static constexpr float kNothing = __builtin_inff();
  [[gnu::always_inline]] static Vec fold(Vec best, Vec x) noexcept { return x != x ? x : min(best, x); }
};
struct Total {
  static constexpr float kNothing = 0.0f;
  [[gnu::always_inline]] static Vec fold(Vec sum, Vec x) noexcept { return sum + x; }
};

/// V vectors of neighbours, of which only the first `lanes` elements exist where that is less than a vector.
template <int V>
struct Columns {
  const Walk<1>& reduced;
  const float* x;
  int64_t lanes;

  /// All term(x, place) by F.
  template <typename F, typename Term>
  [[gnu::always_inline]] Vecs<V> fold(const Term& term) const noexcept {
    const int64_t step = reduced.inner_strides()[0];
    Vecs<V> total;
    Vecs<V> part;
    Vecs<V> few;
    for (int v = 0; v < V; ++v) total.v[v] = part.v[v] = few.v[v] = broadcast(F::kNothing);
    int64_t left = kFewTerms;
    int64_t parts = kTerms / kFewTerms;
    reduced.for_each_run(0, reduced.count(), [&](int64_t, int64_t count, const Steps<1>& at) {
      const float* p = x + at[0];
      for (int64_t i = 0; i < count; ++i, p += step) {
        for (int v = 0; v < V; ++v) few.v[v] = F::fold(few.v[v], term(read(p + v * kLanes), v));
        if (--left > 0) continue;
        left = kFewTerms;
        move<F>(few, part);
        if (--parts > 0) continue;
        parts = kTerms / kFewTerms;
        move<F>(part, total);
      }
    });
    move<F>(few, part);
    move<F>(part, total);
    return total;
  }

 private:
  /// What `from` holds goes to `to`.
  template <typename F>
  [[gnu::always_inline]] static void move(Vecs<V>& from, Vecs<V>& to) noexcept {
    for (int v = 0; v < V; ++v) {
      to.v[v] = F::fold(to.v[v], from.v[v]);
      from.v[v] = broadcast(F::kNothing);
    }
  }
  [[gnu::always_inline]] Vec read(const float* p) const noexcept {
    return V > 1 || lanes >= kLanes ? load(p) : load_first(p, lanes);
  }
};

/// The terms of one element.
struct Row {
  const Walk<1>& reduced;
  const float* x;
  int64_t run;  // ReduceWalks::run

  /// All term(x, 0) by F, in every lane.
  template <typename F, typename Term>
  [[gnu::always_inline]] Vecs<1> fold(const Term& term) const noexcept {
    return {{join_lanes(fold_apart<F>(term), [](Vec a, Vec b) { return F::fold(a, b); })}};
  }
  /// The same before the lanes are joined.
  template <typename F, typename Term>
  [[gnu::always_inline]] Vec fold_apart(const Term& term) const noexcept {
    Vec total = broadcast(F::kNothing);
    if (run == reduced.count()) {  // a walk takes as long as a short run
      fold_run<F>(x, total, term);
      return total;
    }
    reduced.for_each_run(0, reduced.count(), [&](int64_t, int64_t count, const Steps<1>& at) {
      for (int64_t begin = 0; begin < count; begin += run) fold_run<F>(x + at[0] + begin, total, term);
    });
    return total;
  }

 private:
  template <typename F, typename Term>
  [[gnu::always_inline]] void fold_run(const float* p, Vec& total, const Term& term) const noexcept {
    for (int64_t i = 0; i < run; i += kTerms * kLanes) {
      const int64_t terms = run - i < kTerms * kLanes ? run - i : kTerms * kLanes;
      total = F::fold(total, fold_part<F>(p + i, terms, term));
    }
  }
  template <typename F, typename Term>
  [[gnu::always_inline]] static Vec fold_part(const float* p, int64_t count, const Term& term) noexcept {
    const Vec nothing = broadcast(F::kNothing);
    Vec part[kSideBySide] = {nothing, nothing, nothing, nothing};
    int64_t i = 0;
    for (; i + kSideBySide * kLanes <= count; i += kSideBySide * kLanes) {
      for (int64_t v = 0; v < kSideBySide; ++v) part[v] = F::fold(part[v], term(load(p + i + v * kLanes), 0));
    }
    for (; i + kLanes <= count; i += kLanes) part[0] = F::fold(part[0], term(load(p + i), 0));
    if (i < count) {
      const Vec last = F::fold(part[1], term(load_first(p + i, count - i), 0));
      part[1] = first_or(last, part[1], count - i);
    }
    return F::fold(F::fold(part[0], part[1]), F::fold(part[2], part[3]));
  }

  /// The first n lanes of a, the others of b.
  [[gnu::always_inline]] static Vec first_or(Vec a, Vec b, int64_t n) noexcept {
    VecInt lanes{};
    for (int i = 0; i < kLanes; ++i) lanes[i] = i;
    return lanes < static_cast<int32_t>(n) ? a : b;
  }
};

/// The terms of kLanes elements, which begin `step` apart.
struct Rows {
  const Walk<1>& reduced;
  const float* x;
  int64_t run;
  int64_t step;

  /// All term(x, lane) by F.
  template <typename F, typename Term>
  [[gnu::always_inline]] Lanes fold(const Term& term) const noexcept {
    Vec rows[kLanes];
    for (int lane = 0; lane < kLanes; ++lane) {
      rows[lane] = Row{reduced, x + lane * step, run}.template fold_apart<F>([&](Vec v, int) { return term(v, lane); });
    }
    transpose(rows);
#pragma GCC unroll 4
    for (int64_t half = kLanes / 2; half > 0; half /= 2) {
#pragma GCC unroll 8
      for (int64_t i = 0; i < half; ++i) rows[i] = F::fold(rows[i], rows[i + half]);
    }
    return {{rows[0]}};
  }
};

/// y = formula(terms), which gives as many vectors as terms has; other types than float32, and nothing at all, go to
/// `otherwise`.
template <typename Formula>
void reduce(const OpCall& call, void (*otherwise)(const OpCall&) noexcept, const Formula& formula) noexcept {
  const Walk<1>& kept = call.as<ReduceWalks>().kept;
  const Walk<1>& reduced = call.as<ReduceWalks>().reduced;
  const int64_t run = call.as<ReduceWalks>().run;
  const float* x = call.inputs[0].as<float>();
  float* y = call.outputs[0].as<float>();
  const int64_t terms = reduced.count();
  if (call.inputs[0].dtype != DType::kFloat32 || terms == 0) return otherwise(call);
  const auto put_row = [&](int64_t i, int64_t count, const Steps<1>& at) {
    const int64_t step = kept.inner_strides()[0];
    int64_t k = 0;
    for (; k + kLanes <= count; k += kLanes) {
      store(y + i + k, formula(Rows{reduced, x + at[0] + k * step, run, step}).v[0]);
    }
    for (; k < count; ++k) {
      store_first(y + i + k, formula(Row{reduced, x + at[0] + k * step, run}).v[0], 1);
    }
  };
  const auto put_columns = [&](int64_t i, int64_t count, const Steps<1>& at) {
    const int64_t step = kept.inner_strides()[0];
    int64_t k = 0;
    for (; step != 1 && k < count; ++k) {  // the innermost axis has one element
      store_first(y + i + k, formula(Columns<1>{reduced, x + at[0] + k * step, 1}).v[0], 1);
    }
    for (; k + kSideBySide * kLanes <= count; k += kSideBySide * kLanes) {
      const Vecs<kSideBySide> sums = formula(Columns<kSideBySide>{reduced, x + at[0] + k, kLanes});
      for (int64_t v = 0; v < kSideBySide; ++v) store(y + i + k + v * kLanes, sums.v[v]);
    }
    for (; k < count; k += kLanes) {
      const int64_t lanes = count - k < kLanes ? count - k : kLanes;
      store_first(y + i + k, formula(Columns<1>{reduced, x + at[0] + k, lanes}).v[0], lanes);
    }
  };
  parallel_for(call.pool, kept.count(), grain_of(terms, kTermsPerNanosecond), [&](int64_t begin, int64_t end) {
    if (run > 0) {
      kept.for_each_run(begin, end, put_row);
    } else {
      kept.for_each_run(begin, end, put_columns);
    }
  });
}

}  // namespace
}  // namespace slipway::SLIPWAY_ISA
