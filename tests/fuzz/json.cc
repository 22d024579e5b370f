// JSON: what is read is written and read again as the same.
#include "infer/json.h"

#include <cmath>

#include "fuzz.h"

namespace slipway::fuzz {
namespace {

using infer::Json;

std::vector<std::string> seeds() {
  return {R"({"cases": [{"name": "a", "inputs": ["a/0.npy"], "sizes": {"N": 2}, "tolerance": 1e-5}], "format": 1})",
          R"({"dims": ["T", "N"], "dtype": "int64", "fold": {"\u00c0": "A"}, "kind": "text", "limit": 128})",
          R"([null, true, false, -0.0, 1.5e300, "\ud83d\ude00\\\/\b\f\n\r\t", [[[]]], {}])"};
}

std::vector<std::string> words() {
  return {"{",    "}",       "[",       "]",       ":",     ",", "\"",  "null",
          "true", "\\u0000", "\\ud800", "\\udc00", "1e999", "-", "0.1", "[[[["};
}

void append(std::string& out, const Json& json);

template <typename Items, typename Write>
void append_list(std::string& out, const Items& items, const Write& write) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += ',';
    write(items[i]);
  }
}

void append(std::string& out, const Json& json) {
  if (const auto* text = std::get_if<std::string>(&json.value)) return infer::append_json(out, *text);
  if (const auto* number = std::get_if<double>(&json.value)) {
    if (!std::isfinite(*number)) report("a number is not finite");
    return infer::append_json(out, *number);
  }
  if (const auto* truth = std::get_if<bool>(&json.value)) return static_cast<void>(out += *truth ? "true" : "false");
  if (const auto* array = std::get_if<Json::Array>(&json.value)) {
    out += '[';
    append_list(out, *array, [&](const Json& item) { append(out, item); });
    return static_cast<void>(out += ']');
  }
  if (const auto* object = std::get_if<Json::Object>(&json.value)) {
    out += '{';
    append_list(out, *object, [&](const auto& member) {
      infer::append_json(out, member.first);
      out += ':';
      append(out, member.second);
    });
    return static_cast<void>(out += '}');
  }
  out += "null";
}

void read(std::string_view text) {
  const Json json = infer::parse_json(text);
  std::string once;
  append(once, json);
  std::string twice;
  append(twice, infer::parse_json(once));
  if (once != twice) report("a value changes by being written and read");
  (void)succeeds([&] { (void)json.integer("the whole"); });
  (void)succeeds([&] { (void)json.object("the whole"); });
  if (const Json* cases = json.find("cases")) (void)succeeds([&] { (void)cases->array("cases"); });
}

}  // namespace

const Target kTarget{"json", Form::kText, 4096, &seeds, &words};

}  // namespace slipway::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)slipway::fuzz::reads([&] { slipway::fuzz::read(slipway::fuzz::text_of(data, size)); });
  return 0;
}
