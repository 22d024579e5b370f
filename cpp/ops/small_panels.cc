#include "ops/small_panels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>

#include "simd/panels.h"

namespace slipway {

namespace {

// Below, float32 panels come out of the first cache as fast as they are multiplied.
constexpr int64_t kLeastBytes = 32 << 10;

/// f(place, p, j) for every place of the panels, j being at least n where there is no such column.
template <typename F>
void for_each_place(const ConstantMatrix& b, int64_t lanes, const F& f) {
  int64_t place = 0;
  for (int64_t begin = 0; begin < b.n; begin += 2 * lanes) {
    const int64_t width = b.n - begin > lanes ? 2 * lanes : lanes;
    for (int64_t p = 0; p < b.k; ++p) {
      for (int64_t j = begin; j < begin + width; ++j) f(place++, p, j);
    }
  }
}

float at(const ConstantMatrix& b, int64_t p, int64_t j) noexcept { return b.data[p * b.row + j * b.column]; }

bool is_bfloat16(const ConstantMatrix& b) {
  return std::all_of(b.data, b.data + b.k * b.n, [](float x) { return (std::bit_cast<uint32_t>(x) & 0xFFFFU) == 0; });
}

/// Of a column of whole numbers up to 127 times one scale; else nothing. Minus zero is none of them.
std::optional<float> scale_of(const ConstantMatrix& b, int64_t j) {
  float largest = 0.0F;
  for (int64_t p = 0; p < b.k; ++p) largest = std::max(largest, std::fabs(at(b, p, j)));
  const float scale = largest / kInt8Steps;
  if (largest != 0.0F && !std::isnormal(scale)) return std::nullopt;
  for (int64_t p = 0; p < b.k; ++p) {
    const float x = at(b, p, j);
    const float again = scale > 0.0F ? std::nearbyint(x / scale) * scale + 0.0F : 0.0F;
    if (std::bit_cast<uint32_t>(again) != std::bit_cast<uint32_t>(x)) return std::nullopt;
  }
  return scale;
}

SmallPanels of_bfloat16(const ConstantMatrix& b, int64_t lanes) {
  SmallPanels small{Precision::kBfloat16, Tensor(DType::kUint8, {2 * panels_size(b.k, b.n, lanes)}), {}};
  auto* to = small.weights.as<uint16_t>();
  for_each_place(b, lanes, [&](int64_t place, int64_t p, int64_t j) {
    to[place] = j < b.n ? static_cast<uint16_t>(std::bit_cast<uint32_t>(at(b, p, j)) >> 16) : uint16_t{0};
  });
  return small;
}

/// Nothing where a column does not fit; most float32 weights end at their first.
SmallPanels of_int8(const ConstantMatrix& b, int64_t lanes) {
  Tensor scales(DType::kFloat32, {panel_columns(b.n, lanes)});
  std::fill_n(scales.as<float>(), scales.shape().count(), 0.0F);
  for (int64_t j = 0; j < b.n; ++j) {
    const std::optional<float> scale = scale_of(b, j);
    if (!scale) return {};
    scales.as<float>()[j] = *scale;
  }
  SmallPanels small{Precision::kInt8, Tensor(DType::kInt8, {panels_size(b.k, b.n, lanes)}), std::move(scales)};
  auto* to = small.weights.as<int8_t>();
  for_each_place(b, lanes, [&](int64_t place, int64_t p, int64_t j) {
    const float scale = j < b.n ? small.scales.as<float>()[j] : 0.0F;
    to[place] = static_cast<int8_t>(scale > 0.0F ? std::nearbyint(at(b, p, j) / scale) : 0.0F);
  });
  return small;
}

}  // namespace

SmallWeights SmallPanels::view() const noexcept {
  if (precision == Precision::kBfloat16) return {.bfloat16 = weights.as<uint16_t>()};
  if (precision == Precision::kInt8) return {.int8 = weights.as<int8_t>(), .scales = scales.as<float>()};
  return {};
}

std::shared_ptr<const SmallPanels> small_panels(const PrepareContext& context, const ConstantMatrix& b, int64_t rows) {
  const int64_t lanes = lanes_of(context.isa());
  if (lanes < 8) return nullptr;
  if (rows > kMostSmallRows || panels_size(b.k, b.n, lanes) * size_of(DType::kFloat32) <= kLeastBytes) return nullptr;
  auto small = context.shared<SmallPanels>({1}, concat("small panels ", name_of(context.isa())), [&] {
    return std::make_shared<const SmallPanels>(is_bfloat16(b) ? of_bfloat16(b, lanes) : of_int8(b, lanes));
  });
  return small->precision == Precision::kFloat32 ? nullptr : small;
}

}  // namespace slipway
