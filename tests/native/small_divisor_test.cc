#include "ops/small_divisor.h"

#include <limits>

#include "check.h"

namespace slipway {
namespace {

constexpr int kLargest = std::numeric_limits<int>::max();

TEST(SmallDivisor, quotients_are_those_of_the_division) {
  for (const int size :
       {1, 2, 3, 5, 6, 7, 10, 28, 100, 641, 784, 65535, 65536, 65537, 1 << 30, kLargest - 1, kLargest}) {
    const SmallDivisor by = small_divisor(size);
    for (const int64_t near : {int64_t{0}, int64_t{size}, int64_t{2} * size, int64_t{kLargest} / size * size,
                               int64_t{kLargest} / 2, int64_t{kLargest}}) {
      for (int64_t n = near - 2; n <= near + 2; ++n) {
        if (n < 0 || n > kLargest) continue;
        const Quotient got = divide_with_rest(static_cast<int>(n), by);
        EXPECT_EQ(got.whole, n / size);
        EXPECT_EQ(got.rest, n % size);
      }
    }
  }
}

}  // namespace
}  // namespace slipway
