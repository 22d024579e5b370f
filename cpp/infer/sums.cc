#include "infer/sums.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/error.h"
#include "infer/files.h"
#include "infer/sha256.h"
#include "infer/utf8.h"

namespace slipway::infer {

namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxSumsBytes = 16 << 20;
constexpr std::size_t kMaxFaults = 10;

struct Sum {
  std::string digest;
  std::string name;
};

constexpr std::string_view kRequired[] = {"model.onnx", "report.json", "goldens/index.json"};

/// A line of sha256sum: 64 digits, two spaces, the name.
bool parse_line(std::string_view line, Sum& sum) {
  if (line.size() < 67 || line[64] != ' ' || line[65] != ' ') return false;
  sum.digest = line.substr(0, 64);
  sum.name = line.substr(66);
  const bool is_name = sum.name.find('\\') == std::string::npos && sum.name.back() != '/' && is_utf8(sum.name);
  return is_name && sum.digest.find_first_not_of("0123456789abcdef") == std::string::npos;
}

bool is_inside(const fs::path& folder, const std::string& name) {
  const fs::path path(name);
  if (path.is_absolute() || std::find(path.begin(), path.end(), "..") != path.end()) return false;
  // By what the name leads to, not by its look: a link may point anywhere.
  std::error_code error;
  const fs::path base = fs::canonical(folder, error);
  if (error) return false;
  fs::path target;
  try {
    target = fs::weakly_canonical(folder / path);
  } catch (const fs::filesystem_error&) {  // it also throws where it is given an error code: names that are too long
    return false;
  }
  return std::mismatch(base.begin(), base.end(), target.begin(), target.end()).first == base.end();
}

std::string read_sums(const std::string& file) {
  try {
    return read_file(file, kMaxSumsBytes);
  } catch (const Error& error) {
    throw Error(Code::kDamaged, error.message());
  }
}

std::string fault_of(const fs::path& bundle, const Sum& sum) {
  if (!is_inside(bundle, sum.name)) return quote(sum.name) + " leads out of the bundle";
  std::error_code error;
  if (fs::is_symlink(bundle / sum.name, error)) return quote(sum.name) + " is a link, and a bundle holds none";
  if (!fs::is_regular_file(bundle / sum.name, error)) return quote(sum.name) + " is missing";
  try {
    const std::string digest = sha256_hex(read_file((bundle / sum.name).string()));
    return digest == sum.digest ? "" : quote(sum.name) + " differs from its checksum";
  } catch (const Error& failure) {
    return failure.message();
  }
}

}  // namespace

std::set<std::string> check_sums(const std::string& bundle) {
  std::error_code error;
  const fs::path file = fs::path(bundle) / "SHA256SUMS";
  if (!fs::is_regular_file(file, error)) fail(Code::kDamaged, "bundle ", quote(bundle, 400), " has no SHA256SUMS");
  const std::string text = read_sums(file.string());
  std::set<std::string> listed;
  std::vector<std::string> faults;
  int64_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    Sum sum;
    ++number;
    if (!parse_line(std::string_view(text).substr(at, end - at), sum)) {
      faults.push_back(concat("line ", number, " of SHA256SUMS is not a checksum"));
    } else if (!listed.insert(sum.name).second) {
      faults.push_back(quote(sum.name) + " is listed twice");
    } else if (std::string fault = fault_of(bundle, sum); !fault.empty()) {
      faults.push_back(std::move(fault));
    }
    at = end + 1;
  }
  for (const std::string_view name : kRequired) {
    if (!listed.contains(std::string(name))) faults.push_back(concat("SHA256SUMS does not list ", quote(name)));
  }
  if (faults.empty()) return listed;
  std::string message = concat("bundle ", quote(bundle, 400), " is damaged: ");
  for (std::size_t i = 0; i < std::min(faults.size(), kMaxFaults); ++i) message += (i > 0 ? "; " : "") + faults[i];
  if (faults.size() > kMaxFaults) message += concat("; and ", faults.size() - kMaxFaults, " more");
  throw Error(Code::kDamaged, message);
}

std::string listed_file(const std::string& bundle, const std::set<std::string>& listed, const std::string& folder,
                        const std::string& name) {
  const std::string relative = folder.empty() ? name : folder + "/" + name;
  if (!listed.contains(relative)) fail(Code::kDamaged, "SHA256SUMS does not list ", quote(relative, 400));
  return (fs::path(bundle) / relative).string();
}

}  // namespace slipway::infer
