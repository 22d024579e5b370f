// The preparation of GRU, LSTM and RNN for a CUDA device.
#include "ops/recurrent_device.h"

#include <algorithm>
#include <limits>

#include "ops/recurrent_rules.h"

namespace slipway {

namespace {

// Of recurrent_general.cuh.
constexpr int64_t kBlocksPerMultiprocessor = 4;

// Of recurrent_tiled.cuh.
constexpr int64_t kSequencesPerHalf = 32;  // a 16th of the sequences, two to a tile: the tail of most lengths

struct OwnedRecurrentPlan final : RecurrentDevicePlan {
  std::shared_ptr<const DeviceMemory> owned_table;
};

/// W of all directions and what is added to its products, with the gates of a unit side by side.
struct InputWeights {
  Tensor w;     ///< [directions * H * gates, D]
  Tensor bias;  ///< Wb, and Rb too but where GRU multiplies the state's sum by r; zeros where there is no bias

  InputWeights(const PrepareContext& context, const Recurrent& sizes)
      : w(DType::kFloat32, Shape{sizes.directions * sizes.gates * sizes.hidden, sizes.features}),
        bias(DType::kFloat32, Shape{sizes.directions * sizes.gates * sizes.hidden}) {
    const Tensor* given = context.constant(kBias);
    for (int64_t row = 0; row < w.shape()[0]; ++row) {
      const int64_t unit = row / sizes.gates;
      const int64_t gate = row % sizes.gates;
      const int64_t direction = unit / sizes.hidden;
      const int64_t from = (direction * sizes.gates + gate) * sizes.hidden + unit % sizes.hidden;
      std::copy_n(context.constant(kW)->as<float>() + from * sizes.features, sizes.features,
                  w.as<float>() + row * sizes.features);
      const float* own =
          given == nullptr ? nullptr : given->as<float>() + from + direction * sizes.gates * sizes.hidden;
      const bool is_separate = sizes.linear_before_reset && gate == 2;
      bias.as<float>()[row] = given == nullptr ? 0.0f : own[0] + (is_separate ? 0.0f : own[sizes.gates * sizes.hidden]);
    }
  }
};

/// X W' + bias of all rows of the table; null where these are too many, or not constant.
std::shared_ptr<const DeviceMemory> upload_table(const PrepareContext& context, const Recurrent& sizes) {
  const Tensor* table = context.constant(kTable);
  const bool has_bias = !context.has_input(kBias) || context.constant(kBias) != nullptr;
  if (table == nullptr || context.constant(kW) == nullptr || !has_bias) return nullptr;
  if (!fits_table(sizes, sizes.directions * sizes.gates * sizes.hidden)) return nullptr;
  return context.uploaded({kTable, kW, kBias}, "recurrent table", [&] {
    const InputWeights weights(context, sizes);
    return multiply_rows(table->view(), weights.w.view(), weights.bias.view(), choose_isa());
  });
}

/// As few sequences to a block as let all tiles run at once; more of them share the loads of the weights.
int choose_tile(const Recurrent& sizes, int64_t together) {
  const int64_t sequences = sizes.batch * sizes.directions;
  return sequences <= together ? 1 : sequences <= 2 * together ? 2 : kMostTile;
}

bool can_tile(const PrepareContext& context, const Recurrent& sizes, const RecurrentKind& kind) {
  if (!is_plain(context, sizes, kind) || sizes.hidden > kMostTiled || sizes.vocabulary == 0) return false;
  if (kind.gates == kGruKind.gates && !sizes.linear_before_reset) return false;
  const int64_t shared = tiled_shared_bytes(static_cast<int>(sizes.gates), sizes.hidden, kMostTile);
  if (!context.device()->has_tf32() || shared > context.device()->shared_bytes()) return false;
  if (kTiledShapes[tiled_shape(sizes.hidden)].blocks > 1 && !context.device()->has_clusters()) return false;
  return sizes.time * sizes.batch <= std::numeric_limits<int32_t>::max();
}

/// Scratch: sums of inputs, the order of sequences, rows and their count, weights.
void place(PrepareContext& context, RecurrentDevicePlan& plan) {
  constexpr int64_t kLine = 64;
  const auto lines = [](int64_t bytes) { return (bytes + kLine - 1) / kLine * kLine; };
  const Recurrent& sizes = plan.sizes;
  const int64_t rows = sizes.time * sizes.batch;
  plan.order = plan.table != nullptr ? 0 : lines(rows * sizes.directions * sizes.gates * sizes.hidden * 4);
  plan.rows = plan.order + (plan.is_sorted ? lines(sizes.batch * 4) : 0);
  plan.count = plan.rows + (plan.is_sorted ? lines(rows * 4) : 0);
  plan.streamed = plan.count + kLine;
  const int64_t blocks = plan.blocks * sizes.directions * kTiledShapes[tiled_shape(sizes.hidden)].blocks;
  context.scratch_bytes =
      plan.streamed + blocks * tiled_streamed_bytes(static_cast<int>(sizes.gates), sizes.hidden, plan.tile);
}

}  // namespace

std::shared_ptr<const void> prepare_recurrent_on_device(PrepareContext& context, const Recurrent& sizes,
                                                        const RecurrentKind& kind) {
  const auto plan = std::make_shared<OwnedRecurrentPlan>();
  const std::shared_ptr<const RecurrentDevicePlan> out = plan;
  const int64_t multiprocessors = context.device()->multiprocessors();
  plan->sizes = sizes;
  plan->is_tiled = can_tile(context, sizes, kind);
  if (!plan->is_tiled) {
    plan->blocks = std::clamp<int64_t>(sizes.batch * sizes.directions, 1, kBlocksPerMultiprocessor * multiprocessors);
    context.scratch_bytes = plan->blocks * kGeneralRows * sizes.hidden * static_cast<int64_t>(sizeof(double));
    return out;
  }
  const int64_t together = std::max<int64_t>(1, multiprocessors / kTiledShapes[tiled_shape(sizes.hidden)].blocks);
  plan->tile = choose_tile(sizes, together);
  const int64_t tiles = (sizes.batch + plan->tile - 1) / plan->tile;
  plan->blocks = std::min(tiles, std::max<int64_t>(1, together / sizes.directions));
  plan->is_sorted = context.has_input(kLengths) && plan->blocks < tiles;
  if (plan->is_sorted && plan->tile == kMostTile) plan->half_tiles = static_cast<int>(sizes.batch / kSequencesPerHalf);
  plan->has_constant_state_weights = context.constant(kR) != nullptr;
  plan->owned_table = upload_table(context, sizes);
  if (plan->owned_table) plan->table = plan->owned_table->as<float>();
  place(context, *plan);
  return out;
}

}  // namespace slipway
