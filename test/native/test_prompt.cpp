#include "llama/prompt.h"

#include "test.h"

namespace hotpath::test {

namespace {

const std::vector<Token> kPrefix = {10, 11, 12};
const std::vector<Token> kSuffix = {20, 21};

std::vector<Token> assembled(FimOrder order, Token middle = 3, Token begin = kNoToken) {
  return assemble_prompt({order, "", 1, 2, middle}, begin, kPrefix, kSuffix);
}

bool operator==(const PromptCut& a, const PromptCut& b) {
  return a.prefix_begin == b.prefix_begin && a.suffix_end == b.suffix_end;
}

}  // namespace

TEST(prompt, puts_the_parts_in_the_order_of_the_model) {
  EXPECT_EQ(assembled(FimOrder::psm), (std::vector<Token>{1, 10, 11, 12, 2, 20, 21, 3}));
  EXPECT_EQ(assembled(FimOrder::spm), (std::vector<Token>{2, 20, 21, 1, 10, 11, 12, 3}));
  EXPECT_EQ(assembled(FimOrder::spm2), (std::vector<Token>{1, 2, 20, 21, 3, 10, 11, 12}));
  EXPECT_EQ(assembled(FimOrder::prefix), (std::vector<Token>{10, 11, 12}));
}

TEST(prompt, leaves_out_the_middle_token_when_there_is_none) {
  EXPECT_EQ(assembled(FimOrder::spm, kNoToken), (std::vector<Token>{2, 20, 21, 1, 10, 11, 12}));
}

TEST(prompt, begins_with_the_token_the_vocabulary_asks_for) {
  EXPECT_EQ(assembled(FimOrder::psm, 3, 99).front(), 99);
  EXPECT_EQ(prompt_overhead({FimOrder::psm, "", 1, 2, 3}, 99), 4u);
  EXPECT_EQ(prompt_overhead({FimOrder::spm, "", 1, 2, kNoToken}, kNoToken), 2u);
}

TEST(prompt, keeps_everything_that_fits) { EXPECT(cut_prompt(60, 40, 100) == (PromptCut{0, 40})); }

TEST(prompt, keeps_the_end_of_the_prefix_and_the_start_of_the_suffix) {
  const PromptCut cut = cut_prompt(1000, 1000, 400);
  EXPECT(cut.suffix_end == 100);
  EXPECT(1000 - cut.prefix_begin <= 300);
  EXPECT(1000 - cut.prefix_begin > 300 - 75);
}

TEST(prompt, gives_what_one_side_leaves_to_the_other) {
  EXPECT(cut_prompt(1000, 20, 400).suffix_end == 20);
  EXPECT(1000 - cut_prompt(1000, 20, 400).prefix_begin > 280);
  EXPECT(cut_prompt(50, 1000, 400).prefix_begin == 0);
  EXPECT(cut_prompt(50, 1000, 400).suffix_end >= 400 - 75);
}

TEST(prompt, never_exceeds_the_budget) {
  for (size_t budget = 0; budget < 60; ++budget) {
    for (size_t prefix = 0; prefix < 100; prefix += 3) {
      for (size_t suffix = 0; suffix < 100; suffix += 7) {
        const PromptCut cut = cut_prompt(prefix, suffix, budget);
        EXPECT(cut.prefix_begin <= prefix && cut.suffix_end <= suffix);
        EXPECT(prefix - cut.prefix_begin + cut.suffix_end <= budget);
      }
    }
  }
}

TEST(prompt, keeps_its_cuts_in_place_while_the_user_types) {
  // 100 keystrokes over a budget of 400 may move each cut at most twice: every move costs a whole prefill.
  for (const size_t start : {size_t{200}, size_t{5000}}) {
    int moves = 0;
    PromptCut last = cut_prompt(start, 1000, 400);
    for (size_t typed = 1; typed <= 100; ++typed) {
      const PromptCut cut = cut_prompt(start + typed, 1000, 400);
      if (!(cut == last)) ++moves;
      last = cut;
    }
    EXPECT(moves <= 5);
  }
}

TEST(prompt, cuts_long_text_between_characters) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "\u20ac";
  for (size_t budget = 1; budget < 20; ++budget) {
    EXPECT_EQ(relevant_prefix(text, budget).size() % 3, 0u);
    EXPECT_EQ(relevant_suffix(text, budget).size() % 3, 0u);
  }
}

TEST(prompt, cuts_long_text_at_the_same_place_while_the_user_types) {
  std::string text(100000, 'x');
  const size_t begin = text.size() - relevant_prefix(text, 100).size();
  int moves = 0;
  for (int typed = 0; typed < 100; ++typed) {
    text += 'y';
    if (text.size() - relevant_prefix(text, 100).size() != begin) ++moves;
  }
  EXPECT(moves == 0 || text.size() - relevant_prefix(text, 100).size() - begin == 200);
}

}  // namespace hotpath::test
