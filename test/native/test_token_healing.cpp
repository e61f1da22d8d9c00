#include "llama/token_healing.h"

#include <cmath>

#include "engine/engine.h"
#include "starter.h"

namespace hotpath::test {

namespace {

/// Text of a greedy line at the end of the prefix.
std::string line_after(const std::string& prefix, const std::string& suffix) {
  GenerateParams params = params_for(prefix, suffix, 16);
  params.max_lines = 1;
  const auto result = load_starter()->generate(params);
  EXPECT(result);
  return result->text;
}

const std::string kConstructor = "class Rectangle:\n    def __init__(self, width, height):\n        self.width = width\n";
const std::string kAfterConstructor = "\n\n    def area(self):\n        return self.width * self.height\n";

}  // namespace

TEST(token_healing, finds_the_line_after_an_indentation) {
  EXPECT_EQ(line_after(kConstructor + "        ", kAfterConstructor), "self.height = height");
}

TEST(token_healing, finds_the_same_line_wherever_a_token_is_cut) {
  const std::string line = "self.height = height";
  for (const size_t n : {2, 4, 5, 11, 13}) {
    EXPECT_EQ(line_after(kConstructor + "        " + line.substr(0, n), kAfterConstructor), line.substr(n));
  }
}

TEST(token_healing, repeats_nothing_of_the_prefix_at_the_start_of_a_line) {
  const std::string text = line_after("import os\nimport ", "");
  EXPECT(!text.empty());
  EXPECT(text.front() != ' ');
}

TEST(token_healing, takes_nothing_back_without_a_prefix) {
  TokenHealing healing("");
  EXPECT(healing.done());
  EXPECT_EQ(healing.take("abc"), "abc");
}

TEST(token_healing, gives_the_bytes_beyond_the_text) {
  TokenHealing healing("    ");
  EXPECT_EQ(healing.take("   "), "");
  EXPECT(!healing.done());
  EXPECT_EQ(healing.take(" self"), "self");
  EXPECT(healing.done());
}

}  // namespace hotpath::test
