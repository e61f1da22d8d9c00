#include "llama/model_file.h"

#include <filesystem>
#include <fstream>

#include "gguf_builder.h"
#include "test.h"

namespace hotpath::test {

namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kTokens = {"a", "b"};

std::string code_of(const GgufBuilder& builder) {
  const std::string bytes = builder.bytes();
  const auto model = read_model_source(memory_source(bytes));
  return model ? "ok" : error_code_text(model.error().code);
}

/// A folder of its own that goes away with the test.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("hotpath-split-" + std::to_string(reinterpret_cast<uintptr_t>(this)))) {
    fs::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;  // nothing depends on it
    fs::remove_all(path_, ignored);
  }
  std::string write(const std::string& name, const std::string& bytes) const {
    const fs::path file = path_ / name;
    std::ofstream(file, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return file.string();
  }

 private:
  fs::path path_;
};

GgufBuilder part(uint32_t index, uint32_t count) { return GgufBuilder().u32("split.no", index).u32("split.count", count); }

}  // namespace

TEST(model_file, adds_up_weights_and_kv_by_layer) {
  const std::string bytes = GgufBuilder().model(kTokens).u32("toy.attention.head_count_kv", 1).bytes();
  const auto model = read_model_source(memory_source(bytes));
  EXPECT(model);
  EXPECT_EQ(model->metadata.parameter_count, 24u);
  EXPECT_EQ(model->shape.layer_bytes, (std::vector<uint64_t>{32, 32}));
  EXPECT_EQ(model->shape.other_bytes, 32u);
  // One head of width 4, keys and values, two bytes each.
  EXPECT_EQ(model->shape.layer_kv_per_token, (std::vector<uint64_t>{16, 16}));
}

TEST(model_file, says_by_which_method_its_weights_were_compressed) {
  const auto method_of = [](const GgufBuilder& builder) {
    const std::string bytes = builder.bytes();
    return read_model_source(memory_source(bytes))->metadata.method.value_or("none");
  };
  EXPECT_EQ(method_of(GgufBuilder().model(kTokens).text("hotpath.method", "GPTQ")), "GPTQ");
  EXPECT_EQ(method_of(GgufBuilder().model(kTokens)), "none");
}

TEST(model_file, names_an_unnamed_model_after_its_file) {
  const std::string bytes = GgufBuilder().model(kTokens).bytes();
  EXPECT_EQ(read_model_source(memory_source(bytes))->metadata.name, "memory.gguf");
}

TEST(model_file, refuses_hyperparameters_that_are_missing_or_absurd) {
  EXPECT_EQ(code_of(GgufBuilder().tensor("w", {1})), "model/corrupt");
  EXPECT_EQ(code_of(GgufBuilder().text("general.architecture", "toy").tensor("w", {1})), "model/corrupt");
  EXPECT_EQ(code_of(GgufBuilder().model({})), "model/corrupt");
  EXPECT_EQ(code_of(GgufBuilder().model(kTokens).u32("toy.attention.key_length", 0xFFFFFFFF)), "model/corrupt");
  EXPECT_EQ(code_of(GgufBuilder().model(kTokens)), "ok");
}

TEST(model_file, reads_all_parts_of_a_split_model) {
  const Folder folder;
  const std::string first = folder.write("m-00001-of-00002.gguf", part(0, 2).model(kTokens).bytes());
  const std::string second = folder.write("m-00002-of-00002.gguf", part(1, 2).tensor("blk.1.more", {8}).bytes());
  const auto model = read_model_file(first);
  EXPECT(model);
  EXPECT_EQ(model->metadata.file_bytes, fs::file_size(first) + fs::file_size(second));
  EXPECT_EQ(model->metadata.parameter_count, 32u);
}

TEST(model_file, names_the_part_that_is_missing) {
  const Folder folder;
  const auto model = read_model_file(folder.write("m-00001-of-00002.gguf", part(0, 2).model(kTokens).bytes()));
  EXPECT(!model);
  EXPECT_EQ(std::string(error_code_text(model.error().code)), "model/not-found");
  EXPECT(model.error().message.find("m-00002-of-00002.gguf") != std::string::npos);
}

TEST(model_file, asks_for_the_first_part) {
  const Folder folder;
  const auto model = read_model_file(folder.write("m-00002-of-00002.gguf", part(1, 2).model(kTokens).bytes()));
  EXPECT(!model);
  EXPECT_EQ(std::string(error_code_text(model.error().code)), "model/unsupported");
  EXPECT(model.error().message.find("-00001-of-00002.gguf") != std::string::npos);
}

}  // namespace hotpath::test
