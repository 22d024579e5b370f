// What a program has set up around its calls changes no result: when it calls, and how its thread computes.
#include <cfenv>
#include <cstring>
#include <functional>
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

#if defined(__x86_64__)
void flush_denormals() { __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040U); }
[[nodiscard]] bool are_flushed() { return (__builtin_ia32_stmxcsr() & 0x8040U) == 0x8040U; }
#else
void flush_denormals() {}
[[nodiscard]] bool are_flushed() { return true; }
#endif

struct Setting {
  std::string name;
  void (*set)();
  bool (*is_kept)();
};

/// Those of a thread in programs that have them: interval arithmetic, audio, simulations.
std::vector<Setting> settings() {
  std::vector<Setting> all = {
      {"upward", [] { std::fesetround(FE_UPWARD); }, [] { return std::fegetround() == FE_UPWARD; }},
      {"toward zero", [] { std::fesetround(FE_TOWARDZERO); }, [] { return std::fegetround() == FE_TOWARDZERO; }},
      {"flushed", flush_denormals, are_flushed}};
#if defined(__GLIBC__) && defined(__x86_64__)
  constexpr int kTraps = FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW;
  all.push_back({"traps", [] { feenableexcept(kTraps); }, [] { return fegetexcept() == kTraps; }});
#endif
  return all;
}

/// work() on a thread's settings, "" where it leaves them as they are.
std::string under(const Setting& setting, const std::function<void()>& work) {
  std::fenv_t plain;
  std::fegetenv(&plain);
  setting.set();
  work();
  const bool is_kept = setting.is_kept();
  std::fesetenv(&plain);
  return is_kept ? "" : setting.name + " is not kept";
}

/// Rounds, grows beyond float32 and divides by zero.
Model arithmetic() {
  Model model;
  model.inputs = {value("x", {"N"})};
  model.nodes = {node("Round", {"x"}, {"a"}), node("Exp", {"x"}, {"b"}), node("Div", {"x", "a"}, {"c"}),
                 node("Mul", {"x", "half"}, {"d"}), node("Mul", {"half", "third"}, {"e"})};
  model.initializers = {floats("half", {1}, {0.5F}), floats("third", {1}, {0.3333F})};
  for (const char* name : {"a", "b", "c", "d"}) model.outputs.push_back(value(name, {"N"}));
  model.outputs.push_back(value("e", {"1"}));
  return model;
}

/// Halves, large numbers and denormals.
std::vector<float> unusual() {
  std::vector<float> values;
  for (int i = 0; i < 300; ++i) values.push_back(0.5F * static_cast<float>(i - 150) * (i % 2 == 0 ? 1.0F : 1.7F));
  for (int i = 0; i < 9; ++i) values[static_cast<std::size_t>(100 + i)] = 1e-40F * static_cast<float>(i - 4);
  return values;
}

TEST(Surroundings, the_floating_point_settings_of_a_thread_change_no_bit_and_are_kept) {
  const std::vector<float> x = unusual();
  const Shape shape{std::ssize(x)};
  const Session plain = session_of(arithmetic());
  const std::string wanted = bits_of(plain, x, shape);
  for (const Setting& setting : settings()) {
    std::string run;
    std::string loaded_and_run;
    EXPECT_EQ(under(setting, [&] { run = bits_of(plain, x, shape); }), "");
    EXPECT_EQ(under(setting, [&] { loaded_and_run = bits_of(session_of(arithmetic()), x, shape); }), "");
    EXPECT_TRUE(run == wanted) << setting.name;
    EXPECT_TRUE(loaded_and_run == wanted) << setting.name;
  }
}

TEST(Surroundings, neither_do_they_of_a_bound_call) {
  const std::vector<float> x = ramp(5 * 64);
  const Session session = session_of(perceptron());
  const std::string wanted = bits_of(session, x, {5, 64});
  const TensorView input{x.data(), DType::kFloat32, {5, 64}};
  std::vector<float> y(5 * 80);
  const MutableView into{y.data(), DType::kFloat32, {5, 80}};
  for (const Setting& setting : settings()) {
    EXPECT_EQ(under(setting, [&] { session.bind(std::span(&input, 1), std::span(&into, 1))(); }), "");
    EXPECT_TRUE(std::memcmp(y.data(), wanted.data(), wanted.size()) == 0) << setting.name;
    y.assign(y.size(), 0);
  }
}

}  // namespace
}  // namespace slipway
