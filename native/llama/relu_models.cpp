#include "llama/relu_models.h"

#include <array>

namespace hotpath {

namespace {

using hotcold::NeuronForm;
using hotcold::NeuronFunction;

constexpr NeuronForm kReluGate = {NeuronFunction::relu, true, false};
constexpr NeuronForm kReluBoth = {NeuronFunction::relu, true, true};
constexpr NeuronForm kReluPlain = {NeuronFunction::relu, false, false};

struct Family {
  const char* name;  // letters and digits, lower case
  const char* architecture;
  NeuronForm form;
};

// From the model cards on Hugging Face: SparseLLM (ReLU and ProSparse), PowerInfer (Bamboo, TurboSparse), openbmb.
constexpr std::array<Family, 7> kFamilies = {{
    {"relullama", "llama", kReluGate},
    {"prosparsellama", "llama", kReluGate},
    {"bamboo", "llama", kReluBoth},
    {"turbosparsemistral", "llama", kReluBoth},
    {"relufalcon", "falcon", kReluPlain},
    {"prosparseminicpm", "minicpm", kReluGate},
    {"minicpms1b", "minicpm", kReluGate},
}};

/// "SparseLLM/ReluLLaMA-7B" and "relu llama 7b" are the same model.
std::string squeezed(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c >= 'A' && c <= 'Z') result += static_cast<char>(c - 'A' + 'a');
    else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) result += c;
  }
  return result;
}

bool names_a_model(const std::string& key) {
  for (const char* known : {"general.name", "general.basename", "general.finetune", "general.source.url", "general.repo_url"}) {
    if (key == known) return true;
  }
  return key.starts_with("general.base_model.");
}

/// Those that have been trained further with ReLU.
bool is_silu_architecture(const std::string& architecture) {
  return architecture == "llama" || architecture == "qwen2" || architecture == "minicpm";
}

}  // namespace

std::optional<KnownForm> known_form(const GgufHeader& header) {
  const std::string* architecture = header.text("general.architecture");
  if (!architecture) return {};
  const bool is_gated = *architecture != "falcon";
  for (const std::string& key : {std::string("hotpath.ffn_activation"), *architecture + ".hidden_activation"}) {
    const std::string* activation = header.text(key);
    if (activation && *activation == "relu") return KnownForm{is_gated ? kReluGate : kReluPlain, key + " is relu", true};
  }
  std::optional<KnownForm> suspected;
  for (const auto& [key, value] : header.values) {
    const auto* text = std::get_if<std::string>(&value);
    if (!text || !names_a_model(key)) continue;
    const std::string name = squeezed(*text);
    const bool is_suspect = name.find("relu") != std::string::npos || name.find("sparse") != std::string::npos;
    if (is_suspect && is_silu_architecture(*architecture)) suspected = KnownForm{kReluGate, key + " is " + *text, false};
    for (const Family& family : kFamilies) {
      if (*architecture == family.architecture && name.find(family.name) != std::string::npos) {
        return KnownForm{family.form, key + " is " + *text, true};
      }
    }
  }
  return suspected;
}

}  // namespace hotpath
