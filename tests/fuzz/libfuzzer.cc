// What libFuzzer asks of a target beside LLVMFuzzerTestOneInput: its own changes, and words at the end.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "mutate.h"

extern "C" std::size_t LLVMFuzzerMutate(uint8_t* data, std::size_t size, std::size_t max_size);

namespace slipway::fuzz {
namespace {

struct Changes {
  std::vector<std::string> seeds = kTarget.seeds();
  Mutator mutator{kTarget, words_of(kTarget), 1};
};

Changes& changes() {
  static Changes all;
  return all;
}

void print_tally() {
  std::fprintf(stderr, "%s: %lld inputs read, %lld run\n", kTarget.name, static_cast<long long>(tally.read),
               static_cast<long long>(tally.ran));
  if (kTarget.missing != nullptr) std::fprintf(stderr, "not reached: %s\n", kTarget.missing().c_str());
}

}  // namespace
}  // namespace slipway::fuzz

extern "C" int LLVMFuzzerInitialize(int*, char***) { return std::atexit(&slipway::fuzz::print_tally); }

// Without a folder of seeds libFuzzer begins with nothing, and the target's own seeds come in here.
extern "C" std::size_t LLVMFuzzerCustomMutator(uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) {
  using namespace slipway::fuzz;
  Changes& all = changes();
  const std::string& some = all.seeds[seed % all.seeds.size()];
  if (size < 4 || seed % 1024 == 0) {
    size = std::min(some.size(), max_size);
    std::memcpy(data, some.data(), size);
  }
  if (kTarget.form == Form::kDecisions || all.mutator.pick(2) == 0) return LLVMFuzzerMutate(data, size, max_size);
  const std::string changed = all.mutator.changed(std::string(text_of(data, size)), some);
  const std::size_t count = std::min(changed.size(), max_size);
  std::memcpy(data, changed.data(), count);
  return count > 0 ? count : LLVMFuzzerMutate(data, size, max_size);
}

// Fields of another input of the corpus.
extern "C" std::size_t LLVMFuzzerCustomCrossOver(const uint8_t* data, std::size_t size, const uint8_t* other,
                                                 std::size_t other_size, uint8_t* out, std::size_t max_size, unsigned) {
  using namespace slipway::fuzz;
  const std::string changed = changes().mutator.changed(std::string(text_of(data, size)), text_of(other, other_size));
  const std::size_t count = std::min(changed.size(), max_size);
  std::memcpy(out, changed.data(), count);
  return count;
}
