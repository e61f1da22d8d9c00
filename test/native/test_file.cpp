#include "core/file.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "core/mapped_file.h"
#include "core/read_ahead.h"
#include "hotcold/memory.h"
#include "test.h"

#if !defined(_WIN32)
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace hotpath::test {

namespace {

std::string temporary(const std::string& name) {
  return (std::filesystem::temp_directory_path() / ("hotpath-file-" + name)).string();
}

std::string code_of_open(const std::string& path) {
  const auto file = ReadFile::open(path);
  return file ? "ok" : error_code_text(file.error().code);
}

}  // namespace

TEST(file, reads_at_any_offset_and_not_beyond_the_end) {
  const auto file = ReadFile::open(__FILE__);
  EXPECT(file);
  char bytes[8];
  EXPECT(file->read_at(1, bytes, 7));
  EXPECT_EQ(std::string(bytes, 7), "include");
  EXPECT(!file->read_at(file->size() - 3, bytes, 4));
  EXPECT(!file->read_at(UINT64_MAX / 2, bytes, 1));
}

TEST(file, refuses_directories_and_missing_files) {
  EXPECT_EQ(code_of_open(std::filesystem::temp_directory_path().string()), "file/unreadable");
  EXPECT_EQ(code_of_open(temporary("missing")), "model/not-found");
}

TEST(file, is_read_again_where_its_mapping_was_let_go) {
  const auto file = MappedFile::open(HOTPATH_STARTER_MODEL);
  EXPECT(file);
  const std::vector<uint8_t> before(file->bytes().begin(), file->bytes().end());
  for (const size_t at : {size_t{0}, size_t{1}, size_t{4095}, size_t{100'000}}) {
    for (const size_t n : {size_t{1}, size_t{5000}, before.size() - at}) hotcold::let_go_of_mapped_file(file->bytes().data() + at, n);
    EXPECT(std::memcmp(file->bytes().data(), before.data(), before.size()) == 0);
  }
}

#if defined(__linux__)

TEST(file, is_read_ahead_in_pieces_until_somebody_says_stop) {
  const std::string path = temporary("read-ahead");
  std::ofstream(path, std::ios::binary).close();
  std::filesystem::resize_file(path, 150'000'000);
  std::vector<uint64_t> told;
  read_ahead(path, [&](uint64_t bytes) {
    told.push_back(bytes);
    return true;
  });
  EXPECT(told.size() > 1);
  EXPECT(std::is_sorted(told.begin(), told.end()));
  EXPECT_EQ(told.back(), 150'000'000u);
  size_t n = 0;
  read_ahead(path, [&](uint64_t) { return ++n < 2; });
  EXPECT_EQ(n, 2u);
  std::filesystem::remove(path);
  read_ahead(path, [](uint64_t) -> bool { throw Failure("told of a file that is not there"); });
}

#endif

#if !defined(_WIN32)

TEST(file, does_not_wait_for_the_writer_of_a_pipe) {
  const std::string path = temporary("pipe");
  EXPECT(::mkfifo(path.c_str(), 0600) == 0);
  const std::string code = code_of_open(path);
  ::unlink(path.c_str());
  EXPECT_EQ(code, "file/unreadable");
}

TEST(file, is_locked_for_others_while_its_process_lives) {
  const std::string path = temporary("lock-" + std::to_string(::getpid()));
  const auto lock = lock_file_for_process_life(path);
  EXPECT(lock && *lock);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto second = lock_file_for_process_life(path);
    ::_exit(second && !*second ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  ::unlink(path.c_str());
  EXPECT_EQ(status, 0);
}

#endif

}  // namespace hotpath::test
