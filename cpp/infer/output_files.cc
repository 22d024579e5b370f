// The part of present.h that writes .npy files.
#include <cstring>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "infer/files.h"
#include "infer/npy.h"
#include "infer/present.h"

namespace slipway::infer {

namespace {

/// Puts the entries of one output together along the batch axis.
Tensor stacked(const OutputPort& port, const std::vector<Tensor>& entries) {
  const Shape& first = entries[0].shape();
  Shape shape;
  for (int axis = 0; axis <= first.rank(); ++axis) {
    if (axis == port.batch_axis) shape.push_back(static_cast<int64_t>(entries.size()));
    if (axis < first.rank()) shape.push_back(first[axis]);
  }
  for (const Tensor& entry : entries) {
    if (entry.shape() == first) continue;
    fail(Code::kInput, "output ", quote(port.info.name), " has shape ", first.text(), " for one input and ",
         entry.shape().text(), " for another; they do not fit into one file");
  }
  Tensor tensor(entries[0].dtype(), shape);
  const int64_t outer = first.count(0, port.batch_axis);
  const int64_t inner_bytes = first.count(port.batch_axis, first.rank()) * size_of(tensor.dtype());
  char* to = tensor.as<char>();
  for (int64_t o = 0; o < outer && inner_bytes > 0; ++o) {
    for (const Tensor& entry : entries) {
      std::memcpy(to, entry.as<char>() + o * inner_bytes, static_cast<std::size_t>(inner_bytes));
      to += inner_bytes;
    }
  }
  return tensor;
}

}  // namespace

std::string file_name_for(std::string_view output) {
  std::string name;
  for (const char c : output.substr(0, 200)) {
    const bool is_plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
    name += is_plain ? c : '_';
  }
  if (name.empty() || name[0] == '.' || name[0] == '-') name = concat("_", name);
  return name;
}

OutputFiles::OutputFiles(const Signature& signature, std::string file, std::string folder)
    : signature_(signature), file_(std::move(file)), folder_(std::move(folder)), kept_(signature.outputs.size()) {
  if (!file_.empty() && kept_.size() != 1) {
    fail(Code::kUsage, "the model has ", kept_.size(), " outputs; use --output-dir DIR");
  }
}

void OutputFiles::add(std::vector<Result>& results) {
  if (!is_wanted()) return;
  ++runs_;
  for (Result& result : results) {
    for (std::size_t i = 0; i < kept_.size(); ++i) kept_[i].push_back(std::move(result.outputs[i]));
  }
}

void OutputFiles::finish() {
  if (!is_wanted() || kept_.empty() || kept_[0].empty()) return;
  if (!folder_.empty()) {
    std::error_code error;
    std::filesystem::create_directories(folder_, error);
    if (error) fail(Code::kIo, "cannot make folder ", quote(folder_, 400), ": ", error.message());
  }
  std::set<std::string> names;
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    const OutputPort& port = signature_.outputs[i];
    const Tensor& first = kept_[i][0];
    const bool is_cut = port.batch_axis >= 0 && first.shape().rank() + 1 == static_cast<int>(port.info.dims.size());
    if (!is_cut && runs_ > 1) {
      fail(Code::kInput, "output ", quote(port.info.name), " has no batch dimension; run the inputs one by one");
    }
    const std::string bytes = is_cut ? npy_bytes(stacked(port, kept_[i]).view()) : npy_bytes(first.view());
    std::string name = file_name_for(port.info.name);
    while (!names.insert(name).second) name += '_';
    write_file(file_.empty() ? (std::filesystem::path(folder_) / (name + ".npy")).string() : file_, bytes);
  }
}

}  // namespace slipway::infer
