#include "llama/stop_rules.h"

#include "test.h"

namespace hotpath::test {

namespace {

using State = TextFilter::State;

/// What is shown for each piece, then what finish() adds, joined by "|".
std::string shown(TextFilter filter, const std::vector<std::string>& pieces, State* state = nullptr) {
  std::string all;
  for (const std::string& piece : pieces) all += filter.push(piece) + "|";
  all += filter.finish();
  if (state) *state = filter.state();
  return all;
}

}  // namespace

TEST(text_filter, shows_text_as_it_comes) { EXPECT_EQ(shown({{}, 0}, {"ab", "c\n", "d"}), "ab|c\n|d|"); }

TEST(text_filter, ends_before_the_nth_line_feed) {
  State state;
  EXPECT_EQ(shown({{}, 1}, {"a", "b\nc", "d"}, &state), "a|b||");
  EXPECT(state == State::lines);
  EXPECT_EQ(shown({{}, 3}, {"a\nb", "\n", "c\n\n"}), "a\nb|\n|c|");
  EXPECT_EQ(shown({{}, 1}, {"\nx"}), "|");
}

TEST(text_filter, ends_before_a_stop_string_within_one_piece) {
  State state;
  EXPECT_EQ(shown({{"END"}, 0}, {"abEND cd"}, &state), "ab|");
  EXPECT(state == State::stop);
}

TEST(text_filter, finds_a_stop_string_that_spans_pieces) {
  EXPECT_EQ(shown({{"\n\n"}, 0}, {"a\n", "\nb"}), "a||");
  EXPECT_EQ(shown({{"abcd"}, 0}, {"xa", "b", "cd!"}), "x|||");
}

TEST(text_filter, releases_what_turned_out_not_to_be_a_stop_string) {
  EXPECT_EQ(shown({{"abcd"}, 0}, {"xab", "x"}), "x|abx|");
  EXPECT_EQ(shown({{"aab"}, 0}, {"aa", "aab"}), "|aa|");
}

TEST(text_filter, shows_at_the_end_what_only_began_a_stop_string) { EXPECT_EQ(shown({{"abcd"}, 0}, {"xab"}), "x|ab"); }

TEST(text_filter, takes_the_earliest_of_several_rules) {
  State state;
  EXPECT_EQ(shown({{"zz", "b"}, 2}, {"ab\nzz"}, &state), "a|");
  EXPECT(state == State::stop);
  EXPECT_EQ(shown({{"zz"}, 1}, {"ab\nzz"}, &state), "ab|");
  EXPECT(state == State::lines);
}

TEST(text_filter, never_splits_a_character) {
  EXPECT_EQ(shown({{}, 0}, {"a\xE2", "\x82", "\xAC!"}), "a||\u20ac!|");
  EXPECT_EQ(shown({{}, 0}, {"\xF0\x9F", "\x98\x80"}), "|\U0001F600|");
}

TEST(text_filter, replaces_what_is_no_character) {
  EXPECT_EQ(shown({{}, 0}, {"a\xFF" "b"}), "a\uFFFD" "b|");
  EXPECT_EQ(shown({{}, 0}, {"a\xE2\x82"}), "a|\uFFFD");
}

TEST(text_filter, holds_back_no_more_than_a_stop_string_needs) {
  TextFilter filter({"\n\n\n"}, 0);
  EXPECT_EQ(filter.push("x\n\n"), "x");
  EXPECT_EQ(filter.push("y"), "\n\ny");
}

}  // namespace hotpath::test
