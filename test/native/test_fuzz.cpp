// Broken model files through the public surface: coded errors only, no crash, no hang, bounded memory.
// HOTPATH_FUZZ_ROUNDS multiplies the random part.
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "gguf_builder.h"
#include "llama/model_file.h"
#include "starter.h"

namespace hotpath::test {

namespace {

size_t rounds() {
  const char* text = std::getenv("HOTPATH_FUZZ_ROUNDS");
  return text ? std::strtoul(text, nullptr, 10) : 1;
}

unsigned seed() {
  const char* text = std::getenv("HOTPATH_FUZZ_SEED");
  return text ? static_cast<unsigned>(std::strtoul(text, nullptr, 10)) : 1;
}

std::string starter_bytes() {
  std::ifstream file(HOTPATH_STARTER_MODEL, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

/// Errors that say something about a file. Anything else, above all internal/bug, is our mistake.
void expect_file_error(const Error& error) {
  const std::string code = error_code_text(error.code);
  const bool known = code == "model/not-gguf" || code == "model/corrupt" || code == "model/unsupported" ||
                     code == "model/no-fim" || code == "model/too-large" || code == "device/out-of-memory";
  if (!known) throw Failure(code + ": " + error.message);
}

class TemporaryModel {
 public:
  explicit TemporaryModel(const std::string& bytes) : path_(std::filesystem::temp_directory_path() / name()) {
    std::ofstream(path_, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  ~TemporaryModel() {
    std::error_code ignored;  // nothing depends on it
    std::filesystem::remove(path_, ignored);
  }
  std::string path() const { return path_.string(); }

 private:
  static std::string name() {
    static const auto run = std::chrono::steady_clock::now().time_since_epoch().count();
    return "hotpath-fuzz-" + std::to_string(run) + ".gguf";
  }
  std::filesystem::path path_;
};

/// Damages a header where it hurts: mostly the keys before the vocabulary and the tensor table at the end, which are one
/// percent of its bytes and decide nearly everything.
class Mutator {
 public:
  Mutator(unsigned seed, size_t header_bytes) : random_(seed), header_bytes_(header_bytes) {}

  std::string mutate(std::string bytes) {
    const int n = 1 + static_cast<int>(random_() % 3);
    for (int i = 0; i < n; ++i) mutate_once(bytes);
    return bytes;
  }

 private:
  size_t position() {
    switch (random_() % 5) {
      case 0: return random_() % header_bytes_;
      case 1:
      case 2: return random_() % 1200;
      default: return header_bytes_ - 1 - random_() % 3200;
    }
  }

  void mutate_once(std::string& bytes) {
    const size_t at = position();
    static constexpr uint32_t kInteresting[] = {0, 1, 2, 7, 255, 512, 65535, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF};
    switch (random_() % 4) {
      case 0: bytes[at] = static_cast<char>(bytes[at] ^ (1 << random_() % 8)); break;
      case 1: bytes[at] = static_cast<char>(random_()); break;
      case 2: bytes[at] = static_cast<char>(bytes[at] + (random_() % 2 ? 1 : -1)); break;
      default: std::memcpy(&bytes[at], &kInteresting[random_() % std::size(kInteresting)], std::min<size_t>(4, bytes.size() - at));
    }
  }

  std::mt19937 random_;
  size_t header_bytes_;
};

/// Inspects, loads and uses what can be loaded; the number of models that could.
int load_and_use(const std::string& bytes) {
  const TemporaryModel file(bytes);
  ModelSpec spec = starter_spec();
  spec.path = file.path();
  spec.context_length = 128;
  auto model = engine::load(spec);
  if (!model) {
    expect_file_error(model.error());
    return 0;
  }
  const auto result = (*model)->generate(params_for("def add(a, b):\n    return ", "\n", 3));
  if (!result) expect_file_error(result.error());
  return 1;
}

size_t peak_memory_mb() {
  std::ifstream status("/proc/self/status");
  std::string word;
  size_t kb = 0;
  while (status >> word) {
    if (word == "VmHWM:" && status >> kb) break;
  }
  return kb / 1000;
}

}  // namespace

TEST(fuzz, refuses_every_prefix_of_the_header) {
  const std::string whole = starter_bytes();
  const auto header = read_gguf_header(memory_source(whole));
  EXPECT(header);
  for (size_t n = 0; n <= header->header_bytes; ++n) {
    ByteSource source = memory_source(whole);
    source.size = n;
    const auto model = read_model_source(source);
    EXPECT(!model);
    expect_file_error(model.error());
  }
}

TEST(fuzz, refuses_prefixes_that_cut_the_data) {
  start_engine();
  const std::string whole = starter_bytes();
  const auto header = read_gguf_header(memory_source(whole));
  std::mt19937 random(seed());
  for (size_t i = 0; i < 40; ++i) {
    const size_t n = i == 0 ? whole.size() - 1 : header->header_bytes + random() % (whole.size() - header->header_bytes);
    const TemporaryModel file(whole.substr(0, n));
    const auto metadata = engine::inspect(file.path());
    EXPECT_EQ(code_of(metadata), "model/corrupt");
    EXPECT(metadata.error().message.find(std::to_string(n)) != std::string::npos);
    ModelSpec spec = starter_spec();
    spec.path = file.path();
    EXPECT_EQ(code_of(engine::load(spec)), "model/corrupt");
  }
}

TEST(fuzz, reads_or_refuses_damaged_headers) {
  const std::string whole = starter_bytes();
  Mutator mutator(seed(), read_gguf_header(memory_source(whole))->header_bytes);
  size_t readable = 0;
  for (size_t i = 0; i < 5000 * rounds(); ++i) {
    const std::string damaged = mutator.mutate(whole);
    const auto model = read_model_source(memory_source(damaged));
    if (model) ++readable;
    else expect_file_error(model.error());
  }
  EXPECT(readable > 0);
}

TEST(fuzz, loads_or_refuses_damaged_headers) {
  start_engine();
  const std::string whole = starter_bytes();
  Mutator mutator(seed() + 1000, read_gguf_header(memory_source(whole))->header_bytes);
  int loaded = 0;
  for (size_t attempts = 0; attempts < 400 * rounds(); ++attempts) {
    const std::string damaged = mutator.mutate(whole);
    // What the reader refuses never reaches llama.cpp; the time is for the rest.
    if (!read_model_source(memory_source(damaged))) continue;
    loaded += load_and_use(damaged);
  }
  EXPECT(loaded > 0);
  EXPECT(peak_memory_mb() < 2000);
}

TEST(fuzz, refuses_models_that_llama_cpp_asserts_on) {
  start_engine();
  const auto code_with = [](const std::string& bytes) {
    const TemporaryModel file(bytes);
    ModelSpec spec = starter_spec();
    spec.path = file.path();
    return code_of(engine::load(spec));
  };
  // The graph demands that rotary dimensions and head size be equal.
  std::string other_rotation = starter_bytes();
  const std::string key = "arcee.rope.dimension_count";
  const uint32_t half = 32;
  std::memcpy(&other_rotation[other_rotation.find(key) + key.size() + sizeof(uint32_t)], &half, sizeof half);
  EXPECT_EQ(code_with(other_rotation), "model/corrupt");

  // A norm demands an epsilon that is a number and not negative.
  const std::string epsilon = "arcee.attention.layer_norm_rms_epsilon";
  for (const float value : {-1e-5f, std::nanf("")}) {
    std::string other_norm = starter_bytes();
    std::memcpy(&other_norm[other_norm.find(epsilon) + epsilon.size() + sizeof(uint32_t)], &value, sizeof value);
    EXPECT_EQ(code_with(other_norm), "model/corrupt");
  }

  // The vocabulary demands that no text appear twice.
  std::string same_token_twice = starter_bytes();
  const std::string first = "<|fim_prefix|>";
  const std::string second = "<|fim_suffix|>";
  same_token_twice.replace(same_token_twice.find(second), second.size(), first);
  EXPECT_EQ(code_with(same_token_twice), "model/corrupt");
}

TEST(fuzz, answers_with_damaged_weights) {
  start_engine();
  std::string damaged = starter_bytes();
  const size_t header_bytes = read_gguf_header(memory_source(damaged))->header_bytes;
  std::mt19937 random(seed());
  for (int i = 0; i < 20000; ++i) damaged[header_bytes + random() % (damaged.size() - header_bytes)] = static_cast<char>(random());
  load_and_use(damaged);
  // Every scale and value of all bits set is not a number; whatever it computes, it must not end the process.
  std::memset(damaged.data() + header_bytes, 0xFF, damaged.size() - header_bytes);
  EXPECT_EQ(load_and_use(damaged), 1);
}

}  // namespace hotpath::test
