// Raw items to input tensors, as docs/bundle-format.md says.
#pragma once

#include <span>
#include <string>
#include <variant>
#include <vector>

#include "infer/signature.h"

namespace slipway::infer {

/// A raw thing after all that can be done to it alone: tokens of a text, planes of an image, a row of numbers.
using Part = std::variant<std::vector<int64_t>, std::vector<Plane>, std::vector<double>>;

/// One entry of a batch: a part for each of Signature::raw_ports(), and what it is called in the output.
struct Item {
  std::string name;  ///< for people: the text, the file's name
  std::string json;  ///< the same as a JSON value
  std::vector<Part> parts;
};

/// A text, an image file or a table's row as the part of one port. Throws Error(kInput) where it does not fit.
[[nodiscard]] Part part_of_text(const InputPort& port, const std::string& text);
[[nodiscard]] Part part_of_image(const InputPort& port, const std::string& file);
[[nodiscard]] Part part_of_row(const InputPort& port, std::vector<double> row);

/// Bytes that the item's encoded inputs take, about.
[[nodiscard]] int64_t encoded_bytes(const Item& item) noexcept;

/// Items of the same class give the same result in one batch as alone: texts of one length where no length input
/// tells them apart or outputs are per step, images of one size.
[[nodiscard]] std::vector<int64_t> batch_class(const Signature& signature, const Item& item);

/// One tensor per input, in order; a tensor input comes from `given` (at the input's place), which may also stand in
/// for any other input. Throws Error(kInput) where an input has neither.
[[nodiscard]] std::vector<Tensor> encode(const Signature& signature, std::span<const Item* const> items,
                                         std::vector<Tensor> given);

}  // namespace slipway::infer
