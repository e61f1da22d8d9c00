// A folder that goes with the test.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

namespace hotpath::test {

class TemporaryFolder {
 public:
  TemporaryFolder() : path_(std::filesystem::temp_directory_path() / name()) { std::filesystem::create_directory(path_); }
  ~TemporaryFolder() {
    std::error_code ignored;  // nothing depends on it
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;

  std::string file(const std::string& name) const { return (path_ / name).string(); }
  size_t count() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(path_), std::filesystem::directory_iterator()));
  }

 private:
  static std::string name() {
    static int counter = 0;
    const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
    return "hotpath-test-" + std::to_string(now) + "-" + std::to_string(++counter);
  }
  std::filesystem::path path_;
};

}  // namespace hotpath::test
