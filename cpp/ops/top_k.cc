// TopK:  the k largest (or smallest) elements along an axis, and their places.
//
// ONNX TopK, opsets 13 to 24. x: numbers, rank 1 or more; k: one int64. Of equal elements the one that comes first is
// taken first; NaN counts as larger than everything. The results are in order, with `sorted` 0 too.
#include <algorithm>
#include <numeric>

#include "ops/elementwise.h"
#include "ops/prepared.h"
#include "ops/shapes.h"

namespace slipway {

void infer_top_k(InferContext& context) {
  context.allow_attributes({"axis", "largest", "sorted"});
  context.require_counts(2, 2, 1, 2);
  if (!context.wants_output(0)) context.refuse("output 0 (values) must be wanted");
  require_types(context, 0, Numbers{});
  context.require_rank(0, 1, kMaxRank);
  context.require_dtype(1, {DType::kInt64});
  const auto k = scalar_int(context, 1);
  const Dims* x = context.dims(0);
  if (x == nullptr || !k) {
    const int rank = x == nullptr ? -1 : static_cast<int>(x->size());
    context.output_unknown(0, context.dtype(0), rank);
    return context.output_unknown(1, DType::kInt64, rank);
  }
  const int64_t axis = context.normalise_axis(context.get_int("axis", -1), static_cast<int64_t>(x->size()));
  Dims y = *x;
  Dim& size = y[static_cast<std::size_t>(axis)];
  if (*k < 0 || (size.is_known() && *k > size.value())) {
    context.reject("k is ", *k, ", expected 0 to ", size.text(), ", the size of axis ", axis);
  }
  size = *k;
  context.output(0, context.dtype(0), y);
  context.output(1, DType::kInt64, std::move(y));
}

std::shared_ptr<const void> prepare_top_k(PrepareContext& context) {
  (void)prepare_nothing(context);
  const Shape x = context.shape(0);
  const int64_t axis = context.get_int("axis", -1);
  const TopKPrepared prepared{axis < 0 ? axis + x.rank() : axis, context.get_int("largest", 1) != 0};
  if (context.isa() != Isa::kCuda && x.count() > 0)
    context.scratch_bytes = checked_multiply(x[static_cast<int>(prepared.axis)], sizeof(int64_t));
  return std::make_shared<const TopKPrepared>(prepared);
}

namespace scalar {

namespace {

// A strict order in which NaN is larger than everything.
template <typename T>
bool is_larger(T a, T b) noexcept {
  if (a != a || b != b) return b == b;
  return a > b;
}

template <bool kLargest, typename T>
bool is_better(T a, T b) noexcept {
  return kLargest ? is_larger(a, b) : is_larger(b, a);
}

// Sorts the places of one line x[0], x[stride], ... so that the first k are the answer.
template <bool kLargest, typename T>
void order_places(const T* x, int64_t stride, std::span<int64_t> places, int64_t k) noexcept {
  std::iota(places.begin(), places.end(), 0);
  std::partial_sort(places.begin(), places.begin() + k, places.end(), [=](int64_t i, int64_t j) {
    const T a = x[i * stride];
    const T b = x[j * stride];
    if (is_better<kLargest>(a, b)) return true;
    if (is_better<kLargest>(b, a)) return false;
    return i < j;
  });
}

/// Beyond so many, a place for a new one among those that are kept is not found at once.
constexpr int64_t kFewPlaces = 32;

/// True where one of a block of elements comes before `last`; without branches, so that compilers make vectors of it.
template <bool kLargest, typename T>
bool has_better(const T* x, int64_t count, T last) noexcept {
  const bool is_number = last == last;
  if (kLargest && !is_number) return false;
  int found = 0;
  if (kLargest) {
    for (int64_t i = 0; i < count; ++i) found |= static_cast<int>(!(x[i] <= last));
  } else if (is_number) {
    for (int64_t i = 0; i < count; ++i) found |= static_cast<int>(x[i] < last);
  } else {
    for (int64_t i = 0; i < count; ++i) found |= static_cast<int>(x[i] == x[i]);
  }
  return found != 0;
}

// As order_places(), of few places: those found so far are in order, and blocks that come behind the last are passed.
template <bool kLargest, typename T>
void keep_places(const T* x, int64_t stride, std::span<int64_t> places, int64_t k) noexcept {
  constexpr int64_t kBlock = 32;
  const auto count = static_cast<int64_t>(places.size());
  const auto kept = [&](int64_t at) -> int64_t& { return places[static_cast<std::size_t>(at)]; };
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    const int64_t end = std::min(begin + kBlock, count);
    if (stride == 1 && begin >= k && !has_better<kLargest>(x + begin, end - begin, x[kept(k - 1)])) continue;
    for (int64_t i = begin; i < end; ++i) {
      if (i >= k && !is_better<kLargest>(x[i * stride], x[kept(k - 1) * stride])) continue;
      int64_t at = std::min(i, k - 1);
      for (; at > 0 && is_better<kLargest>(x[i * stride], x[kept(at - 1) * stride]); --at) kept(at) = kept(at - 1);
      kept(at) = i;
    }
  }
}

template <bool kLargest, typename T>
void take_top(const OpCall& call) noexcept {
  const int64_t axis = call.as<TopKPrepared>().axis;
  const Split x = split_at(call.inputs[0].shape, axis);
  const Split y = split_at(call.outputs[0].shape, axis);
  const std::span places(reinterpret_cast<int64_t*>(call.scratch), static_cast<std::size_t>(x.axis));
  for (int64_t o = 0; o < y.outer; ++o) {
    for (int64_t i = 0; i < y.inner; ++i) {
      const T* line = call.inputs[0].as<T>() + o * x.axis * x.inner + i;
      if (y.axis > kFewPlaces) {
        order_places<kLargest>(line, x.inner, places, y.axis);
      } else if (y.axis > 0) {
        keep_places<kLargest>(line, x.inner, places, y.axis);
      }
      for (int64_t k = 0; k < y.axis; ++k) {
        const int64_t at = (o * y.axis + k) * y.inner + i;
        call.outputs[0].as<T>()[at] = line[places[static_cast<std::size_t>(k)] * x.inner];
        if (call.has_output(1)) call.outputs[1].as<int64_t>()[at] = places[static_cast<std::size_t>(k)];
      }
    }
  }
}

}  // namespace

void top_k(const OpCall& call) noexcept {
  dispatch(Numbers{}, call.inputs[0].dtype,
           [&]<typename T>() { (call.as<TopKPrepared>().largest ? take_top<true, T> : take_top<false, T>)(call); });
}

}  // namespace scalar
}  // namespace slipway
