// One raw thing before it is read: used by the two sources and by the replay of goldens.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "infer/csv.h"
#include "infer/encode.h"

namespace slipway::infer {

/// A text, the name of an image file, or a row of numbers, as the kind of its port says.
struct Raw {
  std::string text;
  std::vector<double> row;
  std::string place;  ///< "rows.csv:3" for a row, "line 7" for a line; names it in messages
};

/// Reads a raw thing for its port and adds it to an item. Throws Error(kInput) beginning with its place.
void add_part(Item& item, const InputPort& port, const Raw& raw);

/// An item of a model whose raw inputs are all texts, from one text for each; its JSON is a list where they are
/// several. Throws Error(kInput) beginning with `place`, where that is not empty.
[[nodiscard]] Item item_of_texts(const Signature& signature, std::span<const std::string> texts,
                                 const std::string& place);

/// The rows of a table file without its header, if it has one.
[[nodiscard]] std::vector<Raw> rows_of(const InputPort& port, const std::string& file);

/// One CSV line as a raw row; an empty result for a header or an empty line.
[[nodiscard]] std::vector<Raw> rows_of_text(const InputPort& port, std::string_view text, const std::string& place);

}  // namespace slipway::infer
