#include "llama/divergence.h"

#include <algorithm>
#include <cmath>

#include "llama/sampler.h"
#include "llama/vocabulary.h"

namespace hotpath {

namespace {

constexpr size_t kMaxTokens = 256;
// The few-token path, which is that of completing; a whole prompt at once takes another.
constexpr size_t kBatch = 4;
static_assert(kBatch <= kMaxOutputs);

// Three languages, as a user's files are: names, numbers, brackets, prose in comments.
constexpr const char* kText = R"(// Keeps the newest values and forgets the oldest.
template <typename T, size_t N>
class Ring {
 public:
  void push(T value) {
    values_[next_] = std::move(value);
    next_ = (next_ + 1) % N;
    size_ = std::min(size_ + 1, N);
  }
  double mean() const { return std::accumulate(values_, values_ + size_, 0.0) / size_; }

 private:
  T values_[N] = {};
  size_t next_ = 0, size_ = 0;
};

def parse_line(line: str) -> dict[str, float]:
    """Reads `name=value` pairs separated by spaces."""
    pairs = {}
    for part in line.split():
        name, _, value = part.partition("=")
        if not value:
            raise ValueError(f"no value for {name!r}")
        pairs[name] = float(value)
    return pairs

export async function fetchAll(urls: readonly string[], limit = 4): Promise<Response[]> {
  const results: Response[] = [];
  for (let i = 0; i < urls.length; i += limit) {
    const batch = urls.slice(i, i + limit).map((url) => fetch(url));
    results.push(...(await Promise.all(batch)));
  }
  return results;
}
)";

struct Logits {
  std::vector<float> values;
  size_t n_vocab;
};

class Batch {
 public:
  Batch() : batch_(llama_batch_init(kBatch, 0, 1)) {}
  ~Batch() { llama_batch_free(batch_); }
  Batch(const Batch&) = delete;

  llama_batch& fill(std::span<const Token> tokens, size_t position) {
    batch_.n_tokens = static_cast<int32_t>(tokens.size());
    for (size_t i = 0; i < tokens.size(); ++i) {
      batch_.token[i] = tokens[i];
      batch_.pos[i] = static_cast<llama_pos>(position + i);
      batch_.n_seq_id[i] = 1;
      batch_.seq_id[i][0] = 0;
      batch_.logits[i] = true;
    }
    return batch_;
  }

 private:
  llama_batch batch_;
};

Result<Logits> logits_of_text(const ModelSpec& spec, const std::function<void(double)>& on_progress, const CancelFlag& cancel) {
  auto loaded = load_model(spec, {}, cancel);
  if (!loaded) return loaded.error();
  if (!spec.sidecars.empty() && loaded->info.ffn.sidecar.empty()) {
    return Error{ErrorCode::sidecar_invalid, spec.sidecars[0] + ": is not used: " + loaded->info.ffn.sidecar_notice, {}};
  }
  const Vocabulary vocabulary(llama_model_get_vocab(loaded->model.get()), loaded->info.metadata.fim);
  std::vector<Token> tokens = vocabulary.tokenize(kText);
  tokens.resize(std::min({tokens.size(), kMaxTokens, size_t{loaded->info.context_length}}));

  Logits logits = {{}, static_cast<size_t>(vocabulary.size())};
  logits.values.reserve(tokens.size() * logits.n_vocab);
  Batch batch;
  for (size_t at = 0; at < tokens.size(); at += kBatch) {
    if (cancel.raised()) return Error{ErrorCode::request_cancelled, "comparing was cancelled", {}};
    const auto some = std::span<const Token>(tokens).subspan(at, std::min(kBatch, tokens.size() - at));
    if (llama_decode(loaded->context.get(), batch.fill(some, at)) != 0) {
      if (auto why = loaded->ffns ? loaded->ffns->take_failure() : std::nullopt) return *why;
      return Error{ErrorCode::model_corrupt, spec.path + ": llama.cpp cannot decode it", {{"path", spec.path}}};
    }
    const float* found = llama_get_logits(loaded->context.get());
    logits.values.insert(logits.values.end(), found, found + some.size() * logits.n_vocab);
    on_progress(static_cast<double>(at + some.size()) / static_cast<double>(tokens.size()));
  }
  return logits;
}

double log_sum_exp(std::span<const float> logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - largest);
  return largest + std::log(sum);
}

double divergence_at(std::span<const float> expected, std::span<const float> actual) {
  const double expected_norm = log_sum_exp(expected);
  const double actual_norm = log_sum_exp(actual);
  double sum = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double log_p = expected[i] - expected_norm;
    sum += std::exp(log_p) * (log_p - (actual[i] - actual_norm));
  }
  return sum;
}

}  // namespace

Divergence divergence_between(std::span<const float> expected, std::span<const float> actual, size_t n_vocab) {
  CHECK(!expected.empty() && expected.size() == actual.size() && expected.size() % n_vocab == 0);
  Divergence divergence;
  size_t n_same = 0;
  for (size_t at = 0; at < expected.size(); at += n_vocab) {
    const auto p = expected.subspan(at, n_vocab);
    const auto q = actual.subspan(at, n_vocab);
    const double here = divergence_at(p, q);
    divergence.mean += here;
    divergence.max = std::max(divergence.max, here);
    n_same += index_of_largest(p) == index_of_largest(q);
    ++divergence.n_tokens;
  }
  divergence.mean /= divergence.n_tokens;
  divergence.top_agreement = static_cast<double>(n_same) / divergence.n_tokens;
  return divergence;
}

Result<Divergence> measure_divergence(const ModelSpec& reference, const ModelSpec& measured,
                                      const std::function<void(double)>& on_progress, const CancelFlag& cancel) {
  // One after the other: both at once may not fit in memory.
  auto expected = logits_of_text(reference, [&](double fraction) { on_progress(fraction / 2); }, cancel);
  if (!expected) return expected.error();
  auto actual = logits_of_text(measured, [&](double fraction) { on_progress((1 + fraction) / 2); }, cancel);
  if (!actual) return actual.error();
  return divergence_between(expected->values, actual->values, expected->n_vocab);
}

}  // namespace hotpath
