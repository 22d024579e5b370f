// A test framework in one header, so that the native tests need nothing but a compiler. It speaks a subset of
// GoogleTest's words: TEST, EXPECT_*, ASSERT_* and SCOPED messages by `<<`. main() is in main.cc.
#pragma once

#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::check {

struct Test {
  std::string name;  ///< "Suite.case"
  void (*body)();
};

/// All tests of the program, in order of their definition.
[[nodiscard]] std::vector<Test>& tests();
/// Failed expectations of the test that runs now.
[[nodiscard]] int& failures();
/// Prints "FILE:LINE: message" and counts a failure.
void report(const char* file, int line, const std::string& message);

inline bool add(std::string name, void (*body)()) {
  tests().push_back({std::move(name), body});
  return true;
}

/// What a failed ASSERT_* throws to leave the test.
struct Abandon {};

/// Collects what stands behind `<<` and reports it at the end of the statement.
class Failure final {
 public:
  Failure(const char* file, int line, bool abandons) : file_(file), line_(line), abandons_(abandons) {}
  Failure(const Failure&) = delete;
  Failure& operator=(const Failure&) = delete;
  ~Failure() noexcept(false) {
    report(file_, line_, text_.str());
    if (abandons_) throw Abandon{};
  }
  template <typename T>
  Failure& operator<<(const T& part) {
    text_ << part;
    return *this;
  }

 private:
  const char* file_;
  int line_;
  bool abandons_;
  std::ostringstream text_;
};

template <typename T>
[[nodiscard]] std::string shown(const T& value) {
  if constexpr (requires(std::ostream& out) { out << value; }) {
    std::ostringstream out;
    out << std::boolalpha << value;
    return out.str();
  } else {
    return "(a value without a text form)";
  }
}

/// "" where `run` throws an E (and, if given, `accept` holds), else what happened instead.
template <typename E>
[[nodiscard]] std::string thrown(const std::function<void()>& run, const std::function<bool(const E&)>& accept = {}) {
  try {
    run();
  } catch (const E& error) {
    return !accept || accept(error) ? "" : std::string("another one: ") + error.what();
  } catch (const std::exception& error) {
    return std::string("another exception: ") + error.what();
  }
  return "nothing";
}

}  // namespace slipway::check

#define TEST(suite, name)                                                                              \
  static void suite##_##name();                                                                        \
  static const bool suite##_##name##_added = ::slipway::check::add(#suite "." #name, &suite##_##name); \
  static void suite##_##name()

// The empty first branch lets messages follow by `<<` and keeps a dangling else out of the caller's way.
#define SLIPWAY_CHECK(condition, abandons, text) \
  if (condition) {                               \
  } else                                         \
    ::slipway::check::Failure(__FILE__, __LINE__, abandons) << text << ' '
#define SLIPWAY_COMPARE(a, op, b, abandons) \
  SLIPWAY_CHECK(                            \
      (a)op(b), abandons,                   \
      "expected " #a " " #op " " #b ", got " << ::slipway::check::shown(a) << " and " << ::slipway::check::shown(b))

#define EXPECT_TRUE(condition) SLIPWAY_CHECK((condition), false, "expected " #condition)
#define EXPECT_FALSE(condition) SLIPWAY_CHECK(!(condition), false, "expected not " #condition)
#define EXPECT_EQ(a, b) SLIPWAY_COMPARE(a, ==, b, false)
#define EXPECT_NE(a, b) SLIPWAY_COMPARE(a, !=, b, false)
#define EXPECT_LT(a, b) SLIPWAY_COMPARE(a, <, b, false)
#define EXPECT_LE(a, b) SLIPWAY_COMPARE(a, <=, b, false)
#define EXPECT_GT(a, b) SLIPWAY_COMPARE(a, >, b, false)
#define EXPECT_GE(a, b) SLIPWAY_COMPARE(a, >=, b, false)
#define ASSERT_TRUE(condition) SLIPWAY_CHECK((condition), true, "expected " #condition)
#define ASSERT_FALSE(condition) SLIPWAY_CHECK(!(condition), true, "expected not " #condition)
#define ASSERT_EQ(a, b) SLIPWAY_COMPARE(a, ==, b, true)
#define ASSERT_NE(a, b) SLIPWAY_COMPARE(a, !=, b, true)
#define ASSERT_GE(a, b) SLIPWAY_COMPARE(a, >=, b, true)

#define EXPECT_THROW(statement, type)                                                             \
  if (const std::string slipway_got = ::slipway::check::thrown<type>([&] { (void)(statement); }); \
      slipway_got.empty()) {                                                                      \
  } else                                                                                          \
    ::slipway::check::Failure(__FILE__, __LINE__, false)                                          \
        << "expected " #statement " to throw " #type ", got " << slipway_got << ' '
