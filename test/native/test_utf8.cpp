#include "core/utf8.h"

#include "test.h"

namespace hotpath::test {

TEST(utf8, keeps_valid_text) {
  const std::string text = "a\u00e9\u20ac\U0001F600";
  EXPECT_EQ(valid_utf8(text), text);
  EXPECT_EQ(complete_utf8_length(text), text.size());
}

TEST(utf8, counts_whole_characters_only) {
  EXPECT_EQ(complete_utf8_length("ab\xC3"), 2u);
  EXPECT_EQ(complete_utf8_length("ab\xE2\x82"), 2u);
  EXPECT_EQ(complete_utf8_length("ab\xF0\x9F\x98"), 2u);
  EXPECT_EQ(complete_utf8_length(""), 0u);
}

TEST(utf8, does_not_wait_for_bytes_that_cannot_complete_a_character) {
  EXPECT_EQ(complete_utf8_length("ab\xFF"), 3u);
  EXPECT_EQ(complete_utf8_length("ab\x80\x80\x80\x80"), 6u);
  EXPECT_EQ(complete_utf8_length("a\xE0\x80"), 3u);
}

TEST(utf8, replaces_overlong_forms_surrogates_and_stray_bytes) {
  EXPECT_EQ(valid_utf8("\xC0\xAF"), "\uFFFD\uFFFD");
  EXPECT_EQ(valid_utf8("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(valid_utf8("\xF4\x90\x80\x80").find("\uFFFD"), 0u);
  EXPECT_EQ(valid_utf8("a\x80" "b"), "a\uFFFD" "b");
  EXPECT_EQ(valid_utf8("\xE2\x82"), "\uFFFD");
}

}  // namespace hotpath::test
