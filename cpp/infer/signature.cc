#include "infer/signature.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/error.h"
#include "infer/json.h"
#include "infer/utf8.h"

namespace slipway::infer {

namespace {

constexpr int64_t kMaxSide = 1 << 14;

/// A metadata value with its key, for messages.
class Entry final {
 public:
  Entry(std::string key, const std::string& text) : key_(std::move(key)) {
    try {
      json_ = parse_json(text);
    } catch (const Error& error) {
      throw error.at(key_);
    }
  }

  [[nodiscard]] const Json& json() const noexcept { return json_; }
  [[nodiscard]] std::string field(std::string_view name) const { return concat(key_, ", field ", name); }
  /// A field, or null where it is not there; a field that says null is one of those that may.
  [[nodiscard]] const Json* find(std::string_view name) const noexcept {
    constexpr std::array<std::string_view, 5> kNullable = {"below", "height", "unknown", "vocabulary", "width"};
    const Json* value = json_.find(name);
    const bool may_be_null = std::find(kNullable.begin(), kNullable.end(), name) != kNullable.end();
    return value != nullptr && value->is_null() && may_be_null ? nullptr : value;
  }
  [[nodiscard]] std::string string(std::string_view name, std::string fallback) const {
    const Json* value = find(name);
    if (value == nullptr) return fallback;
    return value->string(field(name));
  }
  [[nodiscard]] int64_t integer(std::string_view name, int64_t fallback, int64_t low, int64_t high) const {
    const Json* value = find(name);
    const int64_t number = value == nullptr ? fallback : value->integer(field(name));
    if (number < low || number > high) refuse(name, concat(number), concat("a number from ", low, " to ", high));
    return number;
  }
  [[nodiscard]] bool boolean(std::string_view name) const {
    const Json* value = find(name);
    return value != nullptr && value->boolean(field(name));
  }
  [[nodiscard]] std::vector<double> numbers(std::string_view name) const {
    std::vector<double> result;
    if (const Json* value = find(name)) {
      for (const Json& item : value->array(field(name))) result.push_back(item.number(field(name)));
    }
    return result;
  }
  [[nodiscard]] std::vector<std::string> strings(std::string_view name) const {
    std::vector<std::string> result;
    if (const Json* value = find(name)) {
      for (const Json& item : value->array(field(name))) result.push_back(item.string(field(name)));
    }
    return result;
  }
  /// The place of field `name` among the names that are known.
  template <std::size_t Count>
  [[nodiscard]] std::size_t choice(std::string_view name, const std::array<std::string_view, Count>& names,
                                   std::string_view fallback) const {
    const std::string got = string(name, std::string(fallback));
    const auto found = std::find(names.begin(), names.end(), got);
    std::string known;
    for (const std::string_view one : names) known += concat(known.empty() ? "" : ", ", one);
    if (found == names.end()) refuse(name, quote(got), concat("one of ", known));
    return static_cast<std::size_t>(found - names.begin());
  }
  [[noreturn]] void refuse(std::string_view name, std::string_view got, std::string_view expected) const {
    fail(Code::kModel, field(name), ": got ", got, ", expected ", expected);
  }

 private:
  std::string key_;
  Json json_;
};

std::optional<Entry> entry_for(const Metadata& metadata, const std::string& key) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) return std::nullopt;
  return Entry(key, found->second);
}

/// An entry that every model with a format has, and none without one.
std::optional<Entry> own_entry_for(const Metadata& metadata, const std::string& key) {
  std::optional<Entry> entry = entry_for(metadata, key);
  if (!entry && metadata.contains("slipway.format")) {
    fail(Code::kModel, "the model has metadata ", quote("slipway.format"), ", but none ", quote(key),
         "; it is not whole");
  }
  return entry;
}

/// What the metadata say of a port: kind, type and dims, which are those of the model as far as it knows them.
std::optional<Entry> port_for(const Metadata& metadata, const std::string& key, const PortInfo& port) {
  std::optional<Entry> entry = own_entry_for(metadata, key);
  if (!entry) return entry;
  (void)entry->json().object(key);
  for (const std::string_view name : {"kind", "dtype", "dims"}) {
    if (entry->find(name) == nullptr) entry->refuse(name, "nothing", "a value");
  }
  const std::string dtype = entry->string("dtype", "");
  if (dtype != name_of(port.dtype)) entry->refuse("dtype", quote(dtype), name_of(port.dtype));
  const Json::Array& dims = entry->find("dims")->array(entry->field("dims"));
  if (dims.size() != port.dims.size()) {
    entry->refuse("dims", concat(dims.size(), " dims"), concat(port.dims.size(), ", the rank in the model"));
  }
  for (std::size_t axis = 0; axis < dims.size(); ++axis) {
    const Dim& dim = port.dims[axis];
    if (std::holds_alternative<std::string>(dims[axis].value)) continue;
    const int64_t size = dims[axis].integer(entry->field("dims"));
    if (dim.is_known() && dim.value() != size) entry->refuse("dims", concat(size), concat(dim.value()));
  }
  return entry;
}

/// Where a dimension stands: by the metadata's dims, else by the symbols of the ONNX port. In the metadata the name of
/// a time begins with T: two texts have two times.
int axis_named(const PortInfo& port, const std::optional<Entry>& entry, std::string_view name) {
  const Json* dims = entry ? entry->find("dims") : nullptr;
  if (dims == nullptr) {
    const auto found =
        std::find_if(port.dims.begin(), port.dims.end(), [&](const Dim& dim) { return dim.symbol() == name; });
    return found == port.dims.end() ? -1 : static_cast<int>(found - port.dims.begin());
  }
  const Json::Array& items = dims->array(entry->field("dims"));
  for (std::size_t axis = 0; axis < items.size(); ++axis) {
    const auto* text = std::get_if<std::string>(&items[axis].value);
    if (text != nullptr && (name == "T" ? text->starts_with(name) : *text == name)) return static_cast<int>(axis);
  }
  return -1;
}

TextSpec read_text(const Entry& entry) {
  TextSpec spec;
  spec.splits_words = entry.choice("unit", std::array<std::string_view, 2>{"character", "word"}, "character") == 1;
  spec.limit = entry.integer("limit", 128, 1, int64_t{1} << 31);
  if (entry.find("vocabulary") != nullptr) {
    const std::vector<std::string> tokens = entry.strings("vocabulary");
    spec.vocabulary.emplace();
    spec.vocabulary_size = tokens.size();
    for (std::size_t i = 0; i < tokens.size(); ++i) (*spec.vocabulary)[tokens[i]] = static_cast<int64_t>(i);
  }
  if (const Json* fold = entry.find("fold")) {
    for (const auto& [from, to] : fold->object(entry.field("fold"))) {
      const std::u32string key = decode_utf8(from);
      if (key.size() != 1) entry.refuse("fold", quote(from), "keys of one character");
      spec.fold[key[0]] = decode_utf8(to.string(entry.field("fold")));
    }
  }
  spec.one_hot = entry.boolean("one_hot");
  constexpr int64_t kAny = int64_t{1} << 53;
  const int64_t most = spec.one_hot ? spec.limit - 1 : kAny;
  if (entry.find("unknown") != nullptr) spec.unknown = entry.integer("unknown", 0, spec.one_hot ? 0 : -kAny, most);
  spec.pad = entry.integer("pad", 0, -kAny, kAny);
  spec.lowercase = entry.boolean("lowercase");
  return spec;
}

ImageSpec read_image_spec(const Entry& entry) {
  ImageSpec spec;
  spec.channels = entry.integer("channels", 1, 1, 3);
  if (spec.channels == 2) entry.refuse("channels", "2", "1 or 3");
  spec.height = entry.integer("height", 0, 0, kMaxSide);
  spec.width = entry.integer("width", 0, 0, kMaxSide);
  spec.mean = entry.numbers("mean");
  spec.std = entry.numbers("std");
  const auto channels = static_cast<std::size_t>(spec.channels);
  if (spec.mean.size() < channels || spec.std.size() < channels) {
    entry.refuse("mean and std", concat(spec.mean.size(), " and ", spec.std.size(), " numbers"),
                 concat(channels, " of each"));
  }
  return spec;
}

TableSpec read_table(const Entry& entry, const PortInfo& port) {
  TableSpec spec{entry.strings("columns"), entry.numbers("mean"), entry.numbers("std")};
  const bool has_width = port.dims.size() == 2 && port.dims[1].is_known();
  if (!has_width) entry.refuse("kind", concat("table for shape ", text_of(port.dims)), "a shape [N, number]");
  const auto columns = static_cast<std::size_t>(port.dims[1].value());
  const bool is_scaled = !spec.mean.empty();
  if (spec.mean.size() != spec.std.size() || (is_scaled && spec.mean.size() != columns)) {
    entry.refuse("mean and std", concat(spec.mean.size(), " and ", spec.std.size(), " numbers"),
                 concat(columns, " of each, or none"));
  }
  return spec;
}

std::optional<std::size_t> place_of(const std::vector<PortInfo>& inputs, const std::string& name) {
  const auto found = std::find_if(inputs.begin(), inputs.end(), [&](const PortInfo& p) { return p.name == name; });
  if (found == inputs.end()) return std::nullopt;
  return static_cast<std::size_t>(found - inputs.begin());
}

TensorSpec read_tensor(const Entry& entry, const std::vector<PortInfo>& inputs) {
  TensorSpec spec;
  if (entry.find("below") != nullptr) spec.below = entry.integer("below", 1, 1, INT64_MAX);
  const std::string of = entry.string("of", "");
  if (of.empty()) return spec;
  spec.of = place_of(inputs, of);
  if (!spec.of) entry.refuse("of", quote(of), "the name of an input that has a time");
  return spec;
}

InputSpec read_input_spec(const Entry& entry, const InputPort& port, const std::vector<PortInfo>& inputs) {
  constexpr std::array<std::string_view, 5> kKinds = {"tensor", "text", "length", "image", "table"};
  switch (entry.choice("kind", kKinds, "tensor")) {
    case 1:
      return read_text(entry);
    case 2: {
      const std::string of = entry.string("of", "");
      const std::optional<std::size_t> place = place_of(inputs, of);
      if (!place) entry.refuse("of", quote(of), "the name of a text input");
      return LengthSpec{*place};
    }
    case 3:
      return read_image_spec(entry);
    case 4:
      return read_table(entry, port.info);
    default:
      return read_tensor(entry, inputs);
  }
}

// The encoders build exactly these types and ranks, so a model that says otherwise is refused here.
void check_fits(const InputPort& port, const std::string& key) {
  const auto require = [&](bool is_fitting, std::string_view expected) {
    if (is_fitting) return;
    fail(Code::kModel, key, ": a ", Signature::kind_name(port), " input needs ", expected, ", the model has ",
         name_of(port.info.dtype), " ", text_of(port.info.dims));
  };
  const std::size_t rank = port.info.dims.size();
  const bool is_float = port.info.dtype == DType::kFloat32;
  const bool is_whole = port.info.dtype == DType::kInt64 || port.info.dtype == DType::kInt32;
  if (const auto* text = std::get_if<TextSpec>(&port.spec)) {
    const bool has_axes = port.batch_axis >= 0 && port.batch_axis < 2 && port.time_axis >= 0 && port.time_axis < 2;
    require(has_axes && rank == (text->one_hot ? 3u : 2u) && (text->one_hot ? is_float : is_whole),
            text->one_hot ? "float32 with dims T, N and the limit" : "int64 or int32 with dims T and N");
  } else if (std::holds_alternative<LengthSpec>(port.spec)) {
    require(rank == 1 && is_whole, "int64 or int32 [N]");
  } else if (std::holds_alternative<ImageSpec>(port.spec)) {
    require(rank == 4 && is_float, "float32 [N, C, H, W]");
  } else if (std::holds_alternative<TableSpec>(port.spec)) {
    require(rank == 2 && is_float, "float32 [N, D]");
  }
}

InputPort read_input(const PortInfo& info, const std::vector<PortInfo>& inputs, const Metadata& metadata) {
  const std::string key = "slipway.input." + info.name;
  const std::optional<Entry> entry = port_for(metadata, key, info);
  InputPort port{info, TensorSpec{}, axis_named(info, entry, "N"), axis_named(info, entry, "T")};
  if (entry) port.spec = read_input_spec(*entry, port, inputs);
  check_fits(port, key);
  if (port.is_raw() && port.batch_axis < 0) port.batch_axis = 0;
  return port;
}

OutputPort read_output(const PortInfo& info, const Metadata& metadata) {
  OutputPort port;
  port.info = info;
  const std::optional<Entry> entry = port_for(metadata, "slipway.output." + info.name, info);
  port.batch_axis = axis_named(info, entry, "N");
  if (!entry) return port;
  constexpr std::array<std::string_view, 4> kKinds = {"tensor", "class", "binary", "segmentation"};
  constexpr std::array<std::string_view, 3> kScores = {"logits", "log_probabilities", "probabilities"};
  port.kind = static_cast<OutputKind>(entry->choice("kind", kKinds, "tensor"));
  const auto require_rank = [&](std::size_t rank, std::string_view expected) {
    if (info.dims.size() != rank) entry->refuse("dims", text_of(info.dims), expected);
  };
  if (port.kind == OutputKind::kTensor) return port;
  port.batch_axis = 0;
  if (port.kind == OutputKind::kSegmentation) return require_rank(4, "[N, K, H, W]"), port;
  port.scores = static_cast<Scores>(entry->choice("scores", kScores, "logits"));
  if (port.kind == OutputKind::kBinary) {
    if (port.scores == Scores::kLogProbabilities) {
      entry->refuse("scores", "log_probabilities", "logits or probabilities");
    }
    if (const Json* threshold = entry->find("threshold")) port.threshold = threshold->number(entry->field("threshold"));
    return port;
  }
  port.per_step = entry->boolean("per_step");
  port.join = entry->string("join", "");
  if (!port.per_step) return port;
  require_rank(3, "[T, N, K]");
  port.batch_axis = 1;
  return port;
}

}  // namespace

std::vector<std::size_t> Signature::raw_ports() const {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].is_raw()) places.push_back(i);
  }
  return places;
}

bool Signature::takes_texts() const {
  const std::vector<std::size_t> places = raw_ports();
  return !places.empty() && std::all_of(places.begin(), places.end(), [&](std::size_t place) {
    return std::holds_alternative<TextSpec>(inputs[place].spec);
  });
}

std::optional<std::size_t> InputPort::length_of() const noexcept {
  if (const auto* length = std::get_if<LengthSpec>(&spec)) return length->of;
  const auto* array = std::get_if<TensorSpec>(&spec);
  return array == nullptr ? std::nullopt : array->of;
}

std::string_view Signature::kind_name(const InputPort& port) noexcept {
  constexpr std::string_view kNames[] = {"tensor", "text", "length", "image", "table"};
  return kNames[port.spec.index()];
}

Signature read_signature(const std::vector<PortInfo>& inputs, const std::vector<PortInfo>& outputs,
                         const Metadata& metadata) {
  if (const auto entry = entry_for(metadata, "slipway.format")) {
    const double format = entry->json().number("slipway.format");
    if (format != static_cast<double>(kBundleFormat)) {
      fail(Code::kDamaged, "the bundle has format ", format, ", this program reads ", kBundleFormat,
           "; update slipway");
    }
  }
  Signature signature;
  if (const auto entry = own_entry_for(metadata, "slipway.labels")) {
    for (const Json& label : entry->json().array("slipway.labels")) {
      signature.labels.push_back(label.string("slipway.labels"));
    }
  }
  for (const PortInfo& info : inputs) signature.inputs.push_back(read_input(info, inputs, metadata));
  for (const PortInfo& info : outputs) signature.outputs.push_back(read_output(info, metadata));
  for (const InputPort& port : signature.inputs) {
    const std::optional<std::size_t> of = port.length_of();
    if (of && signature.inputs[*of].time_axis < 0) {
      fail(Code::kModel, "slipway.input.", port.info.name, ", field of: ", quote(inputs[*of].name), " has no time");
    }
    const auto* length = std::get_if<LengthSpec>(&port.spec);
    if (length != nullptr && !std::holds_alternative<TextSpec>(signature.inputs[length->of].spec)) {
      fail(Code::kModel, "slipway.input.", port.info.name, ", field of: ", quote(inputs[length->of].name),
           " is not a text input");
    }
  }
  return signature;
}

}  // namespace slipway::infer
