// Profiles of the starter model, whose feed-forward network is a squared ReLU.
#include "llama/profile_run.h"

#include <algorithm>
#include <cmath>
#include <fstream>

#include "placement/layer_work.h"
#include "starter.h"
#include "synthetic_model.h"
#include "temporary_folder.h"

namespace hotpath::test {

namespace {

std::string write_text(const TemporaryFolder& folder, const std::string& name, const std::string& text) {
  std::ofstream(folder.file(name), std::ios::binary) << text;
  return folder.file(name);
}

const std::string kCode = "def area(self):\n    return self.width * self.height\n\n\n";

Result<ActivationProfile> profile_of(const std::vector<std::string>& files, const OnProfileProgress& on_progress = {},
                                     const CancelFlag& cancel = {}) {
  start_engine();
  return profile_files(starter_spec(), files, on_progress, cancel);
}

}  // namespace

TEST(profile_run, counts_every_token_in_every_layer) {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 60; ++i) text += kCode;
  std::vector<uint64_t> done;
  const auto profile = profile_of({write_text(folder, "a.py", text)}, [&](const ProfileProgress& p) {
    EXPECT(p.tokens <= p.total_tokens);
    done.push_back(p.tokens);
  });
  EXPECT(profile);
  EXPECT(done.size() > 4);  // more than one context, several batches each
  EXPECT(std::is_sorted(done.begin(), done.end()));
  EXPECT_EQ(profile->layers.size(), 4u);
  for (const LayerActivity& layer : profile->layers) {
    EXPECT_EQ(layer.tokens, done.back());
    EXPECT(active_share(layer) > 0.01 && active_share(layer) < 0.6);
    EXPECT(hottest_share(layer, 0.26) > 0.3);
  }
}

TEST(profile_run, of_several_files_is_the_sum_of_each) {
  const TemporaryFolder folder;
  const std::string a = write_text(folder, "a.py", kCode);
  const std::string b = write_text(folder, "b.py", "x = [1, 2, 3]\n");
  auto sum = profile_of({a});
  const auto other = profile_of({b});
  const auto both = profile_of({a, b});
  EXPECT(sum && other && both);
  EXPECT(merge_profile(*sum, *other));
  EXPECT(*sum == *both);
}

TEST(profile_run, counts_what_a_model_with_relu_really_does) {
  start_engine();
  const TemporaryFolder folder;
  const std::string text = write_text(folder, "a.py", kCode);
  const synth::Spec spec = tiny_spec(synth::Arch::llama_relu);
  for (const synth::Spec& one : {spec, tiny_powerinfer(synth::Arch::llama_relu, GGML_TYPE_F16)}) {
    const SyntheticModel model(one);
    ModelSpec where = starter_spec();
    where.path = model.path();
    const auto profile = profile_files(where, {text}, {}, {});
    EXPECT(profile);
    for (const LayerActivity& layer : profile->layers) {
      EXPECT(layer.tokens > 0);
      EXPECT(std::abs(active_share(layer) - one.active_first) < 0.05);  // of SiLU all would be active
    }
  }
}

TEST(profile_run, serves_a_plan_of_the_same_model) {
  const TemporaryFolder folder;
  const auto profile = profile_of({write_text(folder, "a.py", kCode)});
  EXPECT(profile);
  const auto model = read_model_file(starter_spec().path);
  EXPECT(model);
  WorkRequest request;
  request.profile = &*profile;
  const auto work = describe_work(*model, request);
  EXPECT(work);
  EXPECT(work->mode == hotcold::Mode::exact);
  EXPECT(work->notes.empty());
  for (size_t i = 0; i < work->layers.size(); ++i) {
    const LayerWork& layer = work->layers[i];
    EXPECT(layer.kind == FfnKind::relu);
    const double share = layer.hottest_active.back() / static_cast<double>(profile->layers[i].counts.size());
    EXPECT(std::abs(share - active_share(profile->layers[i])) < 1e-9);
  }
}

TEST(profile_run, refuses_what_is_no_text_and_ends_when_cancelled) {
  const TemporaryFolder folder;
  EXPECT_EQ(code_of(profile_of({write_text(folder, "a.bin", "\xff\xfe\x01")})), "file/unreadable");
  EXPECT_EQ(code_of(profile_of({folder.file("missing")})), "file/unreadable");
  EXPECT_EQ(code_of(profile_of({write_text(folder, "empty", "")})), "request/invalid");
  std::string text;
  for (int i = 0; i < 60; ++i) text += kCode;
  const CancelFlag cancel;
  int steps = 0;
  const auto cancel_at_second = [&](const ProfileProgress&) {
    if (++steps == 2) cancel.raise();
  };
  EXPECT_EQ(code_of(profile_of({write_text(folder, "a.py", text)}, cancel_at_second, cancel)), "request/cancelled");
  EXPECT_EQ(steps, 2);
}

}  // namespace hotpath::test
