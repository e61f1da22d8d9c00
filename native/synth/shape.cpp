#include "synth/shape.h"

#include <algorithm>
#include <array>

namespace hotpath::synth {

namespace {

// Sizes as in config.json of the models named. head_dim is n_embd / n_heads except for Qwen3-MoE.
constexpr std::array<Preset, 13> kPresets = {{
    {"tiny", "of our own, for tests", {4, 256, 4, 2, 64, 1024}},
    {"0.5b", "Qwen/Qwen2.5-Coder-0.5B", {24, 896, 14, 2, 64, 4864, 0, 0, 151936, true}},
    {"1.5b", "Qwen/Qwen2.5-Coder-1.5B", {28, 1536, 12, 2, 128, 8960, 0, 0, 151936, true}},
    {"3b", "Qwen/Qwen2.5-Coder-3B", {36, 2048, 16, 2, 128, 11008, 0, 0, 151936, true}},
    {"qwen-7b", "Qwen/Qwen2.5-Coder-7B", {28, 3584, 28, 4, 128, 18944, 0, 0, 152064}},
    {"14b", "Qwen/Qwen2.5-Coder-14B", {48, 5120, 40, 8, 128, 13824, 0, 0, 152064}},
    {"32b", "Qwen/Qwen2.5-Coder-32B", {64, 5120, 40, 8, 128, 27648, 0, 0, 152064}},
    {"7b", "meta-llama/Llama-2-7b", {32, 4096, 32, 32, 128, 11008, 0, 0, 32000}},
    {"13b", "meta-llama/Llama-2-13b", {40, 5120, 40, 40, 128, 13824, 0, 0, 32000}},
    {"34b", "codellama/CodeLlama-34b", {48, 8192, 64, 8, 128, 22016, 0, 0, 32000}},
    {"70b", "meta-llama/Llama-2-70b", {80, 8192, 64, 8, 128, 28672, 0, 0, 32000}},
    {"30b-a3b", "Qwen/Qwen3-Coder-30B-A3B-Instruct", {48, 2048, 32, 4, 128, 768, 128, 8, 151936}},
    {"tiny-moe", "of our own, for tests", {4, 256, 4, 2, 64, 256, 16, 4}},
}};

struct ArchRow {
  Arch arch;
  const char* name;
  const char* gguf;
  bool gate;
  bool only_powerinfer;
};

constexpr std::array<ArchRow, 7> kArchs = {{
    {Arch::llama, "llama", "llama", true, false},
    {Arch::llama_relu, "llama-relu", "llama", true, false},
    {Arch::arcee, "arcee", "arcee", false, false},
    {Arch::moe, "moe", "qwen3moe", true, false},
    {Arch::bamboo, "bamboo", "bamboo", true, true},
    {Arch::falcon, "falcon", "falcon", false, true},
    {Arch::opt, "opt", "opt", false, true},
}};

const ArchRow& row(Arch arch) { return kArchs[static_cast<size_t>(arch)]; }

constexpr std::array kTypes = {GGML_TYPE_Q8_0, GGML_TYPE_Q4_0, GGML_TYPE_Q4_K, GGML_TYPE_Q6_K,
                               GGML_TYPE_F16,  GGML_TYPE_BF16, GGML_TYPE_F32};

Error invalid(std::string what) { return {ErrorCode::request_invalid, std::move(what), {}}; }

Result<Done> check_range(const char* name, uint32_t value, uint32_t least, uint32_t most) {
  if (value >= least && value <= most) return Done{};
  return invalid(format_text("%s is %u, must be %u to %u", name, value, least, most));
}

Result<Done> check_sizes(const Spec& spec) {
  const Shape& shape = spec.shape;
  const struct {
    const char* name;
    uint32_t value, least, most;
  } ranges[] = {
      {"layers", shape.n_layers, 1, 511},       {"embd", shape.n_embd, 128, 1 << 16},
      {"heads", shape.n_heads, 1, 1024},        {"kv-heads", shape.n_kv_heads, 1, shape.n_heads},
      {"head-dim", shape.head_dim, 2, 1024},    {"ff", shape.n_ff, 32, 1 << 18},
      {"experts", shape.n_experts, 0, 512},     {"experts-used", shape.n_experts_used, 0, shape.n_experts},
      {"vocab", shape.n_vocab, 0, 1 << 20},
  };
  for (const auto& range : ranges) {
    if (auto checked = check_range(range.name, range.value, range.least, range.most); !checked) return checked;
  }
  if (shape.n_embd % 32 != 0 || shape.n_ff % 32 != 0) {
    return invalid(format_text("embd %u and ff %u must be multiples of 32", shape.n_embd, shape.n_ff));
  }
  if (shape.n_heads % shape.n_kv_heads != 0 || shape.head_dim % 2 != 0 || shape.n_heads * shape.head_dim % 32 != 0) {
    return invalid(format_text("%u heads of %u, %u of them for keys, do not fit together", shape.n_heads, shape.head_dim,
                               shape.n_kv_heads));
  }
  if (spec.arch == Arch::opt && shape.n_kv_heads != shape.n_heads) {
    return invalid(format_text("opt has as many heads for keys as for queries, not %u of %u", shape.n_kv_heads, shape.n_heads));
  }
  if ((spec.arch == Arch::moe) != (shape.n_experts > 0) || (shape.n_experts > 0 && shape.n_experts_used == 0)) {
    return invalid(format_text("architecture %s with %u experts, %u used", arch_name(spec.arch), shape.n_experts,
                               shape.n_experts_used));
  }
  return Done{};
}

Result<Done> check_powerinfer(const Spec& spec) {
  if (!spec.powerinfer) {
    if (only_powerinfer(spec.arch)) return invalid(format_text("%s is made with --powerinfer only", arch_name(spec.arch)));
    return Done{};
  }
  if (spec.arch != Arch::llama_relu && !only_powerinfer(spec.arch)) {
    return invalid(format_text("PowerInfer has no models of architecture %s", arch_name(spec.arch)));
  }
  if (spec.type != GGML_TYPE_F16 && spec.type != GGML_TYPE_Q4_0) {
    return invalid(format_text("PowerInfer's files are f16 or q4_0, not %s", ggml_type_name(spec.type)));
  }
  return Done{};
}

}  // namespace

std::span<const ggml_type> weight_types() { return kTypes; }

const Preset* find_preset(std::string_view name) {
  const auto found = std::find_if(kPresets.begin(), kPresets.end(), [&](const Preset& preset) { return preset.name == name; });
  return found == kPresets.end() ? nullptr : &*found;
}

const char* arch_name(Arch arch) { return row(arch).name; }
const char* gguf_arch(Arch arch) { return row(arch).gguf; }
bool has_gate(Arch arch) { return row(arch).gate; }
bool only_powerinfer(Arch arch) { return row(arch).only_powerinfer; }

const Arch* find_arch(std::string_view name) {
  const auto found = std::find_if(kArchs.begin(), kArchs.end(), [&](const ArchRow& arch) { return arch.name == name; });
  return found == kArchs.end() ? nullptr : &found->arch;
}

Result<Done> check_spec(const Spec& spec) {
  if (std::find(kTypes.begin(), kTypes.end(), spec.type) == kTypes.end()) {
    return invalid(format_text("weights of type %s cannot be made", ggml_type_name(spec.type)));
  }
  if (auto checked = check_sizes(spec); !checked) return checked;
  if (auto checked = check_powerinfer(spec); !checked) return checked;
  for (const double active : {spec.active_first, spec.active_last}) {
    if (!(active > 0 && active <= 1)) return invalid(format_text("active is %g, must be above 0 and at most 1", active));
    // All of the hottest 26 % always active is the most skewed there is.
    const double most = std::min(1.0, kHotFraction / active);
    if (!(spec.skew >= kHotFraction && spec.skew <= 1) || (spec.skew > 0.98 * most && spec.skew > kHotFraction)) {
      return invalid(format_text("skew is %g, must be %g to %.2f where %g of the neurons are active", spec.skew, kHotFraction,
                                 0.98 * most, active));
    }
  }
  return Done{};
}

ggml_type type_for_columns(ggml_type type, int64_t n_columns) {
  return n_columns % ggml_blck_size(type) == 0 ? type : GGML_TYPE_Q8_0;
}

}  // namespace hotpath::synth
