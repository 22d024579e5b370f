// One model in several ways: with and without passes, scalar and vector kernels, one thread and two. Reports where two
// ways give what they must not.
//
// A repetition, another number of threads, and a run behind those of other shapes give the same bits. Scalar and vector
// kernels differ by rounding, and a model can make much of little (a comparison, a difference of large numbers), so a
// Closeness says what is asked, and values that are no finite numbers of moderate size are compared no further. With
// passes a run may succeed that fails without: a node whose results nobody reads is gone, with what it would have
// complained of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "slipway/slipway.h"

namespace slipway::fuzz {

/// How scalar and vector kernels must agree.
enum class Closeness {
  kNone,       ///< in names and types of outputs alone: rounding may turn into anything
  kQuotients,  ///< as kClose, but for numbers whose reciprocals are close to each other
  kClose,  ///< within a generous bound, where the scalar result itself does not move more by a small change of inputs
  kBits    ///< to the bit, NaN being NaN and zero zero
};

struct Answer {
  bool is_loaded = false;
  std::string refusal;  ///< of loading or running
  bool is_unsupported = false;
  std::vector<Tensor> outputs;  ///< where it ran

  [[nodiscard]] bool has_run() const noexcept { return is_loaded && refusal.empty(); }
};

/// Runs the model in all ways; `salt` chooses which of the rarer ones. `inputs` may be empty: then inputs_for() makes
/// them. `closeness` is asked only where two ways differ. The answer is that of the passes and the best kernels.
[[nodiscard]] Answer run_ways(std::span<const std::byte> model, std::span<const Tensor> inputs,
                              const std::function<Closeness()>& closeness, uint64_t salt);

/// Small numbers for every input, open dimensions being 2. Throws Error(kLimit) where they are too many for a fuzzer.
[[nodiscard]] std::vector<Tensor> inputs_for(const Session& session);

/// What can be asked of a model: kBits where no value of it is a floating-point number, kNone where one is made a
/// whole number or a truth value, or where the model is refused, kQuotients where something is divided by.
[[nodiscard]] Closeness closeness_of_model(std::span<const std::byte> model);

/// Any number, the same for the same bytes.
[[nodiscard]] uint64_t salt_of(std::span<const std::byte> bytes) noexcept;

}  // namespace slipway::fuzz
