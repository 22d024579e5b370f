#include "infer/sources.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <optional>
#include <utility>

#include "base/error.h"
#include "infer/raw.h"

namespace slipway::infer {

namespace {

std::string described_inputs(const Signature& signature) {
  std::string text;
  for (const InputPort& port : signature.inputs) {
    text += concat(text.empty() ? "" : ", ", Signature::kind_name(port), " ", quote(port.info.name));
  }
  return text;
}

/// Items whose raw things are all known: one list per raw port, empty where an array was given.
class ArgumentSource final : public Source {
 public:
  ArgumentSource(const Signature& signature, std::vector<std::vector<Raw>> raws, bool in_one_batch)
      : signature_(signature), raws_(std::move(raws)), in_one_batch_(in_one_batch) {
    for (const std::vector<Raw>& list : raws_) count_ = std::max(count_, list.size());
  }

  std::vector<Item> next() override {
    std::vector<Item> items;
    int64_t bytes = 0;
    while (at_ < count_ && (in_one_batch_ || (items.size() < kMaxBatch && bytes < kMaxBatchBytes))) {
      items.push_back(read(at_++));
      bytes += encoded_bytes(items.back());
    }
    return items;
  }

 private:
  Item read(std::size_t at) const {
    Item item;
    const std::vector<std::size_t> ports = signature_.raw_ports();
    for (std::size_t place = 0; place < ports.size(); ++place) {
      if (raws_[place].empty()) {
        item.parts.emplace_back();  // stands for the array from --input
      } else {
        add_part(item, signature_.inputs[ports[place]], raws_[place][at]);
      }
    }
    if (std::count_if(raws_.begin(), raws_.end(), [](const auto& list) { return !list.empty(); }) > 1) {
      item.json = "[" + item.json + "]";
    }
    return item;
  }

  const Signature& signature_;
  std::vector<std::vector<Raw>> raws_;
  bool in_one_batch_;
  std::size_t count_ = 0;
  std::size_t at_ = 0;
};

/// Sorts the command line's values to the raw ports of their kind.
class Sorter final {
 public:
  Sorter(const Signature& signature, const std::vector<bool>& given)
      : signature_(signature), given_(given), raws_(signature.raw_ports().size()) {}

  /// Texts are taken in the order of the ports, as many at a time as there are text inputs.
  void add_texts(const std::vector<std::string>& texts) {
    if (texts.empty()) return;
    const std::vector<std::size_t> fitting = places_of("text");
    if (texts.size() % fitting.size() != 0) {
      fail(Code::kUsage, "--text: got ", texts.size(), texts.size() == 1 ? " text" : " texts", ", the model takes ",
           fitting.size(), " at a time: ", described_inputs(signature_));
    }
    for (std::size_t i = 0; i < texts.size(); ++i) raws_[fitting[i % fitting.size()]].push_back({texts[i], {}, ""});
  }

  /// The places among the raw ports that take this kind, one at least.
  std::vector<std::size_t> places_of(std::string_view kind) const {
    const std::vector<std::size_t> ports = signature_.raw_ports();
    std::vector<std::size_t> fitting;
    for (std::size_t place = 0; place < ports.size(); ++place) {
      const InputPort& port = signature_.inputs[ports[place]];
      if (Signature::kind_name(port) == kind && !given_[ports[place]]) fitting.push_back(place);
    }
    if (fitting.empty()) fail(Code::kUsage, "the model takes no ", kind, "; it takes ", described_inputs(signature_));
    return fitting;
  }

  /// Splits "NAME=value" where several ports take this kind; gives the port's place among the raw ports.
  std::size_t place_of(std::string_view kind, std::string& value) const {
    const std::vector<std::size_t> ports = signature_.raw_ports();
    const std::vector<std::size_t> fitting = places_of(kind);
    if (fitting.size() == 1) return fitting[0];
    for (const std::size_t place : fitting) {
      const std::string prefix = signature_.inputs[ports[place]].info.name + "=";
      if (!value.starts_with(prefix)) continue;
      value.erase(0, prefix.size());
      return place;
    }
    fail(Code::kUsage, "the model takes several ", kind, " inputs (", described_inputs(signature_),
         "); write NAME=", value);
  }

  void add(std::string_view kind, const std::vector<std::string>& values) {
    for (std::string value : values) {
      const std::size_t place = place_of(kind, value);
      const InputPort& port = signature_.inputs[signature_.raw_ports()[place]];
      if (kind == "table") {
        std::vector<Raw> rows = rows_of(port, value);
        std::move(rows.begin(), rows.end(), std::back_inserter(raws_[place]));
      } else {
        raws_[place].push_back({value, {}, ""});
      }
    }
  }

  std::vector<std::vector<Raw>> take() {
    const std::vector<std::size_t> ports = signature_.raw_ports();
    std::size_t count = 0;
    for (const std::vector<Raw>& list : raws_) count = std::max(count, list.size());
    for (std::size_t place = 0; place < ports.size(); ++place) {
      const InputPort& port = signature_.inputs[ports[place]];
      if (given_[ports[place]] || raws_[place].size() == count) continue;
      fail(Code::kUsage, "input ", quote(port.info.name), " (", Signature::kind_name(port), ") has ",
           raws_[place].size(), " items, another input has ", count);
    }
    return std::move(raws_);
  }

 private:
  const Signature& signature_;
  const std::vector<bool>& given_;
  std::vector<std::vector<Raw>> raws_;
};

/// Lines as they arrive.
class LineReader final {
 public:
  /// The complete lines at hand, at most kMaxBatch, waiting for one if there is none; no lines at the end.
  std::vector<std::string> read_lines() {
    std::vector<std::string> lines;
    for (;;) {
      take_lines(lines);
      if (!lines.empty() || (at_end_ && buffer_.empty())) return lines;
      if (at_end_) {
        buffer_ += '\n';  // the last line has no end
        continue;
      }
      if (buffer_.size() > kMaxLineBytes) fail(Code::kLimit, "a line has more than ", kMaxLineBytes, " bytes");
      fill();
    }
  }

 private:
  void take_lines(std::vector<std::string>& lines) {
    std::size_t begin = 0;
    while (lines.size() < kMaxBatch) {
      const std::size_t end = buffer_.find('\n', begin);
      if (end == std::string::npos) break;
      const std::size_t stop = end > begin && buffer_[end - 1] == '\r' ? end - 1 : end;
      lines.push_back(buffer_.substr(begin, stop - begin));
      begin = end + 1;
    }
    buffer_.erase(0, begin);
  }

  void fill() {
    char piece[1 << 16];
    ssize_t got = 0;
    do {
      got = ::read(STDIN_FILENO, piece, sizeof piece);
    } while (got < 0 && errno == EINTR);
    if (got < 0) fail(Code::kIo, "cannot read standard input: ", std::strerror(errno));
    at_end_ = got == 0;
    buffer_.append(piece, static_cast<std::size_t>(got));
  }

  std::string buffer_;
  bool at_end_ = false;
};

class StandardInput final : public Source {
 public:
  explicit StandardInput(const Signature& signature)
      : signature_(signature), port_(signature.inputs[signature.raw_ports()[0]]) {}

  std::vector<Item> next() override {
    if (failure_) throw Error(*failure_);
    std::vector<Item> items;
    try {
      read_into(items);
    } catch (const Error& error) {
      if (items.empty()) throw;
      failure_ = error;  // the lines before it are answered first
    }
    return items;
  }

 private:
  void read_into(std::vector<Item>& items) {
    int64_t bytes = 0;
    while (items.empty()) {
      if (pending_.empty()) {
        pending_ = lines_.read_lines();
        std::reverse(pending_.begin(), pending_.end());
        if (pending_.empty()) return;
      }
      while (!pending_.empty() && bytes < kMaxBatchBytes) {
        const std::string line = std::move(pending_.back());
        pending_.pop_back();
        add_line(items, line);
        if (!items.empty()) bytes += encoded_bytes(items.back());
      }
    }
  }

  void add_line(std::vector<Item>& items, const std::string& line) {
    const std::string place = concat("line ", ++line_);
    if (signature_.takes_texts()) {
      items.push_back(item_of_texts(signature_, texts_of(line, place), place));
      return;
    }
    if (!std::holds_alternative<TableSpec>(port_.spec)) {
      Item item;
      add_part(item, port_, {line, {}, place});
      items.push_back(std::move(item));
      return;
    }
    add_rows(items, line, place);
  }

  /// A line ends at \n, a row at \r too.
  void add_rows(std::vector<Item>& items, const std::string& line, const std::string& place) {
    try {
      for (const CsvRow& row : parse_csv(line, line_)) {
        line_ = row.line;
        if (line_ == 1 && is_header(row, std::get<TableSpec>(port_.spec).columns)) continue;
        Item item;
        add_part(item, port_, {"", numbers_of(row), concat("line ", line_)});
        items.push_back(std::move(item));
      }
    } catch (const Error& error) {
      // Readers of rows name the line already.
      throw error.message().starts_with("line ") ? error : error.at(place);
    }
  }

  /// The line's texts, tabs between them where the model takes several; a single text may hold tabs.
  [[nodiscard]] std::vector<std::string> texts_of(const std::string& line, const std::string& place) const {
    const std::size_t expected = signature_.raw_ports().size();
    std::vector<std::string> texts;
    std::size_t begin = 0;
    for (std::size_t tab = 0; expected > 1 && (tab = line.find('\t', begin)) != std::string::npos; begin = tab + 1) {
      texts.push_back(line.substr(begin, tab - begin));
    }
    texts.push_back(line.substr(begin));
    if (texts.size() != expected) {
      fail(Code::kInput, place, ": got ", texts.size(), texts.size() == 1 ? " text" : " texts", ", expected ", expected,
           " with tabs between them: ", described_inputs(signature_));
    }
    return texts;
  }

  const Signature& signature_;
  const InputPort& port_;
  LineReader lines_;
  std::vector<std::string> pending_;  // of the last read, in reverse
  std::optional<Error> failure_;      // of a line that comes after the last items
  int64_t line_ = 0;
};

}  // namespace

std::unique_ptr<Source> open_arguments(const Signature& signature, const Arguments& arguments,
                                       const std::vector<bool>& given) {
  Sorter sorter(signature, given);
  sorter.add_texts(arguments.texts);
  sorter.add("image", arguments.images);
  sorter.add("table", arguments.tables);
  const bool in_one_batch = std::find(given.begin(), given.end(), true) != given.end();
  return std::make_unique<ArgumentSource>(signature, sorter.take(), in_one_batch);
}

std::unique_ptr<Source> open_standard_input(const Signature& signature) {
  const std::vector<std::size_t> ports = signature.raw_ports();
  const auto is_tensor = [](const InputPort& port) { return std::holds_alternative<TensorSpec>(port.spec); };
  const bool is_line = ports.size() == 1 || signature.takes_texts();
  if (!is_line || std::any_of(signature.inputs.begin(), signature.inputs.end(), is_tensor)) {
    fail(Code::kUsage, "lines on standard input need a model with one raw input or texts alone, this one takes ",
         described_inputs(signature), "; give --input NAME=FILE.npy or --random");
  }
  return std::make_unique<StandardInput>(signature);
}

}  // namespace slipway::infer
