#include "activation/profile.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/resource.h>
#endif

#include "activation/recorder.h"
#include "core/byte_codec.h"
#include "core/whole_file.h"
#include "gguf_builder.h"
#include "temporary_folder.h"
#include "test.h"

namespace hotpath::test {

namespace {

ActivationProfile toy_profile() {
  ActivationProfile profile = {{11, 22}, "toy", {}};
  profile.layers.push_back({100, {0, 100, 50, 50}});
  profile.layers.push_back({0, {}});
  profile.layers.push_back({uint64_t{1} << 33, {uint64_t{1} << 33, 1, 0}});
  return profile;
}

template <typename T>
std::string code_of(const Result<T>& result) { return result ? "" : error_code_text(result.error().code); }

std::string contents(const std::string& path) {
  const auto bytes = read_whole_file(path, 1 << 20);
  return bytes ? *bytes : error_code_text(bytes.error().code);
}

}  // namespace

TEST(recorder, counts_neurons_and_tokens_per_layer) {
  ActivationRecorder recorder({4, 3});
  recorder.on_active(0, std::vector<int32_t>{0, 3});
  recorder.on_active(0, std::vector<int32_t>{3});
  recorder.on_active(1, {});
  recorder.on_active(1, std::vector<int32_t>{0, 2});
  std::vector<LayerActivity> layers;
  recorder.move_to(layers);
  EXPECT(layers == (std::vector<LayerActivity>{{2, {1, 0, 0, 2}}, {2, {1, 0, 1}}}));
}

TEST(recorder, begins_anew_after_its_counts_were_moved) {
  ActivationRecorder recorder({2});
  std::vector<LayerActivity> layers;
  for (int i = 0; i < 2; ++i) {
    recorder.on_active(0, std::vector<int32_t>{1});
    recorder.move_to(layers);
  }
  EXPECT(layers == (std::vector<LayerActivity>{{2, {0, 2}}}));
}

TEST(recorder, counts_nothing_while_it_is_off) {
  ActivationRecorder recorder({2});
  recorder.enable(false);
  recorder.on_active(0, std::vector<int32_t>{1});
  recorder.enable(true);
  recorder.on_active(0, std::vector<int32_t>{0});
  std::vector<LayerActivity> layers;
  recorder.move_to(layers);
  EXPECT(layers == (std::vector<LayerActivity>{{1, {1, 0}}}));
}

TEST(profile, survives_encoding) {
  const auto decoded = decode_profile(encode_profile(toy_profile()), "p");
  EXPECT(decoded);
  EXPECT(*decoded == toy_profile());
}

TEST(profile, stays_small_where_neighbours_are_alike) {
  ActivationProfile profile = {{1, 2}, "moe", {{1000, std::vector<uint64_t>(100000, 500)}}};
  EXPECT(encode_profile(profile).size() < 101000);
}

TEST(profile, merges_runs_of_one_model) {
  ActivationProfile merged = toy_profile();
  EXPECT(merge_profile(merged, toy_profile()));
  EXPECT(merged.layers[0] == (LayerActivity{200, {0, 200, 100, 100}}));
  // Beyond what is counted, proportions are kept.
  EXPECT(merged.layers[2] == toy_profile().layers[2]);
}

TEST(profile, refuses_to_merge_other_models) {
  const auto refused = [](auto change) {
    ActivationProfile mine = toy_profile();
    ActivationProfile other = toy_profile();
    change(other);
    const auto merged = merge_profile(mine, other);
    EXPECT(mine == toy_profile());
    return !merged && merged.error().code == ErrorCode::request_invalid;
  };
  EXPECT(refused([](ActivationProfile& p) { p.model.header_hash++; }));
  EXPECT(refused([](ActivationProfile& p) { p.model.file_bytes++; }));
  EXPECT(refused([](ActivationProfile& p) { p.layers.pop_back(); }));
  EXPECT(refused([](ActivationProfile& p) { p.layers[2].counts.pop_back(); }));
}

TEST(profile, tells_the_share_of_the_hottest) {
  const LayerActivity layer = {10, {1, 6, 1, 2}};
  EXPECT_EQ(hottest_share(layer, 0.25), 0.6);
  EXPECT_EQ(hottest_share(layer, 0.5), 0.8);
  EXPECT_EQ(hottest_share(layer, 1), 1.0);
  EXPECT_EQ(active_share(layer), 0.25);
  EXPECT_EQ(hottest_first(layer), (std::vector<uint32_t>{1, 3, 0, 2}));
  EXPECT_EQ(hottest_share({10, {0, 0}}, 0.5), 0.0);
}

TEST(profile, identifies_a_model_by_its_header_and_size) {
  const auto identity = [](const std::string& bytes) {
    const auto header = read_gguf_header(memory_source(bytes));
    EXPECT(header);
    const auto found = identify_model(memory_source(bytes), *header);
    EXPECT(found);
    return *found;
  };
  const std::string model = GgufBuilder().text("general.name", "a").tensor("w", {64}).bytes();
  const std::string renamed = GgufBuilder().text("general.name", "b").tensor("w", {64}).bytes();
  std::string other_weights = model;
  other_weights.back() = 'x';
  EXPECT(identity(model) == identity(model));
  EXPECT(!(identity(model) == identity(renamed)));
  EXPECT(!(identity(model) == identity(model + std::string(32, '\0'))));
  EXPECT(identity(model) == identity(other_weights));
}

TEST(profile, refuses_every_truncation_and_every_flipped_bit) {
  const std::string whole = encode_profile(toy_profile());
  for (size_t n = 0; n < whole.size(); ++n) EXPECT_EQ(code_of(decode_profile(whole.substr(0, n), "p")), "file/unreadable");
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    EXPECT_EQ(code_of(decode_profile(flipped, "p")), "file/unreadable");
  }
}

// Damage that the hash does not show, as another program could write it.
TEST(profile, reads_any_well_sealed_payload_or_refuses_it) {
  const std::string whole = encode_profile(toy_profile());
  const std::string payload = whole.substr(16, whole.size() - 24);
  std::mt19937 random(1);
  int refused = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string damaged = payload.substr(0, 1 + random() % payload.size());
    for (unsigned i = 0; i < 1 + random() % 3; ++i) damaged[random() % damaged.size()] = static_cast<char>(random() % 4 ? 0xff : random());
    const auto decoded = decode_profile(seal("HOTPROFI", 1, damaged), "p");
    if (!decoded) {
      EXPECT_EQ(code_of(decoded), "file/unreadable");
      ++refused;
      continue;
    }
    for (const LayerActivity& layer : decoded->layers) {
      EXPECT(layer.counts.size() <= damaged.size());
      for (const uint64_t count : layer.counts) EXPECT(count <= layer.tokens);
    }
  }
  EXPECT(refused > 1000 && refused < 20000);
}

TEST(profile, is_saved_whole_or_not_at_all) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.profile");
  EXPECT(save_profile(toy_profile(), path));
  const auto loaded = load_profile(path);
  EXPECT(loaded);
  EXPECT(*loaded == toy_profile());

  const auto nowhere = save_profile(toy_profile(), folder.file("no such folder/a.profile"));
  EXPECT(!nowhere);
  EXPECT_EQ(std::string(error_code_text(nowhere.error().code)), "file/unwritable");
  EXPECT_EQ(code_of(load_profile(folder.file("missing"))), "file/unreadable");
  EXPECT_EQ(folder.count(), 1u);
}

TEST(whole_file, tells_beforehand_whether_a_file_can_be_written) {
  const TemporaryFolder folder;
  const std::string path = folder.file("kept");
  EXPECT(write_whole_file(path, "old"));
  EXPECT(check_writable(path));
  EXPECT_EQ(contents(path), "old");
  EXPECT(check_writable(folder.file("new")));
  EXPECT_EQ(folder.count(), 1u);
  for (const std::string& impossible : {folder.file("no such folder/a"), folder.file("."), std::string()}) {
    EXPECT_EQ(code_of(check_writable(impossible)), "file/unwritable");
  }
}

#if defined(__unix__) || defined(__APPLE__)
// A limit on file sizes stands in for a full disk: writes fail halfway in the same way.
TEST(whole_file, leaves_the_old_file_when_the_disk_is_full) {
  const TemporaryFolder folder;
  const std::string path = folder.file("kept");
  EXPECT(write_whole_file(path, "old"));
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small = {4096, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const auto written = write_whole_file(path, std::string(1 << 20, 'x'));
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT(!written);
  EXPECT_EQ(std::string(error_code_text(written.error().code)), "file/unwritable");
  EXPECT_EQ(contents(path), "old");
  EXPECT_EQ(folder.count(), 1u);
}
#endif

}  // namespace hotpath::test
