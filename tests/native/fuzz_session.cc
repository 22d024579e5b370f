// Fuzzes the way from bytes to outputs: a session is opened and, where its inputs are small, run with and without
// passes. Whatever the bytes, the result is an Error or outputs; sanitizers watch the rest. Driven as fuzz_parse is.
#include <cstdint>

#include "base/error.h"
#include "fuzz_driver.h"
#include "slipway/slipway.h"

namespace slipway {
namespace {

constexpr std::size_t kMaxBytes = 64 * 1024;
constexpr double kMaxElements = 10'000;

// Every open dimension is 2.
std::vector<Tensor> inputs_for(const Session& session) {
  std::vector<Tensor> inputs;
  for (const PortInfo& port : session.inputs()) {
    Shape shape;
    double count = 1;
    for (const Dim& dim : port.dims) {
      shape.push_back(dim.is_known() ? dim.value() : 2);
      count *= static_cast<double>(shape[shape.rank() - 1]);
    }
    if (count > kMaxElements) fail(Code::kLimit, "too large for a fuzzer");
    inputs.emplace_back(port.dtype, shape);
    std::memset(inputs.back().mutable_view().data, 1, static_cast<std::size_t>(inputs.back().bytes()));
  }
  return inputs;
}

bool load_and_run(std::span<const std::byte> bytes, bool optimize) {
  try {
    SessionOptions options;
    options.optimize = optimize;
    options.max_steps = 20;  // a changed loop may have no end
    const Session session = Session::read(bytes, options);
    const std::vector<Tensor> inputs = inputs_for(session);
    std::vector<TensorView> views;
    for (const Tensor& input : inputs) views.push_back(input.view());
    for (int again = 0; again < 2; ++again) (void)session.run(views);
    return true;
  } catch (const Error& error) {
    if (error.message().empty() || !is_utf8(error.message())) __builtin_trap();
    return false;
  }
}

bool load(std::span<const std::byte> bytes) {
  if (bytes.size() > kMaxBytes) return false;
  const bool loaded = load_and_run(bytes, true);
  return load_and_run(bytes, false) && loaded;
}

}  // namespace
}  // namespace slipway

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)slipway::load(std::as_bytes(std::span(data, size)));
  return 0;
}

#if !defined(SLIPWAY_FUZZ)
int main(int argc, char** argv) { return slipway::check::drive(argc, argv, 20'000, &slipway::load); }
#endif
