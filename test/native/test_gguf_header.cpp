#include "formats/gguf_header.h"

#include "gguf_builder.h"
#include "test.h"

namespace hotpath::test {

namespace {

std::string code_of(const std::string& bytes) {
  const auto header = read_gguf_header(memory_source(bytes));
  return header ? "" : error_code_text(header.error().code);
}

std::string little_endian(uint64_t value) { return std::string(reinterpret_cast<const char*>(&value), sizeof value); }

std::string little_endian(uint32_t value) { return std::string(reinterpret_cast<const char*>(&value), sizeof value); }

}  // namespace

TEST(gguf_header, reads_keys_and_tensors) {
  const std::string bytes = GgufBuilder().text("a.name", "x").u32("a.count", 7).tensor("w", {4, 3}).bytes();
  const auto header = read_gguf_header(memory_source(bytes));
  EXPECT(header);
  EXPECT_EQ(*header->text("a.name"), "x");
  EXPECT_EQ(header->count("a.count").value(), 7u);
  EXPECT_EQ(header->tensors.size(), 1u);
  EXPECT_EQ(header->tensors[0].elements(), 12u);
  EXPECT_EQ(header->tensors[0].bytes, 48u);
}

TEST(gguf_header, gives_nothing_for_a_key_of_another_type) {
  const std::string bytes = GgufBuilder().text("name", "x").u32("count", 7).bytes();
  const auto header = read_gguf_header(memory_source(bytes));
  EXPECT(header);
  EXPECT(!header->text("count"));
  EXPECT(!header->count("name"));
  EXPECT(!header->array("name"));
}

TEST(gguf_header, refuses_what_is_not_gguf) {
  EXPECT_EQ(code_of(""), "model/not-gguf");
  EXPECT_EQ(code_of("GGU"), "model/not-gguf");
  EXPECT_EQ(code_of("PK\x03\x04 some archive"), "model/not-gguf");
}

TEST(gguf_header, refuses_other_versions_by_number) {
  std::string bytes = GgufBuilder().bytes();
  bytes[4] = 9;
  EXPECT_EQ(code_of(bytes), "model/unsupported");
  bytes[4] = 1;
  EXPECT_EQ(code_of(bytes), "model/unsupported");
}

TEST(gguf_header, says_the_sizes_when_data_is_cut) {
  std::string bytes = GgufBuilder().tensor("w", {1024}).bytes();
  bytes.resize(bytes.size() - 1000);
  const auto header = read_gguf_header(memory_source(bytes));
  EXPECT(!header);
  EXPECT_EQ(std::string(error_code_text(header.error().code)), "model/corrupt");
  EXPECT(header.error().message.find(std::to_string(bytes.size())) != std::string::npos);
}

TEST(gguf_header, refuses_counts_beyond_the_file) {
  const std::string huge = little_endian(uint64_t{1} << 60);
  EXPECT_EQ(code_of(GgufBuilder().raw("k", GGUF_TYPE_STRING, huge).bytes()), "model/corrupt");
  EXPECT_EQ(code_of(GgufBuilder().raw("k", GGUF_TYPE_ARRAY, little_endian(uint32_t{GGUF_TYPE_FLOAT64}) + huge).bytes()),
            "model/corrupt");
  EXPECT_EQ(code_of(GgufBuilder().raw("k", GGUF_TYPE_ARRAY, little_endian(uint32_t{GGUF_TYPE_STRING}) + huge).bytes()),
            "model/corrupt");
  std::string many_tensors = GgufBuilder().bytes();
  many_tensors.replace(8, 8, huge);
  EXPECT_EQ(code_of(many_tensors), "model/corrupt");
  std::string many_keys = GgufBuilder().bytes();
  many_keys.replace(16, 8, huge);
  EXPECT_EQ(code_of(many_keys), "model/corrupt");
}

TEST(gguf_header, refuses_nested_arrays_and_unknown_types) {
  EXPECT_EQ(code_of(GgufBuilder().raw("k", 99, "").bytes()), "model/corrupt");
  const std::string nested = little_endian(uint32_t{GGUF_TYPE_ARRAY}) + little_endian(uint64_t{0});
  EXPECT_EQ(code_of(GgufBuilder().raw("k", GGUF_TYPE_ARRAY, nested).bytes()), "model/corrupt");
}

TEST(gguf_header, refuses_the_same_name_twice) {
  EXPECT_EQ(code_of(GgufBuilder().u32("k", 1).u32("k", 2).bytes()), "model/corrupt");
  EXPECT_EQ(code_of(GgufBuilder().tensor("w", {1}).tensor("w", {1}).bytes()), "model/corrupt");
}

TEST(gguf_header, refuses_shapes_that_overflow_or_are_empty) {
  EXPECT_EQ(code_of(GgufBuilder().tensor("w", {int64_t{1} << 40, int64_t{1} << 40}).bytes().substr(0, 4096)), "model/corrupt");
  EXPECT_EQ(code_of(GgufBuilder().tensor("w", {-1}).bytes().substr(0, 4096)), "model/corrupt");
  EXPECT_EQ(code_of(GgufBuilder().tensor("w", {0}).bytes()), "model/corrupt");
}

TEST(gguf_header, refuses_quantised_rows_that_are_not_whole_blocks) {
  EXPECT_EQ(code_of(GgufBuilder().tensor("w", {33}, GGML_TYPE_Q8_0).bytes()), "model/corrupt");
}

TEST(gguf_header, refuses_an_alignment_that_is_no_power_of_two) {
  EXPECT_EQ(code_of(GgufBuilder().u32("general.alignment", 48).bytes()), "model/corrupt");
  EXPECT_EQ(code_of(GgufBuilder().u32("general.alignment", 0).bytes()), "model/corrupt");
}

}  // namespace hotpath::test
