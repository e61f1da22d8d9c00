// The hot half over ggml backends. Each test runs on a second CPU device and, where a GPU backend found one (Mesa's
// software Vulkan device is enough), there too.
#include <algorithm>

#include "hot_layer.h"
#include "hotcold/gpu/ggml_hot_unit.h"
#include "starter.h"

namespace hotpath::test {

namespace {

using hotcold::HotUnitSpec;
using hotcold::kHotGroup;

// ggml rounds the activations to 8 bit before it multiplies with quantised rows (0.4 % of the largest of a block, about
// 0.6 % of a typical one), on the way in and on the way to down. Rows of floats see F16 at worst.
constexpr double kQuantisedTolerance = 0.02;
constexpr double kFloatTolerance = 0.002;

ggml_backend_dev_t cpu() {
  start_engine();
  return ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
}

ggml_backend_dev_t gpu() {
  start_engine();
  for (const auto type : {GGML_BACKEND_DEVICE_TYPE_GPU, GGML_BACKEND_DEVICE_TYPE_IGPU}) {
    if (const ggml_backend_dev_t device = ggml_backend_dev_by_type(type)) return device;
  }
  SKIP("no GPU backend found a device");
}

std::unique_ptr<HotUnit> make_unit(ggml_backend_dev_t device, const HotUnitSpec& spec) {
  auto unit = hotcold::make_ggml_hot_unit(device, spec);
  return std::move(need(unit));
}

void computes_every_form(ggml_backend_dev_t device) {
  std::mt19937 random(1);
  for (const FfnForm form : kAllForms) {
    for (const bool has_bias : {false, true}) {
      const HotLayer layer{64, 3, form, GGML_TYPE_F16, GGML_TYPE_F16, GGML_TYPE_F16, has_bias};
      const auto unit = make_unit(device, {{layer}, 2});
      const std::vector<Group> groups = {Group::random(layer, 32, random), Group::random(layer, 7, random)};
      upload_all(*unit, 0, groups);
      const std::vector<float> x = random_inputs(2, 64, random);
      const double error = relative_error(run(*unit, 0, x), expected_output(groups, x, 64));
      if (error > kFloatTolerance) throw Failure(format_text("form %d: error %g", static_cast<int>(form), error));
    }
  }
}

void computes(ggml_backend_dev_t device, const std::vector<ggml_type>& types, const std::vector<ggml_type>& down_types,
              const std::vector<int64_t>& token_counts) {
  std::mt19937 random(2);
  for (const ggml_type type : types) {
    for (const ggml_type down_type : down_types) {
      const HotLayer layer{256, 2, FfnForm::gated_relu, type, type, down_type};
      const auto unit = make_unit(device, {{layer}, 16});
      const std::vector<Group> groups = {Group::random(layer, 32, random), Group::random(layer, 32, random)};
      upload_all(*unit, 0, groups);
      for (const int64_t n_tokens : token_counts) {
        const std::vector<float> x = random_inputs(n_tokens, 256, random);
        const double error = relative_error(run(*unit, 0, x), expected_output(groups, x, 256));
        const bool floats = !ggml_is_quantized(type) && !ggml_is_quantized(down_type);
        // The CPU multiplies BF16 rows with activations rounded to BF16, 8 bits.
        if (error > (floats && type != GGML_TYPE_BF16 ? kFloatTolerance : kQuantisedTolerance)) {
          throw Failure(format_text("%s, down %s, %d tokens: error %g", ggml_type_name(type), ggml_type_name(down_type),
                                    static_cast<int>(n_tokens), error));
        }
      }
    }
  }
}

void computes_prompts_slice_by_slice(ggml_backend_dev_t device) {
  std::mt19937 random(11);
  const HotLayer narrow{64, 3, FfnForm::gated_relu, GGML_TYPE_F16, GGML_TYPE_F16, GGML_TYPE_F16, true};
  const HotLayer wide{96, 2, FfnForm::relu, GGML_TYPE_F16, GGML_TYPE_F16, GGML_TYPE_F16};
  const auto unit = make_unit(device, {{narrow, wide}, 200, 24});
  const std::vector<Group> first = {Group::random(narrow, 32, random), Group::random(narrow, 7, random)};
  const std::vector<Group> second = {Group::random(wide, 32, random)};
  upload_all(*unit, 0, first);
  upload_all(*unit, 1, second);
  for (const int64_t n_tokens : {9, 24, 25, 72, 200, 1}) {
    const std::vector<float> x = random_inputs(n_tokens, 64, random);
    const std::vector<float> z = random_inputs(n_tokens, 96, random);
    EXPECT(relative_error(run(*unit, 0, x), expected_output(first, x, 64)) < kFloatTolerance);
    EXPECT(relative_error(run(*unit, 1, z), expected_output(second, z, 96)) < kFloatTolerance);
  }
}

void adds_nothing_for_empty_slots(ggml_backend_dev_t device) {
  std::mt19937 random(3);
  const HotLayer layer{64, 2, FfnForm::gelu, GGML_TYPE_F16, GGML_TYPE_Q8_0, GGML_TYPE_F16, true};
  const auto unit = make_unit(device, {{layer}, 1});
  const std::vector<float> x = random_inputs(1, 64, random);
  EXPECT_EQ(run(*unit, 0, x), std::vector<float>(64, 0.0f));
  const Group group = Group::random(layer, 32, random);
  need(unit->upload(0, 1, group.neurons()));
  EXPECT(relative_error(run(*unit, 0, x), expected_output({group}, x, 64)) < kQuantisedTolerance);
  need(unit->upload(0, 1, {}));
  EXPECT_EQ(run(*unit, 0, x), std::vector<float>(64, 0.0f));
}

void replaces_groups_and_layers_apart(ggml_backend_dev_t device) {
  std::mt19937 random(4);
  const HotLayer small{64, 2, FfnForm::relu_squared, GGML_TYPE_F16, GGML_TYPE_F16, GGML_TYPE_Q8_0};
  const HotLayer large{96, 4, FfnForm::gated_silu, GGML_TYPE_Q8_0, GGML_TYPE_F16, GGML_TYPE_F16};
  const auto unit = make_unit(device, {{small, HotLayer{64, 0}, large}, 2});
  std::vector<Group> first = {Group::random(small, 32, random), Group::random(small, 32, random)};
  std::vector<Group> third;
  for (int i = 0; i < 4; ++i) third.push_back(Group::random(large, 32, random));
  upload_all(*unit, 0, first);
  upload_all(*unit, 2, third);
  first[0] = Group::random(small, 20, random);
  third[2] = Group::random(large, 32, random);
  need(unit->upload(0, 0, first[0].neurons()));
  need(unit->upload(2, 2, third[2].neurons()));
  const std::vector<float> x = random_inputs(2, 64, random);
  const std::vector<float> z = random_inputs(1, 96, random);
  EXPECT(relative_error(run(*unit, 0, x), expected_output(first, x, 64)) < kQuantisedTolerance);
  EXPECT(relative_error(run(*unit, 2, z), expected_output(third, z, 96)) < kQuantisedTolerance);
}

void shows_the_activations(ggml_backend_dev_t device) {
  std::mt19937 random(5);
  const HotLayer layer{64, 2, FfnForm::gated_relu, GGML_TYPE_F16, GGML_TYPE_F16, GGML_TYPE_F16};
  const auto unit = make_unit(device, {{layer}, 2});
  const Group group = Group::random(layer, 32, random);
  need(unit->upload(0, 1, group.neurons()));
  const std::vector<float> x = random_inputs(2, 64, random);
  (void)run(*unit, 0, x);
  std::vector<float> values(2 * 64, NAN);
  need(unit->read_activations(values));
  std::vector<double> expected(2 * 64, 0.0);
  for (int64_t token = 0; token < 2; ++token) {
    const float* x_t = x.data() + token * 64;
    for (int64_t neuron = 0; neuron < 32; ++neuron) expected[token * 64 + 32 + neuron] = group.activation(neuron, x_t);
  }
  EXPECT(relative_error(values, expected) < kFloatTolerance);
  EXPECT(std::count(values.begin(), values.end(), 0.0f) >= 64);
}

void refuses_more_than_there_is(ggml_backend_dev_t device) {
  const HotLayer absurd{1 << 14, int64_t{1} << 22, FfnForm::gated_relu, GGML_TYPE_F16, GGML_TYPE_F16, GGML_TYPE_F16};
  EXPECT_EQ(code_of(hotcold::make_ggml_hot_unit(device, {{absurd}, 1})), "device/out-of-memory");

  std::mt19937 random(6);
  const HotLayer layer{64, 1, FfnForm::relu, GGML_TYPE_F16, GGML_TYPE_F16, GGML_TYPE_F16};
  const auto unit = make_unit(device, {{layer, layer}, 1});
  const Group group = Group::random(layer, 32, random);
  need(unit->upload(1, 0, group.neurons()));
  EXPECT_EQ(code_of(unit->resize(0, int64_t{1} << 40)), "device/out-of-memory");
  EXPECT_EQ(unit->layer(0).n_groups, 0);
  const std::vector<float> x = random_inputs(1, 64, random);
  EXPECT(relative_error(run(*unit, 1, x), expected_output({group}, x, 64)) < kFloatTolerance);
}

/// Rows so narrow and tokens so many that the values in between, which the layers share, take most of the memory.
void keeps_what_layers_share_when_one_cannot_have_more(ggml_backend_dev_t device) {
  std::mt19937 random(10);
  const HotLayer layer{32, 1, FfnForm::relu, GGML_TYPE_F16, GGML_TYPE_F16, GGML_TYPE_F16};
  const auto unit = make_unit(device, {{layer, layer}, 1 << 18, 1 << 18});
  const Group group = Group::random(layer, 32, random);
  need(unit->upload(1, 0, group.neurons()));
  EXPECT_EQ(code_of(unit->resize(0, 1 << 14)), "device/out-of-memory");  // 64 MB of weights, a terabyte of values
  EXPECT_EQ(unit->layer(0).n_groups, 0);
  const std::vector<float> x = random_inputs(1, 32, random);
  EXPECT(relative_error(run(*unit, 1, x), expected_output({group}, x, 32)) < kFloatTolerance);
}

void hands_memory_back_and_takes_it_again(ggml_backend_dev_t device) {
  std::mt19937 random(7);
  const HotLayer layer{64, 4, FfnForm::gated_drelu, GGML_TYPE_F16, GGML_TYPE_F16, GGML_TYPE_F16};
  const auto unit = make_unit(device, {{layer, layer}, 1});
  const size_t both = unit->memory_bytes();
  EXPECT(both >= 2 * hotcold::hot_layer_bytes(layer));
  need(unit->resize(0, 0));
  EXPECT(unit->memory_bytes() <= both - hotcold::hot_layer_bytes(layer));
  need(unit->resize(0, 9));
  const std::vector<float> x = random_inputs(1, 64, random);
  EXPECT_EQ(run(*unit, 0, x), std::vector<float>(64, 0.0f));
  const Group group = Group::random(layer, 32, random);
  need(unit->upload(0, 8, group.neurons()));
  need(unit->upload(1, 3, group.neurons()));
  const std::vector<double> expected = expected_output({group}, x, 64);
  EXPECT(relative_error(run(*unit, 0, x), expected) < kFloatTolerance);
  EXPECT(relative_error(run(*unit, 1, x), expected) < kFloatTolerance);
}

void keeps_two_units_apart(ggml_backend_dev_t device) {
  std::mt19937 random(8);
  const HotLayer layer{64, 1, FfnForm::silu, GGML_TYPE_F16, GGML_TYPE_F16, GGML_TYPE_F16};
  const Group left = Group::random(layer, 32, random);
  const Group right = Group::random(layer, 32, random);
  const auto one = make_unit(device, {{layer}, 1});
  auto two = make_unit(device, {{layer}, 1});
  need(one->upload(0, 0, left.neurons()));
  need(two->upload(0, 0, right.neurons()));
  const std::vector<float> x = random_inputs(1, 64, random);
  std::vector<float> y(64);
  std::vector<float> z(64);
  need(one->start(0, x.data(), 1));
  need(two->start(0, x.data(), 1));
  need(two->wait(z.data()));
  two.reset();
  need(one->wait(y.data()));
  EXPECT(relative_error(y, expected_output({left}, x, 64)) < kFloatTolerance);
  EXPECT(relative_error(z, expected_output({right}, x, 64)) < kFloatTolerance);
}

void survives_being_dropped_while_running(ggml_backend_dev_t device) {
  std::mt19937 random(9);
  const HotLayer layer{256, 64, FfnForm::silu, GGML_TYPE_F16, GGML_TYPE_F16, GGML_TYPE_F16};
  auto unit = make_unit(device, {{layer}, 16});
  const std::vector<float> x = random_inputs(16, 256, random);
  need(unit->start(0, x.data(), 16));
  unit.reset();
}

}  // namespace

#define ON_BOTH_DEVICES(outcome) \
  TEST(hot_unit, outcome##_on_a_second_cpu) { outcome(cpu()); } \
  TEST(hot_unit, outcome##_on_the_gpu) { outcome(gpu()); }

ON_BOTH_DEVICES(computes_every_form)
TEST(hot_unit, computes_every_type_on_a_second_cpu) {
  computes(cpu(),
           {GGML_TYPE_F32, GGML_TYPE_F16, GGML_TYPE_BF16, GGML_TYPE_Q8_0, GGML_TYPE_Q4_0, GGML_TYPE_Q4_K, GGML_TYPE_Q6_K},
           {GGML_TYPE_F16, GGML_TYPE_Q8_0}, {1, 2, 5, 16, 1});
}
// A software device compiles each combination for seconds: these few show that the paths differ in nothing of ours.
TEST(hot_unit, computes_several_types_on_the_gpu) {
  computes(gpu(), {GGML_TYPE_F16, GGML_TYPE_Q4_K}, {GGML_TYPE_F16}, {1, 16, 1});
  computes(gpu(), {GGML_TYPE_Q8_0}, {GGML_TYPE_Q8_0}, {1});
}
ON_BOTH_DEVICES(computes_prompts_slice_by_slice)
ON_BOTH_DEVICES(adds_nothing_for_empty_slots)
ON_BOTH_DEVICES(replaces_groups_and_layers_apart)
ON_BOTH_DEVICES(shows_the_activations)
ON_BOTH_DEVICES(refuses_more_than_there_is)
ON_BOTH_DEVICES(keeps_what_layers_share_when_one_cannot_have_more)
ON_BOTH_DEVICES(hands_memory_back_and_takes_it_again)
ON_BOTH_DEVICES(keeps_two_units_apart)
ON_BOTH_DEVICES(survives_being_dropped_while_running)

TEST(hot_unit, says_how_much_a_group_takes) {
  const HotLayer gated{4096, 1, FfnForm::gated_relu, GGML_TYPE_Q4_0, GGML_TYPE_Q4_0, GGML_TYPE_Q8_0};
  EXPECT_EQ(hotcold::hot_layer_bytes(gated), size_t{32 * (2304 + 2304) + 4096 * 34});
}

}  // namespace hotpath::test
