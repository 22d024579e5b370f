// Products of split matrices against what the unit's instruction is defined to do, and against double precision.
#include "simd/split.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "base/cpu.h"
#include "check.h"

namespace slipway {
namespace {

TEST(Split, three_parts_are_the_number) {
  std::mt19937 random(1);
  std::uniform_int_distribution<uint32_t> bits;
  int count = 0;
  while (count < 100000) {
    const auto x = std::bit_cast<float>(bits(random));
    if (!(std::fabs(x) <= kMostSplit && std::fabs(x) >= kLeastSplit)) continue;
    ++count;
    std::vector<uint16_t> columns(static_cast<std::size_t>(split_size(1, 1)));
    split_columns(&x, 1, 1, 1, 1, columns.data());
    ASSERT_EQ(split_number(columns.data()), x);
    const auto first = std::bit_cast<float>(uint32_t{columns[0]} << 16U);
    EXPECT_LE(std::fabs(x - first), std::fabs(x) * 0x1p-8F);
  }
}

TEST(Split, magnitudes_without_exact_parts_are_refused) {
  EXPECT_TRUE(can_split(0.0F));
  EXPECT_TRUE(can_split(1.0F));
  EXPECT_TRUE(can_split(kMostSplit));
  for (const float x : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN(),
                        std::numeric_limits<float>::max(), std::numeric_limits<float>::denorm_min(), 0x1p-61F}) {
    EXPECT_FALSE(can_split(x)) << x;
  }
}

TEST(Split, every_place_of_a_column_is_its_own) {
  constexpr int64_t kTerms = 70;
  constexpr int64_t kColumns = 37;
  std::vector<int> seen(static_cast<std::size_t>(split_size(kColumns, kTerms)));
  for (int64_t j = 0; j < kColumns; ++j) {
    for (int64_t p = 0; p < kTerms; ++p) {
      for (int64_t part = 0; part < kSplitParts; ++part) {
        const int64_t place = split_column_at(kTerms, p, j) + part * kSplitTile;
        ASSERT_TRUE(place < split_size(kColumns, kTerms));
        EXPECT_EQ(seen[static_cast<std::size_t>(place)]++, 0);
      }
    }
  }
}

}  // namespace
}  // namespace slipway
