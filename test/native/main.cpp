// Runs all tests, or those whose name contains the argument. The last line counts them.
#include <chrono>
#include <cstdio>
#include <cstring>

#include "test.h"

namespace hotpath::test {

std::vector<Case>& cases() {
  static std::vector<Case> all;
  return all;
}

namespace {

enum class Outcome { passed, failed, skipped };

Outcome run(const Case& test) {
  try {
    test.body();
    return Outcome::passed;
  } catch (const Skipped& skipped) {
    std::printf("skipped %s %s: %s\n", test.unit, test.outcome, skipped.what());
    return Outcome::skipped;
  } catch (const std::exception& failure) {
    std::printf("FAILED  %s %s\n    %s\n", test.unit, test.outcome, failure.what());
    return Outcome::failed;
  }
}

}  // namespace

}  // namespace hotpath::test

int main(int argc, char** argv) {
  using namespace hotpath::test;
  int counts[3] = {};
  for (const Case& test : cases()) {
    const std::string name = std::string(test.unit) + " " + test.outcome;
    if (argc > 1 && name.find(argv[1]) == std::string::npos) continue;
    const auto started = std::chrono::steady_clock::now();
    const Outcome outcome = run(test);
    ++counts[static_cast<int>(outcome)];
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    if (outcome == Outcome::passed) std::printf("ok      %s (%.2f s)\n", name.c_str(), seconds);
    std::fflush(stdout);
  }
  std::printf("%d passed, %d failed, %d skipped\n", counts[0], counts[1], counts[2]);
  return counts[1] == 0 && counts[0] > 0 ? 0 : 1;
}
