#include "engine/engine.h"

#include <chrono>
#include <future>

#include "engine/guarded.h"
#include "llama/model_file.h"

namespace hotpath {

namespace {

constexpr size_t kMaxTokenizeBytes = 64 * 1024 * 1024;
// Soon enough for a game that starts, seldom enough to be no work.
constexpr auto kIdleUpkeepEvery = std::chrono::seconds(3);

}  // namespace

Model::Model(LoadedModel loaded) : info_(loaded.info), loaded_(std::make_shared<LoadedModel>(std::move(loaded))), upkeep_(*loaded_) {
  Vocabulary vocabulary(llama_model_get_vocab(loaded_->model.get()), info_.metadata.fim);
  generator_ = std::make_unique<Generator>(loaded_->context.get(), loaded_->ffns.get(), std::move(vocabulary),
                                           info_.sequence_count, info_.context_length);
  thread_ = std::thread([this] { work(); });
}

Model::~Model() { unload(); }

void Model::generate(GenerateParams params, CancelFlag cancel, OnText on_text, OnDone on_done) {
  {
    std::lock_guard lock(mutex_);
    if (!closing_.raised()) {
      waiting_.push_back({std::move(params), std::move(cancel), std::move(on_text), std::move(on_done)});
      changed_.notify_one();
      return;
    }
  }
  on_done(model_unloaded());
}

Result<GenerateResult> Model::generate(const GenerateParams& params, const CancelFlag& cancel, const OnText& on_text) {
  std::promise<Result<GenerateResult>> done;
  generate(params, cancel, on_text, [&done](Result<GenerateResult> result) { done.set_value(std::move(result)); });
  return done.get_future().get();
}

Result<std::vector<Token>> Model::tokenize(const std::string& text) {
  std::shared_ptr<LoadedModel> loaded;
  {
    std::lock_guard lock(mutex_);
    if (closing_.raised()) return model_unloaded();
    loaded = loaded_;
  }
  if (text.size() > kMaxTokenizeBytes) {
    return Error{ErrorCode::request_invalid, format_text("a text of %zu bytes, %zu are the limit", text.size(), kMaxTokenizeBytes), {}};
  }
  return guarded([&]() -> Result<std::vector<Token>> {
    return Vocabulary(llama_model_get_vocab(loaded->model.get()), info_.metadata.fim).tokenize(text);
  });
}

void Model::unload() {
  std::call_once(unloaded_, [this] {
    {
      std::lock_guard lock(mutex_);
      closing_.raise();
      changed_.notify_one();
    }
    thread_.join();
  });
}

void Model::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    wait_for_work(lock);
    if (waiting_.empty()) break;
    const Job job = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    job.on_done(run(job));
    keep_up([this] { upkeep_.after_completion([this] { return has_work(); }); });
    lock.lock();
  }
  const std::shared_ptr<LoadedModel> last = std::move(loaded_);
  lock.unlock();
  keep_up([this] { upkeep_.end(); });
  generator_.reset();
}

void Model::wait_for_work(std::unique_lock<std::mutex>& lock) {
  const auto is_there = [this] { return closing_.raised() || !waiting_.empty(); };
  // Memory that was handed back is taken again after a completion only, so a model without any sleeps undisturbed.
  while (upkeep_.has_work_while_idle() && !changed_.wait_for(lock, kIdleUpkeepEvery, is_there)) {
    lock.unlock();
    keep_up([this] { upkeep_.while_idle(); });
    lock.lock();
  }
  changed_.wait(lock, is_there);
}

bool Model::has_work() {
  std::lock_guard lock(mutex_);
  return closing_.raised() || !waiting_.empty();
}

void Model::keep_up(const std::function<void()>& work) {
  const auto done = guarded([&]() -> Result<Done> {
    work();
    return Done{};
  });
  if (!done) log(LogLevel::warn, "between completions: " + done.error().message);
}

Result<GenerateResult> Model::run(const Job& job) {
  if (closing_.raised()) return model_unloaded();
  if (job.cancel.raised()) return Error{ErrorCode::request_cancelled, "cancelled", {}};
  if (job.params.form == PromptForm::fim) {
    if (auto checked = require_fim(info_.metadata); !checked) return checked.error();
  }
  auto result = guarded([&] { return generator_->generate(job.params, job.cancel, closing_, job.on_text); });
  if (result && loaded_->hot_set) result->stats.hot = loaded_->hot_set->state();
  return result;
}

namespace engine {

Result<Libraries> start(const std::vector<std::string>& library_directories) {
  return guarded([&] { return start_runtime(library_directories); });
}

std::vector<Device> devices() { return list_devices(); }

Result<ModelMetadata> inspect(const std::string& path) {
  return guarded([&]() -> Result<ModelMetadata> {
    auto file = read_model_file(path);
    if (!file) return file.error();
    return file->metadata;
  });
}

Result<std::shared_ptr<Model>> load(const ModelSpec& spec, const OnProgress& on_progress, const CancelFlag& cancel) {
  return guarded([&]() -> Result<std::shared_ptr<Model>> {
    auto loaded = load_model(spec, on_progress, cancel);
    if (!loaded) return loaded.error();
    return std::make_shared<Model>(std::move(*loaded));
  });
}

Result<synth::Written> synthesize(const synth::Spec& spec, const std::string& vocabulary_path, const std::string& path,
                                  const synth::OnWritten& on_written, const CancelFlag& cancel) {
  return guarded([&] { return synth::write_model(spec, vocabulary_path, path, on_written, cancel); });
}

Result<synth::Description> describe_synthetic(const synth::Spec& spec, const std::string& vocabulary_path) {
  return guarded([&] { return synth::describe(spec, vocabulary_path); });
}

Result<Prepared> prepare(const PrepareParams& params, const OnPrepare& on_progress, const CancelFlag& cancel) {
  return guarded([&] { return prepare_model(params, on_progress, cancel); });
}

}  // namespace engine

}  // namespace hotpath
