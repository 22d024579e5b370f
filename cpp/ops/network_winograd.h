// Winograd's convolution in a network: which sums take it, and what it needs beside its places (network.h).
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "ops/network_items.h"

namespace slipway {

class NetworkPlaces;

/// How a convolution is cut.
struct WinogradForm {
  int64_t row_kernels = 1;
  int64_t column_kernels = 1;
  int64_t down = 0;  ///< tiles
  int64_t across = 0;

  [[nodiscard]] int64_t tiles() const noexcept { return down * across; }
  [[nodiscard]] int64_t kernels() const noexcept { return row_kernels * column_kernels; }
  /// False for the third point of a kernel that has two taps, behind another of three.
  [[nodiscard]] bool has_point(int64_t kernel, int point) const noexcept {
    return (kernel / column_kernels == 0 || point / 4 != 2) && (kernel % column_kernels == 0 || point % 4 != 2);
  }
  /// Points of all kernels.
  [[nodiscard]] int64_t points() const noexcept { return (1 + 3 * row_kernels) * (1 + 3 * column_kernels); }
  /// Rows, and columns, of the patch that a tile reads.
  [[nodiscard]] int64_t patch_rows() const noexcept { return 2 + 2 * row_kernels; }
  [[nodiscard]] int64_t patch_columns() const noexcept { return 2 + 2 * column_kernels; }
};

/// The form of an item whose sums are faster so, by counted work; it follows from a sample's shapes alone, so that
/// layout, batch and threads change no bit.
[[nodiscard]] std::optional<WinogradForm> winograd_of(const NetworkItems& items, const NetworkItem& item);

/// A NetworkWinograd with all that it points to, but for weights.
struct OwnedNetworkWinograd final : NetworkWinograd {
  WinogradForm form;
  std::vector<std::vector<int32_t>> places;
  int64_t matrix_rows = 0;  ///< of the packed matrices, padding included
  int64_t work = 0;         ///< as NetworkProgram::work
};

struct WinogradSetting {
  const NetworkItems& items;
  const NetworkItem& item;
  const NetworkPlaces& places;
  int64_t lanes;
  bool has_sample_lanes;
  int64_t most_parts;  ///< threads that may be at work at once, each with scratch of its own
};

/// `op` has its rows; it gets its kind and places, but for `scratch`.
[[nodiscard]] std::shared_ptr<OwnedNetworkWinograd> make_winograd(const WinogradForm& form,
                                                                  const WinogradSetting& setting, NetworkOp& op);

/// What a program packs of a convolution's weights: the points' matrices one after the other, each as a kSums has it,
/// then the bias.
[[nodiscard]] std::shared_ptr<Tensor> pack_winograd(const OwnedNetworkWinograd& made, const NetworkWeights& given,
                                                    int64_t lanes, bool has_sample_lanes);

/// Points the products and `op` to what was packed.
void set_weights(OwnedNetworkWinograd& made, const float* packed, NetworkOp& op);

}  // namespace slipway
