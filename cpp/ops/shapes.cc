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

namespace {

/// Elements that move in a nanosecond.
constexpr int64_t kMovesPerNanosecond = 4;
/// Side of the squares in which a plane is turned: a cache line of every row in both.
constexpr int64_t kSquare = 16;
/// Bytes from which a call is cheaper than a loop.
constexpr std::size_t kCallBytes = 64;

/// Rows of `size` elements, which lie `step` apart in x, the rows `row_step`.
struct Plane {
  int64_t rows;
  int64_t row_step;
  int64_t size;
  int64_t step;
};

template <typename T>
void copy_row(const T* x, int64_t size, T* y) noexcept {
  if (static_cast<std::size_t>(size) * sizeof(T) >= kCallBytes) {
    std::copy_n(x, size, y);
  } else {
    for (int64_t i = 0; i < size; ++i) y[i] = x[i];
  }
}

/// Every element stands `Size` times, or plane.size times where that is 0.
template <int64_t Size, typename T>
void repeat(const Plane& plane, const T* x, T* y) noexcept {
  const int64_t size = Size != 0 ? Size : plane.size;
  for (int64_t r = 0; r < plane.rows; ++r) {
    const T value = x[r * plane.row_step];
    for (int64_t i = 0; i < size; ++i) y[r * size + i] = value;
  }
}

typedef uint32_t Four __attribute__((vector_size(16)));
typedef uint32_t FourAnywhere __attribute__((vector_size(16), aligned(4), may_alias));

/// Four columns of four elements of four bytes, `step` apart in x, become rows of y, `size` apart.
void turn_four(const void* x, int64_t step, void* y, int64_t size) noexcept {
  const auto* from = static_cast<const uint32_t*>(x);
  auto* to = static_cast<uint32_t*>(y);
  const auto column = [&](int64_t i) { return Four(*reinterpret_cast<const FourAnywhere*>(from + i * step)); };
  const auto row = [&](int64_t i, Four elements) { *reinterpret_cast<FourAnywhere*>(to + i * size) = elements; };
  const Four a = __builtin_shufflevector(column(0), column(1), 0, 4, 1, 5);
  const Four b = __builtin_shufflevector(column(2), column(3), 0, 4, 1, 5);
  const Four c = __builtin_shufflevector(column(0), column(1), 2, 6, 3, 7);
  const Four d = __builtin_shufflevector(column(2), column(3), 2, 6, 3, 7);
  row(0, __builtin_shufflevector(a, b, 0, 1, 4, 5));
  row(1, __builtin_shufflevector(a, b, 2, 3, 6, 7));
  row(2, __builtin_shufflevector(c, d, 0, 1, 4, 5));
  row(3, __builtin_shufflevector(c, d, 2, 3, 6, 7));
}

/// `rows` by `size`, both whole fours: a line of x is read to its end before the next ones, which may all lie in one
/// set of the first cache.
void turn_fours(const Plane& plane, const void* x, int64_t rows, int64_t size, void* y) noexcept {
  const auto* from = static_cast<const uint32_t*>(x);
  auto* to = static_cast<uint32_t*>(y);
  for (int64_t l = 0; l < size; l += 4) {
    for (int64_t k = 0; k < rows; k += 4)
      turn_four(from + l * plane.step + k, plane.step, to + k * plane.size + l, plane.size);
  }
}

/// Two columns of x become pairs of y.
template <typename T>
void turn_pairs(const Plane& plane, const T* x, T* y) noexcept {
  const T* second = x + plane.step;
  for (int64_t r = 0; r < plane.rows; ++r) {
    y[2 * r] = x[r];
    y[2 * r + 1] = second[r];
  }
}

/// Columns of x become rows of y, square by square.
template <typename T>
void turn(const Plane& plane, const T* x, T* y) noexcept {
  if (plane.row_step == 1 && plane.size == 2) return turn_pairs(plane, x, y);
  const bool has_fours = sizeof(T) == sizeof(uint32_t) && plane.row_step == 1 && plane.size >= 4;
  for (int64_t r = 0; r < plane.rows; r += kSquare) {
    const int64_t rows = std::min(plane.rows - r, kSquare);
    for (int64_t i = 0; i < plane.size; i += kSquare) {
      const int64_t size = std::min(plane.size - i, kSquare);
      const T* square = x + r * plane.row_step + i * plane.step;
      T* turned = y + r * plane.size + i;
      const int64_t four_rows = has_fours ? rows / 4 * 4 : 0;
      if (four_rows > 0) turn_fours(plane, square, four_rows, size / 4 * 4, turned);
      for (int64_t k = 0; k < rows; ++k) {
        const T* from = square + k * plane.row_step;
        T* to = turned + k * plane.size;
        for (int64_t l = k < four_rows ? size / 4 * 4 : 0; l < size; ++l) to[l] = from[l * plane.step];
      }
    }
  }
}

template <typename T>
void copy_plane(const Plane& plane, const T* x, T* y) noexcept {
  if (plane.step == 1) {
    for (int64_t r = 0; r < plane.rows; ++r) copy_row(x + r * plane.row_step, plane.size, y + r * plane.size);
  } else if (plane.step == 0 && plane.size == 2) {
    repeat<2>(plane, x, y);
  } else if (plane.step == 0) {
    repeat<0>(plane, x, y);
  } else {
    turn(plane, x, y);
  }
}

}  // namespace

void copy_walk(const OpCall& call, const Walk<1>& walk, int64_t base) noexcept {
  const int64_t size = walk.inner_size();
  const int64_t step = walk.inner_strides()[0];
  const int64_t row_step = walk.row_strides()[0];
  dispatch_storage(call.inputs[0].dtype, [&]<typename T>() {
    const T* x = call.inputs[0].as<T>() + base;
    T* y = call.outputs[0].as<T>();
    if (walk.rows() == 1) {
      return parallel_for(call.pool, size, grain_of(1, kMovesPerNanosecond), [&](int64_t begin, int64_t end) {
        copy_plane({1, 0, end - begin, step}, x + begin * step, y + begin);
      });
    }
    parallel_for(call.pool, walk.rows(), grain_of(size, kMovesPerNanosecond), [&](int64_t begin, int64_t end) {
      walk.for_each_plane(begin, end, [&](int64_t row, int64_t rows, const Walk<1>::Offsets& at) {
        copy_plane({rows, row_step, size, step}, x + at[0], y + row * size);
      });
    });
  });
}

}  // namespace scalar
}  // namespace slipway
