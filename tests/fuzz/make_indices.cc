// Operators that take places: gathers, scatters, one-hot rows.
#include <algorithm>

#include "maker.h"

namespace slipway::fuzz {

namespace {

// A value that has something at every place.
Made full(Maker& maker, int low, int high) {
  const Made x = maker.pick(kAny, low, high);
  return x.count() > 0 ? x : maker.fresh(x.dtype, Sizes(x.dims.size(), 2));
}

void make_gather(Maker& maker, std::string_view op) {
  const Made x = full(maker, 1, 4);
  const int64_t axis = maker.axis_of(x);
  const std::size_t at = place(axis, x.rank());
  const Made indices = maker.indices(maker.d.one_of(kIndices), maker.sizes(maker.d.from(0, 2)), x.dims[at]);
  Sizes to = x.dims;
  to.erase(to.begin() + static_cast<std::ptrdiff_t>(at));
  to.insert(to.begin() + static_cast<std::ptrdiff_t>(at), indices.dims.begin(), indices.dims.end());
  maker.add(op, {x, indices}, {maker.number("axis", axis)}, x.dtype, to);
}

void make_gather_elements(Maker& maker, std::string_view op) {
  const Made x = full(maker, 1, 4);
  const int64_t axis = maker.axis_of(x);
  Sizes dims = x.dims;
  dims[place(axis, x.rank())] = maker.d.from(1, 4);
  const Made indices = maker.indices(maker.d.one_of(kIndices), dims, x.dims[place(axis, x.rank())]);
  maker.add(op, {x, indices}, {maker.number("axis", axis)}, x.dtype, dims);
}

// Indices that name slices of the data: all axes behind `batch` up to the tuple's length are of size `below`.
Made tuples(Maker& maker, const Made& x, int64_t batch, int64_t tuple, bool has_rows) {
  Sizes dims(x.dims.begin(), x.dims.begin() + batch);
  if (has_rows) dims.push_back(maker.d.from(1, 3));
  dims.push_back(tuple);
  const int64_t below = *std::min_element(x.dims.begin() + batch, x.dims.begin() + batch + tuple);
  return maker.indices(DType::kInt64, dims, below);
}

void make_gather_nd(Maker& maker, std::string_view op) {
  const Made x = full(maker, 1, 4);
  const int64_t batch = x.rank() > 1 && maker.d.chance(3) ? 1 : 0;
  const int64_t tuple = maker.d.from(1, x.rank() - batch);
  const Made indices = tuples(maker, x, batch, tuple, maker.d.chance(2));
  Sizes to(indices.dims.begin(), indices.dims.end() - 1);
  to.insert(to.end(), x.dims.begin() + batch + tuple, x.dims.end());
  std::vector<check::Message> attributes;
  if (batch > 0 || maker.is_hostile()) attributes.push_back(maker.number("batch_dims", batch));
  maker.add(op, {x, indices}, attributes, x.dtype, to);
}

// Reductions are of numbers, and came with opsets 16 and 18.
std::vector<check::Message> reduction_of(Maker& maker, DType dtype) {
  constexpr std::string_view kReductions[] = {"none", "add", "mul", "max", "min"};
  if (dtype == DType::kBool || maker.opset < 18) return {};
  return {maker.text("reduction", maker.d.one_of(kReductions))};
}

void make_scatter_elements(Maker& maker, std::string_view op) {
  const Made x = full(maker, 1, 4);
  const int64_t axis = maker.axis_of(x);
  Sizes dims = x.dims;
  dims[place(axis, x.rank())] = maker.d.from(1, x.dims[place(axis, x.rank())] > 1 ? 2 : 1);
  const Made indices = maker.indices(maker.d.one_of(kIndices), dims, x.dims[place(axis, x.rank())]);
  std::vector<check::Message> attributes = reduction_of(maker, x.dtype);
  attributes.push_back(maker.number("axis", axis));
  maker.add(op, {x, indices, maker.fresh(x.dtype, dims)}, attributes, x.dtype, x.dims);
}

void make_scatter_nd(Maker& maker, std::string_view op) {
  const Made x = full(maker, 1, 4);
  const int64_t tuple = maker.d.from(1, x.rank());
  const Made indices = tuples(maker, x, 0, tuple, true);
  Sizes dims(indices.dims.begin(), indices.dims.end() - 1);
  dims.insert(dims.end(), x.dims.begin() + tuple, x.dims.end());
  maker.add(op, {x, indices, maker.fresh(x.dtype, dims)}, reduction_of(maker, x.dtype), x.dtype, x.dims);
}

void make_one_hot(Maker& maker, std::string_view op) {
  const Made places = maker.pick(kNumbers, 0, 3);
  const int64_t depth = maker.d.from(1, 5);
  const int64_t axis = maker.d.from(-places.rank() - 1, places.rank());
  const Made values = maker.fresh(maker.d.one_of(kAny), {2});
  Sizes to = places.dims;
  to.insert(to.begin() + static_cast<std::ptrdiff_t>(place(axis, places.rank() + 1)), depth);
  const Made count = maker.scalar(maker.d.one_of(kIndices), depth);
  maker.add(op, {places, count, values}, {maker.number("axis", axis)}, values.dtype, to);
}

}  // namespace

std::vector<OpMaker> index_makers() {
  return {{"Gather", &make_gather},        {"GatherElements", &make_gather_elements},
          {"GatherND", &make_gather_nd},   {"ScatterElements", &make_scatter_elements},
          {"ScatterND", &make_scatter_nd}, {"OneHot", &make_one_hot}};
}

}  // namespace slipway::fuzz
