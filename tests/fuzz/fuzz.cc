#include "fuzz.h"

#include <cstdio>
#include <cstdlib>
#include <random>

#define SLIPWAY_OPTIONS(megabytes)                                                 \
  "abort_on_error=1:allocator_may_return_null=1:max_allocation_size_mb=" megabytes \
  ":quarantine_size_mb=16:"                                                        \
  "malloc_context_size=8:strict_string_checks=1"

// libFuzzer's own tables take 20 MiB at once.
#ifdef SLIPWAY_LIBFUZZER
#define SLIPWAY_MOST "32"
#else
#define SLIPWAY_MOST "8"
#endif

// The sanitizers ask for these by name, before there is memory that they watch. What is too large is refused as memory
// that is not to be had, so that no input computes for long; abort() is what the drivers wait for.
extern "C" {
[[gnu::used, gnu::visibility("default"), gnu::no_sanitize_address]] const char* __asan_default_options() {
  return slipway::fuzz::kTarget.takes_much ? SLIPWAY_OPTIONS("320") : SLIPWAY_OPTIONS(SLIPWAY_MOST);
}
[[gnu::used, gnu::visibility("default")]] const char* __ubsan_default_options() {
  return "abort_on_error=1:print_stacktrace=1";
}
}

namespace slipway::fuzz {

void report(std::string_view what) {
  std::fprintf(stderr, "%s: %.*s\n", kTarget.name, static_cast<int>(what.size()), what.data());
  std::abort();
}

void check_message(const Error& error) {
  const std::string& message = error.message();
  if (message.empty()) report("an error has no message");
  if (!is_utf8(message)) report("the message is not UTF-8: " + quote(message, 400));
  for (const char letter : message) {
    const auto byte = static_cast<unsigned char>(letter);
    if ((byte < 0x20 && byte != '\n') || byte == 0x7F)
      report("the message has control characters: " + quote(message, 400));
  }
}

std::vector<std::string> random_seeds() {
  std::mt19937 random(1);
  std::vector<std::string> seeds(64);
  for (std::string& seed : seeds) {
    seed.resize(16 + random() % 240);
    for (char& byte : seed) byte = static_cast<char>(random());
  }
  return seeds;
}

}  // namespace slipway::fuzz
