// The checksums of a bundle, a folder made once: what is listed and right lies inside it.
#include "infer/sums.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "folder.h"
#include "fuzz.h"
#include "infer/sha256.h"

namespace slipway::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFiles[] = {"model.onnx", "report.json", "goldens/index.json", "empty"};

// A file outside and links to it lie beside the bundle and in it.
class Folder {
 public:
  Folder() {
    fs::create_directories(bundle() / "goldens");
    for (const std::string_view name : kFiles) std::ofstream(bundle() / name) << name.substr(0, name.size() % 6);
    std::ofstream(root_.path() / "outside") << "outside";
    fs::create_symlink("../outside", bundle() / "link");
    fs::create_directory_symlink("..", bundle() / "up");
  }

  [[nodiscard]] fs::path bundle() const { return root_.path() / "bundle"; }

 private:
  TemporaryFolder root_{"fuzz-sums"};
};

std::string line_of(std::string_view name, std::string_view content) {
  return infer::sha256_hex(content) + "  " + std::string(name) + "\n";
}

std::vector<std::string> seeds() {
  std::string all;
  for (const std::string_view name : kFiles) all += line_of(name, name.substr(0, name.size() % 6));
  return {all, all + line_of("link", "outside"), all + line_of("up/outside", "outside"),
          all + line_of("../outside", "outside"), all + line_of("/etc/hostname", "")};
}

std::vector<std::string> words() {
  return {"\n",   "  ",  "../",     "./",      "/",          "goldens/",
          "link", "up/", "outside", "goldens", "model.onnx", std::string(1, '\0')};
}

void read(std::string_view text) {
  static const Folder folder;
  std::ofstream(folder.bundle() / "SHA256SUMS", std::ios::binary) << text;
  for (const std::string& name : infer::check_sums(folder.bundle().string())) {
    const fs::path target = fs::canonical(folder.bundle() / name);
    const fs::path inside = fs::canonical(folder.bundle());
    if (std::mismatch(inside.begin(), inside.end(), target.begin(), target.end()).first != inside.end()) {
      report("a file outside the bundle is taken: " + quote(name));
    }
  }
}

}  // namespace

const Target kTarget{"sums", Form::kText, 2048, &seeds, &words};

}  // namespace slipway::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)slipway::fuzz::reads([&] { slipway::fuzz::read(slipway::fuzz::text_of(data, size)); });
  return 0;
}
