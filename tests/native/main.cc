// Runs the tests of check.h: all of them, or those whose names hold the words of the command line.
#include <cstdio>
#include <exception>

#include "check.h"

namespace slipway::check {

std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}

int& failures() {
  static int count = 0;
  return count;
}

void report(const char* file, int line, const std::string& message) {
  std::fprintf(stderr, "%s:%d: %s\n", file, line, message.c_str());
  ++failures();
}

namespace {

bool is_chosen(std::string_view name, int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (name.find(argv[i]) != std::string_view::npos) return true;
  }
  return argc < 2;
}

/// True where the test passed.
bool run(const Test& test) {
  const int before = failures();
  try {
    test.body();
  } catch (const Abandon&) {
    return false;
  } catch (const std::exception& error) {
    report(test.name.c_str(), 0, std::string("threw ") + error.what());
  }
  return failures() == before;
}

}  // namespace
}  // namespace slipway::check

int main(int argc, char** argv) {
  using namespace slipway::check;
  int chosen = 0;
  int failed = 0;
  for (const Test& test : tests()) {
    if (!is_chosen(test.name, argc, argv)) continue;
    ++chosen;
    const bool passed = run(test);
    if (!passed) ++failed;
    std::printf("%s %s\n", passed ? "ok    " : "FAILED", test.name.c_str());
  }
  std::printf("%d tests, %d failed\n", chosen, failed);
  return failed == 0 && chosen > 0 ? 0 : 1;
}
