#include "infer/raw.h"

#include "base/error.h"
#include "infer/files.h"
#include "infer/json.h"

namespace slipway::infer {

namespace {

std::string row_json(const std::vector<double>& row) {
  std::string text = "[";
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i > 0) text += ", ";
    append_json(text, row[i]);
  }
  return text + "]";
}

Part part_of(const InputPort& port, const Raw& raw) {
  if (std::holds_alternative<TextSpec>(port.spec)) return part_of_text(port, raw.text);
  if (std::holds_alternative<ImageSpec>(port.spec)) return part_of_image(port, raw.text);
  return part_of_row(port, raw.row);
}

}  // namespace

void add_part(Item& item, const InputPort& port, const Raw& raw) {
  const bool is_row = std::holds_alternative<TableSpec>(port.spec);
  try {
    item.parts.push_back(part_of(port, raw));
  } catch (const Error& error) {
    throw raw.place.empty() ? error : error.at(raw.place);
  }
  std::string json;
  if (is_row) {
    json = row_json(raw.row);
  } else {
    append_json(json, raw.text);
  }
  item.name += (item.name.empty() ? "" : " | ") + (is_row ? raw.place : raw.text);
  item.json += (item.json.empty() ? "" : ", ") + json;
}

Item item_of_texts(const Signature& signature, std::span<const std::string> texts, const std::string& place) {
  Item item;
  const std::vector<std::size_t> ports = signature.raw_ports();
  for (std::size_t i = 0; i < ports.size(); ++i) add_part(item, signature.inputs[ports[i]], {texts[i], {}, place});
  if (ports.size() > 1) item.json = "[" + item.json + "]";
  return item;
}

std::vector<Raw> rows_of_text(const InputPort& port, std::string_view text, const std::string& place) {
  std::vector<Raw> raws;
  try {
    const std::vector<CsvRow> rows = parse_csv(text);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (i == 0 && is_header(rows[i], std::get<TableSpec>(port.spec).columns)) continue;
      raws.push_back({"", numbers_of(rows[i]), concat(place, ":", rows[i].line)});
    }
  } catch (const Error& error) {
    throw error.at(place);
  }
  return raws;
}

std::vector<Raw> rows_of(const InputPort& port, const std::string& file) {
  std::vector<Raw> rows = rows_of_text(port, read_file(file), file);
  if (rows.empty()) fail(Code::kInput, "table ", quote(file, 400), " has no rows");
  return rows;
}

}  // namespace slipway::infer
