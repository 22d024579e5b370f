// GRU, LSTM and RNN, alone and behind a table that they are fused with.
#include <algorithm>

#include "maker.h"

namespace slipway::fuzz {

namespace {

using check::Message;

int64_t gates_of(std::string_view op) { return op == "GRU" ? 3 : op == "LSTM" ? 4 : 1; }

// The names of activations that the operator takes: one for each of its functions and directions.
std::vector<std::string> activations(Maker& maker, std::string_view op, int64_t directions) {
  constexpr std::string_view kNames[] = {"Sigmoid", "Tanh", "Relu", "Softsign", "HardSigmoid", "Elu", "LeakyRelu"};
  const int64_t count = (op == "GRU" ? 2 : op == "LSTM" ? 3 : 1) * directions;
  std::vector<std::string> names;
  for (int64_t i = 0; i < count; ++i) names.emplace_back(maker.d.one_of(kNames));
  return names;
}

// `x` is [T, N, D] and its first input; what follows the inputs that all three have is absent or not.
void add_layer(Maker& maker, std::string_view op, const Made& x) {
  const int64_t time = x.dims[0];
  const int64_t batch = x.dims[1];
  const int64_t hidden = maker.d.from(1, 9);
  const int64_t gates = gates_of(op);
  constexpr std::string_view kDirections[] = {"forward", "reverse", "bidirectional"};
  const std::string_view direction = maker.d.one_of(kDirections);
  const int64_t directions = direction == "bidirectional" ? 2 : 1;
  std::vector<Made> inputs = {x, maker.fresh(x.dtype, {directions, gates * hidden, x.dims[2]}, {-1, 1}),
                              maker.fresh(x.dtype, {directions, gates * hidden, hidden}, {-1, 1})};
  const auto maybe = [&](const Sizes& dims) {
    return maker.d.chance(2) ? maker.fresh(x.dtype, dims, {-1, 1}) : Made{};
  };
  inputs.push_back(maybe({directions, 2 * gates * hidden}));
  inputs.push_back(time > 0 && maker.d.chance(2) ? maker.fresh(DType::kInt32, {batch}, {1, time}) : Made{});
  inputs.push_back(maybe({directions, batch, hidden}));
  if (op == "LSTM") inputs.push_back(maybe({directions, batch, hidden}));
  if (op == "LSTM") inputs.push_back(maybe({directions, 3 * hidden}));
  std::vector<Message> attributes = {maker.number("hidden_size", hidden), maker.text("direction", direction)};
  if (maker.d.chance(4)) attributes.push_back(maker.texts("activations", activations(maker, op, directions)));
  if (maker.d.chance(4)) attributes.push_back(maker.real("clip", 2));
  if (op == "GRU" && maker.d.chance(2)) attributes.push_back(maker.number("linear_before_reset", 1));
  if (op == "LSTM" && maker.d.chance(4)) attributes.push_back(maker.number("input_forget", 1));
  std::vector<Made> outputs = {Made{"", x.dtype, {time, directions, batch, hidden}},
                               Made{"", x.dtype, {directions, batch, hidden}}};
  if (op == "LSTM") outputs.push_back(outputs.back());
  std::vector<std::string> names;
  for (const Made& input : inputs) names.push_back(input.name);
  maker.add(op, names, attributes, outputs);
}

void make_recurrent(Maker& maker, std::string_view op) {
  Made x = maker.pick(kFloats, 3, 3);
  if (x.count() == 0) x = maker.fresh(x.dtype, {maker.d.from(1, 5), maker.d.from(1, 4), maker.d.from(1, 6)}, {-1, 1});
  add_layer(maker, op, x);
}

void make_embedded(Maker& maker, std::string_view op) {
  const int64_t words = maker.d.from(1, 9);
  const int64_t width = maker.d.from(1, 5);
  const Made table = maker.constant(DType::kFloat32, {words, width},
                                    std::vector<double>(static_cast<std::size_t>(words * width), 0.5));
  const Made tokens = maker.indices(maker.d.one_of(kIndices), {maker.d.from(1, 5), maker.d.from(1, 4)}, words);
  Sizes dims = tokens.dims;
  dims.push_back(width);
  add_layer(maker, op, maker.add("Gather", {table, tokens}, {}, DType::kFloat32, dims));
}

}  // namespace

std::vector<OpMaker> recurrent_makers() {
  return {{"GRU", &make_recurrent},
          {"LSTM", &make_recurrent},
          {"RNN", &make_recurrent},
          {"GRU", &make_embedded, "EmbeddedGRU"},
          {"LSTM", &make_embedded, "EmbeddedLSTM"},
          {"RNN", &make_embedded, "EmbeddedRNN"}};
}

}  // namespace slipway::fuzz
