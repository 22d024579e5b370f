// Split:  x cut along an axis into one piece per output.
//
// ONNX Split, opsets 13 to 24. x: any shape and type; split: the pieces' sizes, an int64 list, optional. Without it the
// pieces are equal; since opset 18 `num_outputs` must then be given, and the last piece may be smaller.
#include <cstring>
#include <numeric>

#include "ops/prepared.h"
#include "ops/shapes.h"

namespace slipway {

namespace {

// Sizes of the pieces where the sum `whole` is known.
std::vector<Dim> equal_pieces(const InferContext& context, const Dim& whole, int64_t count) {
  std::vector<Dim> pieces(static_cast<std::size_t>(count));
  if (!whole.is_known()) return pieces;
  const int64_t size = whole.value();
  const int64_t piece = size / count + (size % count != 0 ? 1 : 0);
  if (context.opset() < 18 && size % count != 0) {
    context.reject("size ", size, " cannot be cut into ", count, " equal pieces");
  }
  const int64_t last = size - piece * (count - 1);
  if (last < 0) context.reject("size ", size, " cannot be cut into ", count, " pieces of ", piece);
  std::fill(pieces.begin(), pieces.end(), Dim(piece));
  pieces.back() = last;
  return pieces;
}

std::vector<Dim> given_pieces(const InferContext& context, const Dim& whole, const std::vector<int64_t>& sizes) {
  if (static_cast<int64_t>(sizes.size()) != context.output_count()) {
    context.reject("split has ", sizes.size(), " sizes for ", context.output_count(), " outputs");
  }
  int64_t sum = 0;
  for (const int64_t size : sizes) {
    if (size < 0) context.reject("split holds ", size, ", expected 0 or more");
    sum = checked_add(sum, size);
  }
  if (whole.is_known() && whole.value() != sum) {
    context.reject("split sums to ", sum, ", the axis has size ", whole.value());
  }
  return {sizes.begin(), sizes.end()};
}

int64_t equal_count(const InferContext& context) {
  if (context.opset() < 18) return context.output_count();
  const int64_t count = context.require_int("num_outputs");
  if (count != context.output_count()) {
    context.reject("num_outputs is ", count, ", the node has ", context.output_count(), " outputs");
  }
  return count;
}

}  // namespace

void infer_split(InferContext& context) {
  if (context.opset() >= 18) {
    context.allow_attributes({"axis", "num_outputs"});
  } else {
    context.allow_attributes({"axis"});
  }
  context.require_counts(1, 2, 1, std::numeric_limits<int>::max());
  const bool has_sizes = context.has_input(1);
  if (has_sizes && context.has_attribute("num_outputs")) context.reject("has both split and num_outputs");
  std::optional<std::vector<int64_t>> sizes;
  if (has_sizes) {
    context.require_rank(1, 1, 1);
    sizes = context.ints(1);
  }
  const Dims* x = context.dims(0);
  if (x == nullptr || (has_sizes && !sizes)) {
    for (int i = 0; i < context.output_count(); ++i) {
      context.output_unknown(i, context.dtype(0), x == nullptr ? -1 : static_cast<int>(x->size()));
    }
    return;
  }
  const auto axis =
      static_cast<std::size_t>(context.normalise_axis(context.get_int("axis", 0), static_cast<int64_t>(x->size())));
  const std::vector<Dim> pieces =
      has_sizes ? given_pieces(context, (*x)[axis], *sizes) : equal_pieces(context, (*x)[axis], equal_count(context));
  for (int i = 0; i < context.output_count(); ++i) {
    Dims y = *x;
    y[axis] = pieces[static_cast<std::size_t>(i)];
    context.output(i, context.dtype(0), std::move(y));
  }
}

std::shared_ptr<const void> prepare_split(PrepareContext& context) {
  (void)prepare_nothing(context);
  auto prepared = std::make_shared<SplitPrepared>();
  const Shape x = context.shape(0);
  const int64_t axis = context.get_int("axis", 0);
  prepared->axis = axis < 0 ? axis + x.rank() : axis;
  const int64_t size = x[static_cast<int>(prepared->axis)];
  if (context.has_input(1)) {
    const std::vector<int64_t> sizes = context.ints(1);
    prepared->begins.resize(sizes.size());
    std::exclusive_scan(sizes.begin(), sizes.end(), prepared->begins.begin(), int64_t{0});
  } else {
    const int64_t count = context.output_count();
    const int64_t piece = size / count + (size % count != 0 ? 1 : 0);
    for (int64_t i = 0; i < count; ++i) prepared->begins.push_back(i * piece);
  }
  return prepared;
}

namespace scalar {

void split(const OpCall& call) noexcept {
  const auto& prepared = call.as<SplitPrepared>();
  const int64_t bytes = size_of(call.inputs[0].dtype);
  const Split x = split_at(call.inputs[0].shape, prepared.axis);
  for (std::size_t i = 0; i < call.outputs.size(); ++i) {
    if (!call.has_output(i)) continue;
    const Split y = split_at(call.outputs[i].shape, prepared.axis);
    const int64_t run = y.axis * y.inner * bytes;
    for (int64_t o = 0; o < y.outer; ++o) {
      std::memcpy(call.outputs[i].as<std::byte>() + o * run,
                  call.inputs[0].as<std::byte>() + (o * x.axis + prepared.begins[i]) * x.inner * bytes,
                  static_cast<std::size_t>(run));
    }
  }
}

}  // namespace scalar
}  // namespace slipway
