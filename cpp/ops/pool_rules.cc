#include "ops/pool_rules.h"

#include "ops/window_rules.h"

namespace slipway {

std::optional<Dims> pooled_dims(const InferContext& context) {
  context.require_rank(0, 3, 5);
  const Dims* x = context.dims(0);
  if (x == nullptr) return std::nullopt;
  const WindowRules rules = read_window(context, static_cast<int>(x->size()) - 2, nullptr);
  for (std::size_t axis = 0; axis < rules.strides.size(); ++axis) {
    const int64_t extent = (rules.kernel[axis].value() - 1) * rules.dilations[axis] + 1;
    if (rules.begins[axis] >= extent || rules.ends[axis] >= extent) {
      context.reject("pads ", rules.begins[axis], " and ", rules.ends[axis], " are not smaller than the window of ",
                     extent, " elements");
    }
  }
  int64_t taps = 1;
  for (const Dim& size : rules.kernel) taps = saturating_product(taps, size.value());
  if (taps > kMaxWindowSize) fail(Code::kLimit, "a window has ", taps, " elements, allowed are up to ", kMaxWindowSize);
  Dims out{(*x)[0], (*x)[1]};
  for (Dim& size : window_counts(rules, *x)) out.push_back(std::move(size));
  return out;
}

PoolCall read_pool(PrepareContext& context) {
  const Shape x = context.shape(0);
  const Shape y = context.output_shape(0);
  PoolCall call;
  call.window = window_of(read_window(context, x.rank() - 2, nullptr), x, y);
  call.planes = x[0] * x[1];
  context.work = {saturating_product(y.count(), call.window.taps()),
                  (x.count() + y.count()) * size_of(context.dtype(0))};
  return call;
}

}  // namespace slipway
