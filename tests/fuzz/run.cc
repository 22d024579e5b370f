// The way from bytes to outputs, in all ways there are (ways.h). Whatever the bytes, the result is an Error or outputs.
#include "fuzz.h"
#include "models.h"
#include "ways.h"

namespace slipway::fuzz {
namespace {

void run(std::span<const std::byte> bytes) {
  (void)run_ways(bytes, {}, [&] { return closeness_of_model(bytes); }, salt_of(bytes));
}

}  // namespace

const Target kTarget{"run", Form::kMessage, 65536, &model_seeds};

}  // namespace slipway::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  slipway::fuzz::run(std::as_bytes(std::span(data, size)));
  return 0;
}
