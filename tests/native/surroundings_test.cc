// What a program has set up around its calls changes no result: when it calls.
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "check.h"
#include "slipway/slipway.h"
#include "small_models.h"

namespace slipway {
namespace {

using namespace check;

Session session_of(const Model& model) {
  const std::string bytes = model.bytes();
  return Session::read(std::as_bytes(std::span(bytes)));
}

/// The bytes of all outputs for one input of that shape.
std::string bits_of(const Session& session, const std::vector<float>& values, const Shape& shape) {
  const TensorView x{values.data(), DType::kFloat32, shape};
  std::string bits;
  for (const Tensor& output : session.run(std::span(&x, 1))) {
    bits.append(output.as<char>(), static_cast<std::size_t>(output.bytes()));
  }
  return bits;
}

struct Early {
  std::optional<Session> session;
  std::string error;
};

// Objects of the program are made before those of a static library that it links.
const Early early = [] {
  Early made;
  try {
    made.session = session_of(perceptron());
  } catch (const Error& error) {
    made.error = error.what();
  }
  return made;
}();

TEST(Surroundings, a_session_may_be_made_before_main) {
  ASSERT_EQ(early.error, "");
  const std::vector<float> x = ramp(3 * 64);
  EXPECT_EQ(bits_of(*early.session, x, {3, 64}), bits_of(session_of(perceptron()), x, {3, 64}));
}

}  // namespace
}  // namespace slipway
