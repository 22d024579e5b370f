#include "infer/selftest.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "infer/decode.h"
#include "infer/encode.h"
#include "infer/files.h"
#include "infer/json.h"
#include "infer/npy.h"
#include "infer/present.h"
#include "infer/ranges.h"
#include "infer/raw.h"
#include "infer/sums.h"

namespace slipway::infer {

namespace {

constexpr int64_t kMaxIndexBytes = 16 << 20;

/// One comparison: an output of a case, or "encode" and "labels" of it.
struct Row {
  std::string name;
  std::string what;
  double max_abs = 0.0;
  double tolerance = 0.0;
  bool ok = false;
};

/// The value of a member that must be there.
const Json& member(const Json& object, std::string_view key, std::string_view where) {
  const Json* value = object.find(key);
  if (value == nullptr) fail(Code::kDamaged, where, " has no ", quote(key));
  return *value;
}

class Replay final {
 public:
  /// Throws Error(kDamaged) where the bundle is not whole.
  explicit Replay(const Arguments& arguments)
      : bundle_(arguments.model),
        listed_(check_sums(bundle_)),
        engine_(open_engine(listed_file(bundle_, listed_, "", "model.onnx"), arguments.engine)),
        signature_(read_signature(engine_->inputs(), engine_->outputs(), engine_->metadata())) {}

  /// Throws Error(kDamaged) or Error(kModel) for goldens that are not what docs/bundle-format.md says.
  std::vector<Row> run() {
    const Json index = parse_json(read_file(golden_file("index.json"), kMaxIndexBytes));
    const double format = member(index, "format", "goldens/index.json").number("format");
    if (format != kBundleFormat)
      fail(Code::kDamaged, "goldens have format ", format, ", this program reads ", kBundleFormat);
    scale_tolerance_ = member(index, "scale_tolerance", "goldens/index.json").number("scale_tolerance");
    std::vector<Row> rows;
    for (const Json& entry : member(index, "cases", "goldens/index.json").array("cases")) replay(entry, rows);
    if (rows.empty()) fail(Code::kDamaged, "goldens/index.json has no cases");
    return rows;
  }

  [[nodiscard]] std::size_t file_count() const noexcept { return listed_.size(); }
  [[nodiscard]] std::string_view runtime() const noexcept { return engine_->runtime(); }

 private:
  [[nodiscard]] std::string golden_file(const std::string& name) const {
    return listed_file(bundle_, listed_, "goldens", name);
  }
  [[nodiscard]] Tensor golden_array(const Json& files, const PortInfo& port) const {
    const std::string file = golden_file(member(files, port.name, "a golden").string("a golden's file"));
    try {
      return read_npy(file);
    } catch (const Error& error) {
      if (error.code() != Code::kInput) throw;
      throw Error(Code::kDamaged, error.message());
    }
  }

  void check_names(const std::string& name, const Json& files) const {
    const auto is_named = [](const std::vector<PortInfo>& ports, const std::string& key) {
      return std::any_of(ports.begin(), ports.end(), [&](const PortInfo& port) { return port.name == key; });
    };
    for (const auto& [key, file] : files.object("a golden's arrays")) {
      if (is_named(engine_->inputs(), key) || is_named(engine_->outputs(), key)) continue;
      fail(Code::kDamaged, "golden ", quote(name), " has ", quote(key), ", which the model has not");
    }
  }

  void replay(const Json& entry, std::vector<Row>& rows) const {
    const std::string name = member(entry, "name", "a golden").string("a golden's name");
    const Json& input_files = member(entry, "inputs", name);
    const Json& output_files = member(entry, "outputs", name);
    check_names(name, input_files);
    check_names(name, output_files);
    std::vector<Tensor> inputs;
    for (const PortInfo& port : engine_->inputs()) inputs.push_back(golden_array(input_files, port));
    if (const Json* raw = entry.find("raw"); raw != nullptr && !raw->is_null()) {
      rows.push_back(compare_encoded(name, *raw, inputs));
      if (!rows.back().ok) return;  // outputs of other inputs say nothing
    }
    check_ranges(signature_, inputs);
    const std::vector<Tensor> outputs = engine_->run(inputs);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const PortInfo& port = engine_->outputs()[i];
      rows.push_back(compare(name, port, outputs[i].view(), golden_array(output_files, port).view()));
    }
    rows.push_back(compare_labels(name, member(entry, "labels", name).array("labels"), outputs));
  }

  /// Encodes the raw input again; the arrays must be the recorded ones bit for bit.
  Row compare_encoded(const std::string& name, const Json& raw, const std::vector<Tensor>& inputs) const {
    const std::vector<Item> items = items_of(raw);
    std::vector<const Item*> pointers;
    for (const Item& item : items) pointers.push_back(&item);
    const std::vector<Tensor> encoded = encode(signature_, pointers, {});
    Row row{name, "encode", 0.0, 0.0, true};
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const TensorView a = encoded[i].view();
      const TensorView b = inputs[i].view();
      const bool is_same = a.dtype == b.dtype && a.shape == b.shape &&
                           std::memcmp(a.data, b.data, static_cast<std::size_t>(b.bytes())) == 0;
      row.ok = row.ok && is_same;
    }
    return row;
  }

  std::vector<Item> items_of(const Json& raw) const {
    const std::vector<std::size_t> ports = signature_.raw_ports();
    if (ports.size() > 1 && signature_.takes_texts()) return items_of_texts(raw, ports.size());
    if (ports.size() != 1) fail(Code::kDamaged, "a golden has raw input, but the model does not take one raw input");
    const InputPort& port = signature_.inputs[ports[0]];
    std::vector<Raw> raws;
    const bool is_text = std::holds_alternative<TextSpec>(port.spec);
    if (std::holds_alternative<TableSpec>(port.spec)) {
      raws = rows_of(port, golden_file(member(raw, "csv", "a golden's raw input").string("csv")));
    } else {
      for (const Json& one : member(raw, is_text ? "texts" : "images", "a golden's raw input").array("raw input")) {
        const std::string& value = one.string("raw input");
        raws.push_back({is_text ? value : golden_file(value), {}, ""});
      }
    }
    std::vector<Item> items;
    for (const Raw& one : raws) add_part(items.emplace_back(), port, one);
    return items;
  }

  /// Each item is a list of one text per text input.
  std::vector<Item> items_of_texts(const Json& raw, std::size_t count) const {
    std::vector<Item> items;
    for (const Json& entry : member(raw, "texts", "a golden's raw input").array("raw input")) {
      std::vector<std::string> texts;
      for (const Json& text : entry.array("raw input")) texts.push_back(text.string("raw input"));
      if (texts.size() != count) {
        fail(Code::kDamaged, "a golden's raw input has ", texts.size(), " texts, the model takes ", count);
      }
      items.push_back(item_of_texts(signature_, texts, ""));
    }
    return items;
  }

  /// Within scale_tolerance of the golden's largest size, or of 1; integers and booleans exactly.
  Row compare(const std::string& name, const PortInfo& port, const TensorView& got, const TensorView& golden) const {
    Row row{name, port.name, std::numeric_limits<double>::infinity(), scale_tolerance_, false};
    if (got.dtype != golden.dtype || !(got.shape == golden.shape)) return row;
    row.max_abs = 0.0;
    double scale = 1.0;
    for (int64_t i = 0; i < golden.shape.count(); ++i) {
      const double x = value_at(got, i);
      const double y = value_at(golden, i);
      // Two whole numbers beyond 2^53 may be one as doubles.
      const bool are_whole = golden.dtype == DType::kInt64;
      const bool is_same = are_whole ? got.as<int64_t>()[i] == golden.as<int64_t>()[i] : x == y;
      if (std::isfinite(y)) scale = std::max(scale, std::fabs(y));
      if (is_same || (std::isnan(x) && std::isnan(y))) continue;
      const double difference = std::max(std::fabs(x - y), are_whole ? 1.0 : 0.0);
      row.max_abs =
          std::isnan(difference) ? std::numeric_limits<double>::infinity() : std::max(row.max_abs, difference);
      if (std::isinf(row.max_abs)) break;
    }
    const bool is_float = golden.dtype == DType::kFloat32 || golden.dtype == DType::kFloat64;
    row.tolerance = is_float ? scale_tolerance_ * scale : 0.0;
    row.ok = row.max_abs <= row.tolerance;
    return row;
  }

  static double value_at(const TensorView& tensor, int64_t index) {
    switch (tensor.dtype) {
      case DType::kFloat32:
        return tensor.as<float>()[index];
      case DType::kFloat64:
        return tensor.as<double>()[index];
      case DType::kInt64:
        return static_cast<double>(tensor.as<int64_t>()[index]);
      case DType::kInt32:
        return tensor.as<int32_t>()[index];
      case DType::kInt8:
        return tensor.as<int8_t>()[index];
      default:
        return tensor.as<uint8_t>()[index];
    }
  }

  Row compare_labels(const std::string& name, const Json::Array& golden, const std::vector<Tensor>& outputs) const {
    const auto predictions = decode(signature_, outputs, 1);
    Row row{name, "labels", 0.0, 0.0, golden.size() == (predictions ? predictions->size() : 0)};
    for (std::size_t i = 0; row.ok && i < golden.size(); ++i) {
      row.ok = golden[i].string("a golden's label") == (*predictions)[i].label;
    }
    return row;
  }

  std::string bundle_;
  std::set<std::string> listed_;
  std::unique_ptr<Engine> engine_;
  Signature signature_;
  double scale_tolerance_ = 0.0;
};

struct Result {
  std::size_t files;
  std::string runtime;
  std::vector<Row> rows;
};

/// What breaks a rule in a bundle that was sealed is damage of the bundle.
Result replay_bundle(const Arguments& arguments) {
  try {
    Replay replay(arguments);
    std::vector<Row> rows = replay.run();
    return {replay.file_count(), std::string(replay.runtime()), std::move(rows)};
  } catch (const Error& error) {
    if (error.code() != Code::kModel && error.code() != Code::kInput) throw;
    throw Error(Code::kDamaged, error.at(concat("bundle ", quote(arguments.model, 400), " is damaged")).message());
  }
}

void print_rows(const std::vector<Row>& rows) {
  std::string text;
  for (const Row& row : rows) {
    text += concat(row.name, "\t", row.what, "\tmax_abs ", number_text(row.max_abs), "\ttolerance ",
                   number_text(row.tolerance), "\t", row.ok ? "ok" : "DIFFERS", "\n");
  }
  print(text);
}

void print_json(const Arguments& arguments, std::string_view runtime, std::size_t files, const std::vector<Row>& rows,
                bool ok) {
  std::string text = concat("{\"ok\": ", ok ? "true" : "false", ", \"bundle\": ");
  append_json(text, arguments.model);
  text += concat(", \"files\": ", files, ", \"rows\": [");
  for (const Row& row : rows) {
    if (&row != rows.data()) text += ", ";
    text += concat("{\"runtime\": \"", runtime, "\", \"case\": ");
    append_json(text, row.name);
    text += ", \"output\": ";
    append_json(text, row.what);
    text += ", \"max_abs\": ";
    append_json(text, row.max_abs);
    text += ", \"tolerance\": ";
    append_json(text, row.tolerance);
    text += row.ok ? ", \"ok\": true}" : ", \"ok\": false}";
  }
  print(text + "]}\n");
}

}  // namespace

bool run_selftest(const Arguments& arguments) {
  std::error_code error;
  if (!std::filesystem::is_directory(arguments.model, error)) {
    if (!std::filesystem::exists(arguments.model, error)) (void)model_file(arguments.model);
    fail(Code::kUsage, "--selftest needs a bundle folder, ", quote(arguments.model, 400), " is a file");
  }
  const auto [files, runtime, rows] = replay_bundle(arguments);
  const bool ok = std::all_of(rows.begin(), rows.end(), [](const Row& row) { return row.ok; });
  if (arguments.json) {
    print_json(arguments, runtime, files, rows, ok);
  } else {
    print_rows(rows);
    if (ok) print(concat("selftest ok: ", files, " files, ", rows.size(), " comparisons\n"));
  }
  return ok;
}

}  // namespace slipway::infer
