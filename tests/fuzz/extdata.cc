// Data beside a model, in a folder made once: what is read lies inside of it. Lines are key=value, as external_data has
// them; all that may be read holds the letter i, all that may not the letter o.
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "folder.h"
#include "fuzz.h"
#include "onnx_writer.h"
#include "parse/external.h"

namespace slipway::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSize = 24;  // bytes of every file

class Folder {
 public:
  Folder() {
    fs::create_directories(model() / "deep" / "er");
    for (const char* name : {"w", "deep/w", "deep/er/w.bin"}) std::ofstream(model() / name) << std::string(kSize, 'i');
    fs::create_directories(root_.path() / "other");
    for (const char* name : {"w", "other/w"}) std::ofstream(root_.path() / name) << std::string(kSize, 'o');
    fs::create_symlink("../w", model() / "link");
    fs::create_symlink("w", model() / "self");
    fs::create_directory_symlink("../other", model() / "up");
    fs::create_hard_link(root_.path() / "other" / "w", model() / "hard");
    if (mkfifo((model() / "pipe").c_str(), 0600) != 0) report("cannot make a pipe");
  }

  [[nodiscard]] fs::path model() const { return root_.path() / "model"; }

 private:
  TemporaryFolder root_{"fuzz-extdata"};
};

std::vector<std::string> seeds() {
  std::vector<std::string> all = {"location=w\noffset=0\nlength=24", "location=deep/er/w.bin\noffset=8\nlength=16",
                                  "location=deep/w\nchecksum=0\nlength=1\noffset=23"};
  for (const char* name : {"../w", "/etc/hostname", "link", "up/w", "hard", "pipe", "deep", "deep/../../w", "self"}) {
    all.push_back("location=" + std::string(name));
  }
  return all;
}

std::vector<std::string> words() {
  return {"location=", "offset=", "length=", "\n",   "../",  "./",   "/",
          "deep",      "er/",     "w.bin",   "link", "self", "up/w", std::string(1, '\0'),
          "hard",      "pipe",    "-1",      "23",   "24",   "25",   "9223372036854775807"};
}

std::vector<std::string> entries_of(std::string_view text) {
  std::vector<std::string> entries;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t equals = std::min(line.find('='), line.size());
    check::Message entry;
    entry.text(1, line.substr(0, equals)).text(2, line.substr(std::min(equals + 1, line.size())));
    entries.push_back(entry.bytes);
  }
  return entries;
}

void read(std::string_view text) {
  static const Folder folder;
  static const ExternalFiles files(folder.model().string());
  const std::vector<std::string> entries = entries_of(text);
  std::vector<Bytes> views;
  for (const std::string& entry : entries) views.push_back(std::as_bytes(std::span(entry)));
  bool is_read = false;
  for (const int64_t count : {kSize, int64_t{16}, int64_t{1}, int64_t{0}, int64_t{1} << 40}) {
    is_read = succeeds([&] {
                const Tensor tensor = files.read(views, DType::kUint8, {count});
                const auto* bytes = tensor.as<uint8_t>();
                if (!std::all_of(bytes, bytes + count, [](uint8_t byte) { return byte == 'i'; })) {
                  report("what lies outside of the model's folder is read");
                }
              }) ||
              is_read;
  }
  tally.read += is_read ? 1 : 0;
}

}  // namespace

const Target kTarget{"extdata", Form::kText, 512, &seeds, &words};

}  // namespace slipway::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  slipway::fuzz::read(slipway::fuzz::text_of(data, size));
  return 0;
}
