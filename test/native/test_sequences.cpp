#include "llama/sequences.h"

#include "test.h"

namespace hotpath::test {

namespace {

std::vector<Token> numbers(Token from, Token to) {
  std::vector<Token> tokens;
  for (Token token = from; token < to; ++token) tokens.push_back(token);
  return tokens;
}

/// Uses the table as the generator does: keep what is reused, compute the rest.
SequenceTable::Choice complete(SequenceTable& table, const std::string& key, const std::vector<Token>& prompt) {
  const auto choice = table.choose(key, prompt);
  table.truncate(choice.index, choice.reuse);
  table.append(choice.index, std::span(prompt).subspan(choice.reuse));
  return choice;
}

}  // namespace

TEST(sequences, continue_the_document_they_served_before) {
  SequenceTable table(4);
  complete(table, "a", numbers(0, 100));
  complete(table, "b", numbers(500, 600));
  const auto again = complete(table, "a", numbers(0, 110));
  EXPECT_EQ(again.index, 0);
  EXPECT_EQ(again.reuse, 100u);
}

TEST(sequences, compute_at_least_the_last_token) {
  SequenceTable table(2);
  complete(table, "a", numbers(0, 100));
  EXPECT_EQ(table.choose("a", numbers(0, 100)).reuse, 99u);
}

TEST(sequences, share_a_long_common_prefix_with_a_new_document) {
  SequenceTable table(4);
  complete(table, "a", numbers(0, 100));
  const auto other = table.choose("b", numbers(0, 150));
  EXPECT_EQ(other.index, 0);
  EXPECT_EQ(other.reuse, 100u);
}

TEST(sequences, take_an_empty_one_rather_than_a_short_common_prefix) {
  SequenceTable table(4);
  complete(table, "a", numbers(0, 100));
  const auto other = table.choose("b", numbers(0, 300));
  EXPECT_EQ(other.index, 1);
  EXPECT_EQ(other.reuse, 0u);
}

TEST(sequences, give_up_the_one_used_longest_ago) {
  SequenceTable table(4);
  for (int document = 0; document < 4; ++document) {
    complete(table, std::to_string(document), numbers(document * 1000, document * 1000 + 50));
  }
  complete(table, "0", numbers(0, 60));
  EXPECT_EQ(complete(table, "new", numbers(9000, 9050)).index, 1);
  EXPECT_EQ(complete(table, "0", numbers(0, 70)).reuse, 60u);
}

TEST(sequences, take_a_cleared_one_before_giving_one_up) {
  SequenceTable table(2);
  complete(table, "a", numbers(0, 50));
  complete(table, "b", numbers(100, 150));
  table.truncate(1, 0);
  EXPECT_EQ(table.choose("c", numbers(200, 250)).index, 1);
}

}  // namespace hotpath::test
