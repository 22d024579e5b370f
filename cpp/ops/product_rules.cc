#include "ops/product_rules.h"

#include <algorithm>

#include "cuda/device.h"

namespace slipway {

namespace {

constexpr int64_t kTile = 64;
constexpr int64_t kDepth = 32;
/// Tiles that mostly hold nothing are not worth it.
constexpr int64_t kLeastWidth = 4;
constexpr int64_t kLeastTerms = 16;
constexpr int64_t kLeastSlice = 128;
constexpr int64_t kMostSlices = 8;  // blocks of a cluster that every GPU with clusters has
constexpr int64_t kMostGrid = 65535;

int64_t parts_of(int64_t size, int64_t part) { return (size + part - 1) / part; }

}  // namespace

ProductShape choose_product(const PrepareContext& context, int64_t width, int64_t depth, int64_t terms, int64_t copies,
                            bool is_turned) {
  ProductShape shape;
  const CudaDevice* device = context.device();
  if (device == nullptr || context.dtype(0) != DType::kFloat32 || !device->has_tf32()) return shape;
  if (width < kLeastWidth || terms < kLeastTerms || depth < 1 || copies < 1 || copies > kMostGrid) return shape;
  shape.rows = is_turned ? depth : width;
  shape.columns = is_turned ? width : depth;
  shape.terms = terms;
  shape.is_rounded = device->rounds_products();
  if (parts_of(shape.rows, kTile) > kMostGrid) return shape;
  shape.slice = std::max(kLeastSlice, parts_of(parts_of(terms, kMostSlices), kDepth) * kDepth);
  const int64_t slices = parts_of(terms, shape.slice);
  const int64_t tiles = parts_of(shape.rows, kTile) * parts_of(shape.columns, kTile) * copies;
  if (device->has_clusters() && tiles < device->multiprocessors()) shape.ranks = static_cast<int>(slices);
  return shape;
}

}  // namespace slipway
