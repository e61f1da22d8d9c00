// The engine as its users see it (addon, tests, bench): models that generate, off the caller's thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/cancel.h"
#include "core/error.h"
#include "core/log.h"
#include "engine/prepare.h"
#include "engine/upkeep.h"
#include "llama/generator.h"
#include "llama/loaded_model.h"
#include "llama/runtime.h"
#include "synth/writer.h"

namespace hotpath {

using OnDone = std::function<void(Result<GenerateResult>)>;

/// A loaded model and the one thread that runs its generations, in the order they were asked for.
/// Every method may be called from any thread but the model's own.
class Model {
 public:
  explicit Model(LoadedModel loaded);
  ~Model();
  Model(const Model&) = delete;

  const LoadedInfo& info() const { return info_; }

  /// Returns at once. Calls back on the model's thread; `on_done` exactly once, also after unload.
  void generate(GenerateParams params, CancelFlag cancel, OnText on_text, OnDone on_done);

  /// The same, waiting for the end.
  Result<GenerateResult> generate(const GenerateParams& params, const CancelFlag& cancel = {}, const OnText& on_text = {});

  Result<std::vector<Token>> tokenize(const std::string& text);

  /// Ends what runs and what waits with model/unloaded, frees the memory, and returns when that is done.
  void unload();
  bool is_unloading() const { return closing_.raised(); }

 private:
  struct Job {
    GenerateParams params;
    CancelFlag cancel;
    OnText on_text;
    OnDone on_done;
  };

  void work();
  void wait_for_work(std::unique_lock<std::mutex>& lock);
  Result<GenerateResult> run(const Job& job);
  /// What it throws is logged: completions go on.
  void keep_up(const std::function<void()>& work);
  bool has_work();

  const LoadedInfo info_;
  CancelFlag closing_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> waiting_;
  std::shared_ptr<LoadedModel> loaded_;  // shared with a tokenize that runs while the model is unloaded
  Upkeep upkeep_;  // this and the generator: used on the model's thread only
  std::unique_ptr<Generator> generator_;
  std::once_flag unloaded_;
  std::thread thread_;
};

namespace engine {

/// Finds the backends; once per process, later calls return the same.
Result<Libraries> start(const std::vector<std::string>& library_directories);

std::vector<Device> devices();

/// Reads the header only. Any bytes give a result or a coded error.
Result<ModelMetadata> inspect(const std::string& path);

/// Blocks until loaded, failed or cancelled.
Result<std::shared_ptr<Model>> load(const ModelSpec& spec, const OnProgress& on_progress = {},
                                    const CancelFlag& cancel = {});

/// Writes a synthetic model; blocks until it is done.
Result<synth::Written> synthesize(const synth::Spec& spec, const std::string& vocabulary_path, const std::string& path,
                                  const synth::OnWritten& on_written, const CancelFlag& cancel);

/// What synthesize would write.
Result<synth::Description> describe_synthetic(const synth::Spec& spec, const std::string& vocabulary_path);

/// Makes or checks the sidecar of a model; blocks until it is done.
Result<Prepared> prepare(const PrepareParams& params, const OnPrepare& on_progress, const CancelFlag& cancel);

}  // namespace engine

}  // namespace hotpath
