// A folder of one process, for targets whose inputs are files; gone when the process ends.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

namespace slipway::fuzz {

class TemporaryFolder {
 public:
  explicit TemporaryFolder(std::string_view name)
      : root_(std::filesystem::temp_directory_path() / (std::string(name) + "-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(root_);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return root_; }

 private:
  std::filesystem::path root_;
};

}  // namespace slipway::fuzz
