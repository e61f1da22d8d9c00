#include "llama/generator.h"

#include <algorithm>
#include <cmath>

#include "llama/library_watch.h"
#include "llama/prompt.h"

namespace hotpath {

namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMaxStopStrings = 64;
constexpr size_t kMaxStopBytes = 1024;
constexpr size_t kMaxTextBytes = 256 * 1024 * 1024;
constexpr size_t kMaxPlainBytes = 16 * 1024 * 1024;  // of a prompt that is tokenised whole, in a second or two
constexpr size_t kMaxOverhead = 4;  // special tokens of a prompt

double ms_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

double per_second(size_t n, double ms) { return n > 0 && ms > 0 ? static_cast<double>(n) * 1000 / ms : 0; }

Error invalid(std::string what) { return {ErrorCode::request_invalid, std::move(what), {}}; }

}  // namespace

Error model_unloaded() { return {ErrorCode::model_unloaded, "the model was unloaded", {}}; }

Result<Done> check_params(const GenerateParams& params, size_t context_length) {
  if (params.max_tokens == 0 || params.max_tokens > context_length - kMaxOverhead) {
    return invalid(format_text("maxTokens is %zu, must be 1 to %zu for a context of %zu tokens", params.max_tokens,
                               context_length - kMaxOverhead, context_length));
  }
  if (params.max_prompt_tokens != 0 && params.max_prompt_tokens < kMaxOverhead) {
    return invalid(format_text("maxPromptTokens is %zu, must be 0 or at least %zu", params.max_prompt_tokens, kMaxOverhead));
  }
  if (!std::isfinite(params.temperature) || params.temperature < 0) {
    return invalid(format_text("temperature is %g, must be 0 or more", params.temperature));
  }
  if (!(params.top_p > 0 && params.top_p <= 1)) {
    return invalid(format_text("topP is %g, must be above 0 and at most 1", params.top_p));
  }
  if (!std::isfinite(params.time_limit_ms) || params.time_limit_ms < 0) {
    return invalid(format_text("timeLimitMs is %g, must be 0 or more", params.time_limit_ms));
  }
  if (params.prefix.size() > kMaxTextBytes || params.suffix.size() > kMaxTextBytes) {
    return invalid(format_text("prefix of %zu and suffix of %zu bytes, %zu are the limit", params.prefix.size(),
                               params.suffix.size(), kMaxTextBytes));
  }
  if (params.form == PromptForm::text && params.prefix.size() > kMaxPlainBytes) {
    return invalid(format_text("a prompt of %zu bytes, %zu are the limit", params.prefix.size(), kMaxPlainBytes));
  }
  if (params.stop.size() > kMaxStopStrings) return invalid(format_text("%zu stop strings", params.stop.size()));
  for (const std::string& stop : params.stop) {
    if (stop.empty() || stop.size() > kMaxStopBytes) return invalid(format_text("a stop string of %zu bytes", stop.size()));
  }
  return Done{};
}

/// What one generation accumulates.
struct Generator::Run {
  const GenerateParams& params;
  const OnText& on_text;
  int sequence;
  Sampler sampler;
  TokenHealing healing;
  TextFilter filter;
  Clock::time_point started;
  Clock::time_point first_token;
  GenerateResult result;

  void show(const std::string& text) {
    if (text.empty()) return;
    result.text += text;
    if (on_text) on_text(text);
  }
};

Generator::Generator(llama_context* context, hotcold::Store* ffns, Vocabulary vocabulary, size_t n_sequences,
                     size_t context_length)
    : context_(context),
      ffns_(ffns),
      vocabulary_(std::move(vocabulary)),
      token_bytes_(vocabulary_),
      sequences_(n_sequences),
      context_length_(context_length),
      batch_(llama_batch_init(static_cast<int32_t>(llama_n_ubatch(context)), 0, 1)),
      batch_capacity_(static_cast<int32_t>(llama_n_ubatch(context))) {
  llama_set_abort_callback(context_, on_abort_query, this);
}

Generator::~Generator() { llama_batch_free(batch_); }

bool Generator::on_abort_query(void* self) { return static_cast<const Generator*>(self)->interrupted(); }

bool Generator::interrupted() const {
  return cancel_.raised() || closing_.raised() || (deadline_ != Clock::time_point::max() && Clock::now() >= deadline_);
}

Result<GenerateResult> Generator::generate(const GenerateParams& params, const CancelFlag& cancel,
                                           const CancelFlag& closing, const OnText& on_text) {
  if (auto checked = check_params(params, context_length_); !checked) return checked.error();
  const auto started = Clock::now();
  cancel_ = cancel;
  closing_ = closing;
  deadline_ = params.time_limit_ms > 0
                  ? started + std::chrono::duration_cast<Clock::duration>(
                                  std::chrono::duration<double, std::milli>(std::min(params.time_limit_ms, 1e9)))
                  : Clock::time_point::max();

  const size_t room = context_length_ - params.max_tokens;
  const size_t budget = params.max_prompt_tokens == 0 ? room : std::min(room, params.max_prompt_tokens);
  auto [prompt, unfinished, cut] = params.form == PromptForm::text
                                       ? build_text_prompt(vocabulary_, params.prefix, budget)
                                       : build_prompt(vocabulary_, params.prefix, params.suffix, budget);
  if (prompt.empty()) return invalid("the prompt is empty, and this model's prompts begin with no token of their own");
  const auto choice = sequences_.choose(params.sequence_key, prompt);
  const size_t reused = keep_tokens(choice.index, params.fresh_cache ? 0 : choice.reuse);

  Run run = {params, on_text, choice.index, Sampler(params.temperature, params.top_p, params.seed),
             TokenHealing(std::move(unfinished)), TextFilter(params.stop, params.max_lines), started, {}, {}};
  run.result.stats.prompt_tokens = prompt.size();
  run.result.stats.reused_tokens = reused;
  run.result.stats.cut_tokens = cut;
  if (params.time_tokens) run.result.stats.token_times_ms.emplace().reserve(params.max_tokens);

  const auto prefill_started = Clock::now();
  auto prefilled = prefill(choice.index, std::span<const Token>(prompt).subspan(reused));
  if (!prefilled) return prefilled.error();
  // llama_decode returns while a GPU still computes; its speed would be that of handing over the work.
  llama_synchronize(context_);
  const auto prefill_ended = Clock::now();
  if (ffns_) ffns_->reset_stats();
  Result<StopReason> stopped = *prefilled == Decoded::ok ? decode_text(run) : StopReason::time;
  if (!stopped) return stopped.error();
  if (closing.raised()) return model_unloaded();
  if (cancel.raised()) return Error{ErrorCode::request_cancelled, "cancelled", {}};

  run.show(run.filter.finish());
  const auto ended = Clock::now();
  GenerateStats& stats = run.result.stats;
  run.result.stop_reason = *stopped;
  stats.total_ms = ms_between(started, ended);
  if (ffns_) stats.ffn = ffns_->stats();
  if (*prefilled == Decoded::ok) {
    stats.prefill_tokens_per_second = per_second(prompt.size() - reused, ms_between(prefill_started, prefill_ended));
  }
  if (stats.generated_tokens > 0) {
    stats.ttft_ms = ms_between(started, run.first_token);
    stats.decode_tokens_per_second = per_second(stats.generated_tokens - 1, ms_between(run.first_token, ended));
  }
  return std::move(run.result);
}

size_t Generator::keep_tokens(int sequence, size_t n) {
  if (n == sequences_.tokens(sequence).size()) return n;
  const llama_memory_t memory = llama_get_memory(context_);
  const bool cut = n > 0 && llama_memory_seq_rm(memory, sequence, static_cast<llama_pos>(n), -1) &&
                   llama_memory_seq_pos_min(memory, sequence) == 0;
  if (!cut) {
    // Recurrent states cannot be cut, and a sliding window may have lost what the kept tokens would attend to.
    llama_memory_seq_rm(memory, sequence, -1, -1);
    n = 0;
  }
  sequences_.truncate(sequence, n);
  return n;
}

Result<Generator::Decoded> Generator::decode(int sequence, std::span<const Token> tokens) {
  const size_t position = sequences_.tokens(sequence).size();
  batch_.n_tokens = static_cast<int32_t>(tokens.size());
  for (size_t i = 0; i < tokens.size(); ++i) {
    batch_.token[i] = tokens[i];
    batch_.pos[i] = static_cast<llama_pos>(position + i);
    batch_.n_seq_id[i] = 1;
    batch_.seq_id[i][0] = sequence;
    batch_.logits[i] = i + 1 == tokens.size();
  }
  LibraryWatch watch;
  const int32_t status = llama_decode(context_, batch_);
  if (status == 0) {
    sequences_.append(sequence, tokens);
    return Decoded::ok;
  }
  // Nothing of a failed batch may stay, or positions and bookkeeping would disagree.
  if (position == 0 || !llama_memory_seq_rm(llama_get_memory(context_), sequence, static_cast<llama_pos>(position), -1)) {
    llama_memory_seq_rm(llama_get_memory(context_), sequence, -1, -1);
    sequences_.truncate(sequence, 0);
  }
  if (status == 2) return Decoded::interrupted;
  if (auto why = ffns_ ? ffns_->take_failure() : std::nullopt) return *why;
  if (status == -2) return Error{ErrorCode::device_out_of_memory, "llama.cpp ran out of memory: " + watch.errors(), {}};
  return Error{ErrorCode::internal_bug, format_text("llama_decode returned %d: ", status) + watch.errors(),
               {{"position", static_cast<double>(position)}, {"tokens", static_cast<double>(tokens.size())}}};
}

Result<Generator::Decoded> Generator::prefill(int sequence, std::span<const Token> prompt) {
  while (!prompt.empty()) {
    if (interrupted()) return Decoded::interrupted;
    const size_t n = std::min(prompt.size(), static_cast<size_t>(batch_capacity_));
    auto decoded = decode(sequence, prompt.first(n));
    if (!decoded || *decoded == Decoded::interrupted) return decoded;
    prompt = prompt.subspan(n);
  }
  return Decoded::ok;
}

Result<StopReason> Generator::decode_text(Run& run) {
  size_t& n_generated = run.result.stats.generated_tokens;
  std::string bytes;
  while (true) {
    if (!constrain(run.healing)) return StopReason::end;
    auto sampled = run.sampler.sample(context_, vocabulary_.size());
    if (!sampled) return sampled.error();
    if (++n_generated == 1) run.first_token = Clock::now();
    if (auto& times = run.result.stats.token_times_ms) times->push_back(ms_between(run.started, Clock::now()));
    if (!run.params.ignore_end && vocabulary_.ends_generation(*sampled)) return StopReason::end;
    bytes.clear();
    vocabulary_.append_bytes(*sampled, bytes);
    run.show(run.filter.push(run.healing.take(bytes)));
    if (run.filter.state() == TextFilter::State::lines) return StopReason::lines;
    if (run.filter.state() == TextFilter::State::stop) return StopReason::stop;
    if (n_generated == run.params.max_tokens) return StopReason::tokens;
    if (interrupted()) return StopReason::time;
    auto decoded = decode(run.sequence, std::span(&*sampled, 1));
    if (!decoded) return decoded.error();
    if (*decoded == Decoded::interrupted) return StopReason::time;
  }
}

bool Generator::constrain(const TokenHealing& healing) {
  if (healing.done()) return true;
  float* logits = llama_get_logits_ith(context_, -1);
  CHECK(logits);
  return healing.constrain(token_bytes_, {logits, token_bytes_.size()});
}

}  // namespace hotpath
