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

}  // namespace slipway
