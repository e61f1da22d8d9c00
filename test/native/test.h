// The tests' own few lines of framework: TEST(unit, outcome), EXPECT, EXPECT_EQ, SKIP.
#pragma once

#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace hotpath::test {

struct Case {
  const char* unit;
  const char* outcome;
  std::function<void()> body;
};

std::vector<Case>& cases();

struct Registration {
  Registration(const char* unit, const char* outcome, std::function<void()> body) {
    cases().push_back({unit, outcome, std::move(body)});
  }
};

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Skipped : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <typename T>
std::string show(const T& value) {
  std::ostringstream out;
  if constexpr (requires { out << value; }) {
    out << value;
  } else if constexpr (requires { value.begin(); }) {
    out << "[";
    for (const auto& item : value) out << show(item) << " ";
    out << "]";
  } else {
    out << "(" << sizeof(T) << " bytes)";
  }
  return out.str();
}

template <typename A, typename B>
void expect_equal(const A& actual, const B& expected, const char* text, const char* file, int line) {
  if (actual == expected) return;
  throw Failure(std::string(file) + ":" + std::to_string(line) + ": " + text + "\n    is       " + show(actual) +
                "\n    expected " + show(expected));
}

}  // namespace hotpath::test

#define TEST(unit, outcome) \
  static void unit##_##outcome(); \
  static const hotpath::test::Registration unit##_##outcome##_registration(#unit, #outcome, unit##_##outcome); \
  static void unit##_##outcome()

#define EXPECT(condition) \
  do { \
    if (!(condition)) { \
      throw hotpath::test::Failure(std::string(__FILE__) + ":" + std::to_string(__LINE__) + ": " #condition); \
    } \
  } while (false)

#define EXPECT_EQ(actual, expected) hotpath::test::expect_equal(actual, expected, #actual, __FILE__, __LINE__)

#define SKIP(reason) throw hotpath::test::Skipped(reason)
