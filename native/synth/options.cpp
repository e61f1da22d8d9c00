#include "synth/options.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>

namespace hotpath::synth {

namespace {

Error invalid(std::string what) { return {ErrorCode::request_invalid, std::move(what), {}}; }

Result<double> read_number(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0') return invalid("\"" + text + "\" is not a number");
  return value;
}

Result<uint64_t> read_count(const std::string& text, uint64_t most) {
  char* end = nullptr;
  const uint64_t value = std::strtoull(text.c_str(), &end, 10);
  const bool is_digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  if (!is_digits || value > most) return invalid("\"" + text + "\" is not a number from 0 to " + std::to_string(most));
  return value;
}

template <uint32_t Shape::*field>
Result<Done> set_size(Spec& spec, const std::string& text) {
  const auto value = read_count(text, std::numeric_limits<uint32_t>::max());
  if (!value) return value.error();
  spec.shape.*field = static_cast<uint32_t>(*value);
  return Done{};
}

Result<Done> set_preset(Spec& spec, const std::string& name) {
  const Preset* preset = find_preset(name);
  if (!preset) return invalid("there is no preset " + name);
  spec.shape = preset->shape;
  if (preset->shape.n_experts > 0) spec.arch = Arch::moe;
  return Done{};
}

Result<Done> set_arch(Spec& spec, const std::string& name) {
  const Arch* arch = find_arch(name);
  if (!arch) return invalid("there is no architecture " + name);
  spec.arch = *arch;
  return Done{};
}

Result<Done> set_type(Spec& spec, const std::string& name) {
  for (const ggml_type type : weight_types()) {
    std::string known = ggml_type_name(type);
    for (char& c : known) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (known != name) continue;
    spec.type = type;
    return Done{};
  }
  return invalid("there is no type " + name);
}

Result<Done> set_active(Spec& spec, const std::string& text) {
  const size_t colon = text.find(':');
  const auto first = read_number(text.substr(0, colon));
  if (!first) return first.error();
  const auto last = colon == std::string::npos ? first : read_number(text.substr(colon + 1));
  if (!last) return last.error();
  spec.active_first = *first;
  spec.active_last = *last;
  return Done{};
}

Result<Done> set_skew(Spec& spec, const std::string& text) {
  const auto skew = read_number(text);
  if (!skew) return skew.error();
  spec.skew = *skew;
  return Done{};
}

Result<Done> set_seed(Spec& spec, const std::string& text) {
  const auto seed = read_count(text, std::numeric_limits<uint32_t>::max());
  if (!seed) return seed.error();
  spec.seed = *seed;
  return Done{};
}

Result<Done> set_powerinfer(Spec& spec, const std::string& text) {
  if (text != "yes" && text != "no") return invalid("powerinfer is \"" + text + "\", must be yes or no");
  spec.powerinfer = text == "yes";
  return Done{};
}

struct Option {
  const char* name;
  Result<Done> (*set)(Spec&, const std::string&);
};

// In the order they take effect: a preset is changed by whatever else is said.
constexpr std::array<Option, 16> kOptions = {{
    {"preset", set_preset},
    {"arch", set_arch},
    {"type", set_type},
    {"active", set_active},
    {"skew", set_skew},
    {"seed", set_seed},
    {"powerinfer", set_powerinfer},
    {"layers", set_size<&Shape::n_layers>},
    {"embd", set_size<&Shape::n_embd>},
    {"heads", set_size<&Shape::n_heads>},
    {"kv-heads", set_size<&Shape::n_kv_heads>},
    {"head-dim", set_size<&Shape::head_dim>},
    {"ff", set_size<&Shape::n_ff>},
    {"experts", set_size<&Shape::n_experts>},
    {"experts-used", set_size<&Shape::n_experts_used>},
    {"vocab", set_size<&Shape::n_vocab>},
}};

}  // namespace

Result<Spec> read_spec(const std::map<std::string, std::string>& options) {
  for (const auto& [name, value] : options) {
    const bool is_known = std::any_of(kOptions.begin(), kOptions.end(), [&](const Option& option) { return option.name == name; });
    if (!is_known) return invalid("there is no option " + name);
  }
  Spec spec;
  for (const Option& option : kOptions) {
    const auto found = options.find(option.name);
    if (found == options.end()) continue;
    if (auto set = option.set(spec, found->second); !set) return set.error();
  }
  // OPT is from before heads shared keys; a preset of another family may say otherwise.
  if (spec.arch == Arch::opt && !options.contains("kv-heads")) spec.shape.n_kv_heads = spec.shape.n_heads;
  return spec;
}

}  // namespace hotpath::synth
