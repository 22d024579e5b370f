#include "infer/present.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/error.h"
#include "infer/json.h"
#include "infer/utf8.h"

namespace slipway::infer {

namespace {

constexpr int64_t kShownValues = 16;

using Line = std::array<std::string, 3>;

std::string probability_text(double probability) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6f", probability);
  return text;
}

std::string values_text(const PortInfo& port, const TensorView& tensor) {
  std::string text = concat(printable(port.name), " ", name_of(tensor.dtype), " ", tensor.shape.text(), ":");
  const int64_t count = tensor.shape.count();
  for (int64_t i = 0; i < std::min(count, kShownValues); ++i) text += concat(" ", element_text(tensor, i));
  return text + (count > kShownValues ? " ..." : "");
}

void add_lines(std::vector<Line>& lines, const Signature& signature, const Result& result) {
  const std::string name = printable(result.name);
  if (!result.prediction) {
    for (std::size_t i = 0; i < result.outputs.size(); ++i) {
      lines.push_back({name, values_text(signature.outputs[i].info, result.outputs[i].view()), ""});
    }
  } else if (result.prediction->per_step) {
    lines.push_back({name, printable(result.prediction->label), ""});
  } else {
    for (const Choice& choice : result.prediction->steps[0]) {
      lines.push_back({name, printable(choice.label), probability_text(choice.probability)});
    }
  }
}

void append_choices(std::string& out, const std::vector<Choice>& choices) {
  out += '[';
  for (std::size_t i = 0; i < choices.size(); ++i) {
    out += i > 0 ? ", {\"label\": " : "{\"label\": ";
    append_json(out, choices[i].label);
    out += ", \"probability\": ";
    append_json(out, choices[i].probability);
    out += '}';
  }
  out += ']';
}

void append_top(std::string& out, const Prediction& prediction) {
  if (!prediction.per_step) return append_choices(out, prediction.steps[0]);
  out += '[';
  for (std::size_t t = 0; t < prediction.steps.size(); ++t) {
    if (t > 0) out += ", ";
    append_choices(out, prediction.steps[t]);
  }
  out += ']';
}

}  // namespace

void print(std::string_view text) {
  const std::size_t written = std::fwrite(text.data(), 1, text.size(), stdout);
  if (written != text.size() || std::fflush(stdout) != 0) {
    fail(Code::kIo, "cannot write standard output: ", std::strerror(errno));
  }
}

std::string table_of(const Signature& signature, const std::vector<Result>& results, bool is_terminal) {
  std::vector<Line> lines;
  if (is_terminal && !results.empty() && results[0].prediction) lines.push_back({"input", "label", "probability"});
  for (const Result& result : results) add_lines(lines, signature, result);
  std::array<std::size_t, 2> widths = {};
  for (const Line& line : lines) {
    for (std::size_t c = 0; c < widths.size(); ++c) widths[c] = std::max(widths[c], display_width(line[c]));
  }
  std::string text;
  for (const Line& line : lines) {
    for (std::size_t c = 0; c < line.size(); ++c) {
      const bool is_last = c + 1 == line.size() || (c == 1 && line[2].empty());
      text += line[c];
      if (is_last) break;
      text += is_terminal ? std::string(widths[c] - display_width(line[c]) + 2, ' ') : "\t";
    }
    text += '\n';
  }
  return text;
}

std::string json_of(const Signature& signature, const std::vector<Result>& results) {
  std::string text;
  for (const Result& result : results) {
    text += concat("{\"input\": ", result.json, ", \"outputs\": {");
    for (std::size_t i = 0; i < result.outputs.size(); ++i) {
      if (i > 0) text += ", ";
      append_json(text, signature.outputs[i].info.name);
      text += ": ";
      append_json(text, result.outputs[i].view());
    }
    text += "}, \"label\": ";
    if (result.prediction) {
      append_json(text, result.prediction->label);
      text += ", \"top\": ";
      append_top(text, *result.prediction);
    } else {
      text += "null, \"top\": []";
    }
    text += "}\n";
  }
  return text;
}

}  // namespace slipway::infer
