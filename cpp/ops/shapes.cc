#include "ops/shapes.h"

#include <algorithm>

namespace slipway {

int64_t checked_multiply(int64_t a, int64_t b) {
  int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) fail(Code::kLimit, "a size of ", a, " * ", b, " is too large");
  return product;
}

int64_t checked_add(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) fail(Code::kLimit, "a size of ", a, " + ", b, " is too large");
  return sum;
}

Dim product_of(std::span<const Dim> dims) {
  const auto is_zero = [](const Dim& dim) { return dim.is_known() && dim.value() == 0; };
  if (std::any_of(dims.begin(), dims.end(), is_zero)) return 0;
  if (dims.size() == 1) return dims[0];
  int64_t product = 1;
  const Dim* unknown = nullptr;
  for (const Dim& dim : dims) {
    if (dim.is_known()) {
      product = checked_multiply(product, dim.value());
    } else if (unknown != nullptr) {
      return {};
    } else {
      unknown = &dim;
    }
  }
  if (unknown == nullptr) return product;
  return product == 1 ? *unknown : Dim();
}

Dim agreed(const InferContext& context, const Dim& a, const Dim& b, std::string_view what) {
  if (!a.is_known()) return b.is_known() ? b : a.surely_equals(b) ? a : Dim();
  if (b.is_known() && a.value() != b.value()) context.reject(what, " is ", b.text(), ", expected ", a.text());
  return a;
}

std::vector<int64_t> normalise_axes(const InferContext& context, std::vector<int64_t> axes, int64_t rank) {
  for (int64_t& axis : axes) axis = context.normalise_axis(axis, rank);
  std::vector<int64_t> sorted = axes;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) context.reject("axis ", *twice, " stands twice in the list of axes");
  return axes;
}

void require_one_element(const InferContext& context, int i) {
  const Dims* dims = context.dims(i);
  if (dims == nullptr || dims->empty()) return;
  if (dims->size() == 1 && (!(*dims)[0].is_known() || (*dims)[0].value() == 1)) return;
  context.reject("input ", i, " has shape ", text_of(*dims), ", expected a scalar");
}

std::optional<int64_t> scalar_int(InferContext& context, int i) {
  require_one_element(context, i);
  const auto values = context.ints(i);
  if (!values) return std::nullopt;
  return values->at(0);
}

namespace scalar {

void copy_walk(const OpCall& call, const Walk<1>& walk, int64_t base) noexcept {
  const int64_t step = walk.inner_strides()[0];
  dispatch_storage(call.inputs[0].dtype, [&]<typename T>() {
    T* y = call.outputs[0].as<T>();
    walk.for_each_row([&](int64_t done, const Walk<1>::Offsets& at) {
      const T* x = call.inputs[0].as<T>() + base + at[0];
      if (step == 1) {
        std::copy_n(x, walk.inner_size(), y + done);
      } else {
        for (int64_t i = 0; i < walk.inner_size(); ++i) y[done + i] = x[i * step];
      }
    });
  });
}

}  // namespace scalar
}  // namespace slipway
