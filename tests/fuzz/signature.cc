// What a model's metadata says of its ports, a line "key value" for each entry, and raw items encoded by it.
#include "infer/signature.h"

#include "fuzz.h"
#include "infer/encode.h"

namespace slipway::fuzz {
namespace {

std::vector<std::string> seeds() {
  return {
      R"(slipway.format 1
slipway.recipe "names"
slipway.labels ["a", "b"]
slipway.input.tokens {"dims": ["T", "N"], "dtype": "int64", "kind": "text", "fold": {"\u00c0": "A"}, "lowercase": true,)"
      R"( "vocabulary": ["a", "b", "c"], "unknown": 0, "pad": 1, "limit": 16, "unit": "word"}
slipway.input.lengths {"dims": ["N"], "dtype": "int64", "kind": "length", "of": "tokens"}
slipway.output.y {"kind": "class", "dtype": "float32", "dims": ["N", 2], "scores": "log_probabilities"})",
      R"(slipway.input.table {"kind": "table", "dtype": "float32", "dims": ["N", 2], "columns": ["u", "v"], "mean": [0, 1e300], "std": [1, 0.5]}
slipway.output.y {"kind": "binary", "dtype": "float32", "threshold": 0.5, "scores": "probabilities", "dims": ["N", 2]}
slipway.output.y {"kind": "segmentation", "join": "-"})",
      R"(slipway.input.image {"kind": "image", "dtype": "float32", "dims": ["N", 3, "H", "W"], "channels": 3, "height": 0, "width": 8, "mean": [0, 0, 0], "std": [1, 1, 1]}
slipway.input.hot {"dims": ["T", "N", "L"], "dtype": "float32", "kind": "text", "one_hot": true, "limit": 128, "unknown": 3}
slipway.input.tokens {"kind": "tensor", "dtype": "int64", "dims": ["T", "N"], "below": 9223372036854775807})"};
}

std::vector<std::string> words() {
  return {"\nslipway.input.",
          "tokens",
          "lengths",
          "table",
          "image",
          "hot",
          "\nslipway.output.y ",
          "\"kind\": ",
          "\"dims\": ",
          "\"text\"",
          "\"tensor\"",
          "\"limit\": ",
          "\"below\": ",
          "\"mean\": ",
          "\"std\": ",
          "\"one_hot\": true",
          "[]",
          "{}",
          "\"height\": ",
          "\"vocabulary\": ",
          "\"unknown\": ",
          "\"T\"",
          "\"N\"",
          "2147483648"};
}

PortInfo port(std::string name, DType dtype, Dims dims) { return {std::move(name), dtype, std::move(dims), true}; }

const std::vector<PortInfo>& inputs() {
  static const Dim n = Dim::symbol("N");
  static const Dim t = Dim::symbol("T");
  static const std::vector<PortInfo> all = {port("tokens", DType::kInt64, {t, n}), port("lengths", DType::kInt64, {n}),
                                            port("table", DType::kFloat32, {n, 2}),
                                            port("image", DType::kFloat32, {n, 3, 8, 8}),
                                            port("hot", DType::kFloat32, {t, n, Dim::symbol("L")})};
  return all;
}

// Encodes one item for each way of giving one; whether that can be done depends on the ports.
void encode_item(const infer::Signature& signature) {
  infer::Item item;
  for (const std::size_t place : signature.raw_ports()) {
    const infer::InputPort& raw = signature.inputs[place];
    if (std::holds_alternative<infer::TextSpec>(raw.spec))
      item.parts.push_back(infer::part_of_text(raw, "A b\xC3\x80"));
    if (std::holds_alternative<infer::TableSpec>(raw.spec)) item.parts.push_back(infer::part_of_row(raw, {1.0, -2.5}));
  }
  if (item.parts.size() != signature.raw_ports().size()) return;
  const infer::Item* items[] = {&item, &item};
  std::vector<Tensor> given(signature.inputs.size());
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (std::holds_alternative<infer::TensorSpec>(signature.inputs[i].spec)) given[i] = Tensor(inputs()[i].dtype, {1});
  }
  if (infer::encode(signature, items, std::move(given)).size() != signature.inputs.size())
    report("an input is missing");
  ++tally.ran;
}

void read(std::string_view text) {
  infer::Metadata metadata;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    const std::size_t space = std::min(line.find(' '), line.size());
    metadata.insert_or_assign(std::string(line.substr(0, space)),
                              std::string(line.substr(std::min(space + 1, line.size()))));
    at = end + 1;
  }
  const infer::Signature signature =
      infer::read_signature(inputs(), {port("y", DType::kFloat32, {Dim::symbol("N"), 2})}, metadata);
  (void)succeeds([&] { encode_item(signature); });
}

}  // namespace

const Target kTarget{"signature", Form::kText, 4096, &seeds, &words};

}  // namespace slipway::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)slipway::fuzz::reads([&] { slipway::fuzz::read(slipway::fuzz::text_of(data, size)); });
  return 0;
}
