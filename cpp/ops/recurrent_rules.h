// What GRU, LSTM and RNN allow, and their preparation. Opsets 13 to 24: ONNX GRU, LSTM and RNN of versions 7, 14 (adds
// `layout`) and 22 (adds bfloat16, which the engine does not have).
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "ops/op.h"
#include "ops/recurrent.h"

namespace slipway {

/// What distinguishes the three operators.
struct RecurrentKind {
  int64_t gates;
  int inputs;                       ///< at most
  int outputs;                      ///< at most
  std::size_t activation_count;     ///< of one direction
  std::string_view activations[3];  ///< the default
  std::string_view own_attribute;   ///< "" where there is none
};

inline constexpr RecurrentKind kGruKind{3, 6, 2, 2, {"Sigmoid", "Tanh"}, "linear_before_reset"};
inline constexpr RecurrentKind kLstmKind{4, 8, 3, 3, {"Sigmoid", "Tanh", "Tanh"}, "input_forget"};
inline constexpr RecurrentKind kRnnKind{1, 6, 2, 1, {"Tanh"}, ""};

/// `is_embedded`: input kTable is there, and X names its rows.
void infer_recurrent(InferContext& context, const RecurrentKind& kind, bool is_embedded = false);

/// Chooses the vectorised kernel where it has the activations and options (then with packed weights, if those are
/// constant; and with the products of a small table's rows), else the scalar one; counts the work, all steps of all
/// sequences. The result points to a RecurrentPlan.
[[nodiscard]] std::shared_ptr<const void> prepare_recurrent(PrepareContext& context, const RecurrentKind& kind);

/// Its part for a CUDA device. The result points to a RecurrentDevicePlan.
[[nodiscard]] std::shared_ptr<const void> prepare_recurrent_on_device(PrepareContext& context, const Recurrent& sizes,
                                                                      const RecurrentKind& kind);

// ---- for both preparations ----
/// float32, the default activations (or Relu where there is one gate) and no options, and a step to run.
[[nodiscard]] bool is_plain(const PrepareContext& context, const Recurrent& sizes, const RecurrentKind& kind);
/// Whether the products of all rows of the table, `columns` floats each, are worth their memory and preparation.
[[nodiscard]] bool fits_table(const Recurrent& sizes, int64_t columns);
/// A B' + bias, by the kernel that would compute it while running.
[[nodiscard]] Tensor multiply_rows(const TensorView& a, const TensorView& b, const TensorView& bias, Isa isa);

}  // namespace slipway
