#include "llama/loaded_model.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>

#include "core/log.h"
#include "core/read_ahead.h"
#include "core/system.h"
#include "hotcold/plan.h"
#include "llama/hybrid_placement.h"
#include "llama/layer_placement.h"
#include "llama/library_watch.h"
#include "llama/likelihood.h"
#include "llama/powerinfer_loader.h"
#include "llama/vocabulary.h"

namespace hotpath {

namespace {

constexpr uint32_t kMinContext = 64;
// How long ggml's threads spin for the next graph, in steps of about 5 ms: long enough for the pause between two tokens,
// where sleeping and waking would cost a tenth of a small model's speed; ggml's default of 50 burns a quarter of a second
// of every core after each completion.
constexpr uint32_t kThreadPolling = 1;
constexpr const char* kProbeText = "def add(a, b):\n    return a + b\n\n\ndef subtract(a, b):\n    return a - b\n";
constexpr size_t kMaxProbeTokens = 24;
constexpr size_t kMaxCalibrationTokens = 256;
constexpr int kMaxThreads = GGML_MAX_N_THREADS;

Error invalid(std::string what) { return {ErrorCode::request_invalid, std::move(what), {}}; }

Error cancelled() { return {ErrorCode::request_cancelled, "loading was cancelled", {}}; }

Result<Done> check_spec(const ModelSpec& spec) {
  if (spec.path.empty() || spec.path.find('\0') != std::string::npos) return invalid("the path of the model is empty");
  if (spec.gpu_layers < -1) return invalid(format_text("gpuLayers is %d, must be -1 or more", spec.gpu_layers));
  if (spec.threads < 0 || spec.threads > kMaxThreads) {
    return invalid(format_text("threads is %d, must be 0 to %d", spec.threads, kMaxThreads));
  }
  if (spec.context_length != 0 && spec.context_length < kMinContext) {
    return invalid(format_text("contextLength is %u, must be 0 or at least %u", spec.context_length, kMinContext));
  }
  if (spec.n_sequences > kMaxSequences) return invalid(format_text("%u sequences, %u are the limit", spec.n_sequences, kMaxSequences));
  if (!(spec.silent_share >= 0 && spec.silent_share < 1)) {
    return invalid(format_text("silentShare is %g, must be 0 or more and less than 1", spec.silent_share));
  }
  return Done{};
}

ggml_backend_dev_t cpu_device() { return ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU); }

ggml_backend_reg_t cpu_backend() { return ggml_backend_dev_backend_reg(cpu_device()); }

template <typename Function>
Function* cpu_function(const char* name) {
  return reinterpret_cast<Function*>(ggml_backend_reg_get_proc_address(cpu_backend(), name));
}

/// What loading takes its time for, in bytes: reading the file, handing over its tensors, clearing the KV caches. One counts
/// like another, as nobody knows beforehand how fast disk and memory are.
struct Steps {
  double read = 0;
  double weights = 0;
  double kv = 0;
};

/// One way to load: on these GPUs, with this many layers there.
struct Attempt {
  std::vector<ggml_backend_dev_t> gpus;
  LayerPlacement placement;
  std::optional<HybridPlacement> hybrid;  // nothing: whole layers only
};

class Loader {
 public:
  Loader(const ModelSpec& spec, ModelFile file, const OnProgress& on_progress, const CancelFlag& cancel)
      : spec_(spec), file_(std::move(file)), on_progress_(on_progress), cancel_(cancel) {
    context_length_ = served_context(spec.context_length, file_.metadata);
    threads_ = served_threads(spec.threads);
    if (file_.form && !file_.form->is_certain && spec.mode == hotcold::Mode::dense) file_.form.reset();
  }

  Result<LoadedModel> load() {
    const auto gpus = spec_.device == DeviceChoice::cpu ? std::vector<ggml_backend_dev_t>() : usable_gpus();
    auto gpu = plan(gpus);
    if (!gpu) return gpu.error();
    const auto identity = identify_model_file(spec_.path);
    if (!identity) return identity.error();
    identity_ = *identity;
    std::string why;
    if (const auto hybrid = plan_hybrid(gpus, *gpu)) {
      auto loaded = attempt(*hybrid);
      if (loaded || loaded.error().code == ErrorCode::request_cancelled) return loaded;
      why = "loading to " + std::string(ggml_backend_dev_name(hybrid->hybrid->device)) + " as planned failed: " + loaded.error().message;
      log(LogLevel::warn, why);
      gpu->placement.notice = why;
    }
    auto loaded = attempt(*gpu);
    if (loaded || gpu->placement.gpu_layers == 0 || loaded.error().code == ErrorCode::request_cancelled) return loaded;

    why = "loading to the GPU failed: " + loaded.error().message;
    log(LogLevel::warn, why);
    auto cpu = plan({});
    if (!cpu) return cpu.error();
    cpu->placement.notice = why;
    return attempt(*cpu);
  }

 private:
  /// Also reads what was kept of earlier work, which the plan is made from.
  std::unique_ptr<ProfileKeeper> make_profile() const {
    std::vector<uint32_t> neurons;
    for (const FfnWeights& ffn : file_.shape.ffn) neurons.push_back(ffn.is_splittable() ? ffn.all_neurons() : 0);
    return std::make_unique<ProfileKeeper>(spec_.profile, identity_, file_.metadata.name, neurons);
  }

  std::optional<Attempt> plan_hybrid(const std::vector<ggml_backend_dev_t>& gpus, const Attempt& whole_layers) {
    profile_ = make_profile();
    if (!profile_->notice().empty()) log(LogLevel::warn, profile_->notice());
    HybridInput input = {file_, spec_, identity_};
    input.profile = profile_->known().layers.empty() ? nullptr : &profile_->known();
    input.context_length = context_length_;
    input.n_sequences = whole_layers.placement.n_sequences;
    input.gpus = gpus;
    input.fits = whole_layers.placement.gpu_layers > static_cast<int>(file_.metadata.layer_count);
    auto hybrid = place_hybrid(input);
    if (!hybrid) return std::nullopt;
    Attempt attempt;
    attempt.placement.gpu_layers = hybrid->gpu_layers();
    attempt.placement.n_sequences = whole_layers.placement.n_sequences;
    if (attempt.placement.gpu_layers > 0) attempt.gpus = {hybrid->device};
    attempt.hybrid = std::move(hybrid);
    return attempt;
  }

  FreeMemory free_memory(const std::vector<ggml_backend_dev_t>& gpus) const {
    FreeMemory free = {available_memory_bytes(), {}};
    for (const ggml_backend_dev_t gpu : gpus) free.gpu_bytes.push_back(free_device_bytes(gpu, spec_.vram_bytes));
    return free;
  }

  Result<Attempt> plan(std::vector<ggml_backend_dev_t> gpus) const {
    const int gpu_layers = spec_.device == DeviceChoice::cpu ? 0 : spec_.gpu_layers;
    auto placement = place_layers(file_, free_memory(gpus), {context_length_, gpu_layers, spec_.n_sequences});
    if (!placement) return placement.error();
    if (placement->gpu_layers == 0) gpus.clear();
    return Attempt{std::move(gpus), std::move(*placement)};
  }

  Result<LoadedModel> attempt(const Attempt& attempt) {
    auto loaded = load_all(attempt);
    if (!loaded || !file_.form || file_.form->is_certain) return loaded;
    const auto is_right = form_is_right(*loaded);
    if (!is_right && is_right.error().code != ErrorCode::model_unsupported) return is_right.error();
    file_.form->is_certain = true;
    if (is_right && *is_right) return loaded;
    if (!is_right) {
      // What is only suspected is no reason to refuse.
      form_notice_ = file_.form->reason + ", but with ReLU it cannot be computed: " + is_right.error().message;
      log(LogLevel::warn, form_notice_);
    }
    file_.form.reset();
    { const LoadedModel wrong = std::move(*loaded); }  // its memory is needed for the next
    return load_all(attempt);
  }

  Result<LoadedModel> load_all(const Attempt& attempt) {
    LoadedModel loaded;
    loaded.info.fallback = attempt.placement.notice;
    auto plan = plan_ffns(attempt);
    if (!plan && file_.form && !file_.form->is_certain) {
      file_.form.reset();  // what is only suspected is no reason to refuse
      plan = plan_ffns(attempt);
    }
    if (!plan) return plan.error();
    // A hybrid's need was checked when it was planned.
    if (!attempt.hybrid) {
      if (auto done = check_memory(file_, attempt.placement, free_memory(attempt.gpus), plan->layers); !done) return done.error();
    }
    if (auto done = load_weights(attempt, *plan, loaded); !done) return done.error();
    if (auto done = check_capabilities(loaded); !done) return done.error();
    if (auto done = make_context(attempt.placement.n_sequences, loaded); !done) return done.error();
    if (cancel_.raised()) return cancelled();
    if (plan->mode == hotcold::Mode::threshold) {
      if (auto done = calibrate(loaded); !done) return done.error();
    }
    if (loaded.ffns) {
      // An attempt that failed later has taken the one that was planned with.
      loaded.profile = profile_ ? std::move(profile_) : make_profile();
      loaded.ffns->set_observer(&loaded.profile->recorder());
      loaded.info.ffn.profile_notice = loaded.profile->notice();
      if (attempt.hybrid && attempt.hybrid->has_hot_neurons()) place_hot_neurons(*attempt.hybrid, loaded);
    }
    describe(attempt, loaded);
    report(steps_.read + steps_.weights + steps_.kv);
    return loaded;
  }

  void report(double bytes) const {
    if (on_progress_) on_progress_(static_cast<float>(bytes / (steps_.read + steps_.weights + steps_.kv)));
  }

  Steps plan_steps(uint32_t n_sequences) const {
    Steps steps;
    // What does not fit would be gone again when it is used.
    const bool fits = file_.metadata.file_bytes <= available_memory_bytes();
    if (is_worth_reading_ahead() && fits && !file_.powerinfer) steps.read = static_cast<double>(file_.metadata.file_bytes);
    steps.weights = static_cast<double>(file_.shape.weight_bytes());
    steps.kv = static_cast<double>(file_.shape.kv_bytes_per_token()) * context_length_ * n_sequences;
    return steps;
  }

  void read_files() const {
    double before = 0;
    const auto read = [&](const std::string& path) {
      double bytes = 0;
      read_ahead(path, [&](uint64_t n) {
        bytes = static_cast<double>(n);
        report(before + bytes);
        return !cancel_.raised();
      });
      before += bytes;
    };
    read(spec_.path);
    for (const std::string& path : file_.further_paths) {
      if (!cancel_.raised()) read(path);
    }
  }

  /// Whether some code is likelier with the suspected form than with llama.cpp's own. The wrong activation makes any
  /// text unlikely; that many gates are negative would say little, as they are with SiLU too.
  Result<bool> form_is_right(LoadedModel& loaded) const {
    const Vocabulary vocabulary(llama_model_get_vocab(loaded.model.get()), std::nullopt);
    std::vector<Token> tokens = vocabulary.tokenize(kProbeText);
    if (tokens.size() > kMaxProbeTokens) tokens.resize(kMaxProbeTokens);
    const auto with = mean_log_likelihood(loaded, tokens, cancel_);
    if (!with) return with.error();
    loaded.ffns->set_form({});
    const auto without = mean_log_likelihood(loaded, tokens, cancel_);
    if (!without) return without.error();
    loaded.ffns->set_form(file_.form->form);
    log(LogLevel::info, format_text("%s: log-likelihood of a sample %.2f with ReLU, %.2f without",
                                    file_.form->reason.c_str(), *with, *without));
    return *with > *without;
  }

  /// Finds the thresholds below which the wanted share of the gates lies.
  Result<Done> calibrate(LoadedModel& loaded) const {
    const Vocabulary vocabulary(llama_model_get_vocab(loaded.model.get()), std::nullopt);
    std::vector<Token> tokens = vocabulary.tokenize(spec_.calibration_text.empty() ? kProbeText : spec_.calibration_text);
    if (tokens.size() < 2) return invalid("the text for the calibration is too short");
    tokens.resize(std::min<size_t>({tokens.size(), kMaxCalibrationTokens, context_length_}));
    loaded.ffns->begin_calibration();
    const auto ran = mean_log_likelihood(loaded, tokens, cancel_);
    loaded.ffns->end_calibration(spec_.silent_share);
    if (!ran) return ran.error();
    loaded.info.ffn.reason += format_text("; lossy: %.0f %% of the gates are taken as silent, measured on %zu tokens",
                                          spec_.silent_share * 100, tokens.size() - 1);
    return Done{};
  }

  Result<hotcold::Plan> plan_ffns(const Attempt& attempt) const {
    const int n_layers = static_cast<int>(file_.metadata.layer_count);
    hotcold::PlanInput input;
    input.architecture = file_.metadata.architecture;
    input.tensors = file_.shape.layer_tensors;
    input.n_layers = n_layers;
    // With a plan, that says which layers are ours; else those whose attention is on the CPU.
    const int first_gpu_attention = std::max(0, n_layers + 1 - std::max(1, attempt.placement.gpu_layers));
    input.first_gpu_layer = attempt.hybrid ? n_layers : first_gpu_attention;
    input.isa = hotcold::usable_isas().front();
    input.rows_speedup = [isa = input.isa](ggml_type type) { return hotcold::rows_speedup(type, isa); };
    input.is_output_on_gpu = attempt.placement.gpu_layers > 0;
    if (file_.form) input.form = file_.form->form;
    input.has_predictors = file_.powerinfer && file_.powerinfer->has_predictors();
    // A plan that splits neurons was made because it is faster; how fast the CPU's kernels are was part of it.
    const bool is_decided = attempt.hybrid && spec_.mode == hotcold::Mode::automatic;
    const auto decided = [&] { return attempt.hybrid->planned.plan.is_stock ? hotcold::Mode::dense : hotcold::Mode::exact; };
    auto plan = hotcold::plan_ffns(input, is_decided ? decided() : spec_.mode);
    if (plan && attempt.hybrid) {
      const std::vector<int> split = attempt.hybrid->split_layers();
      std::erase_if(plan->layers, [&](int layer) { return !std::binary_search(split.begin(), split.end(), layer); });
      if (is_decided) plan->reason = attempt.hybrid->planned.report.reason;
      if (!attempt.hybrid->assumption.empty()) plan->reason += "; " + attempt.hybrid->assumption;
      plan->plain.clear();  // the plan puts attention where a device has it
      if (plan->layers.empty()) plan->mode = hotcold::Mode::dense;
    }
    if (plan) hotcold::limit_prediction(*plan, first_gpu_attention);
    return plan;
  }

  FfnInfo describe_ffns(const hotcold::Plan& plan) const {
    FfnInfo info = {plan.mode, plan.reason, static_cast<uint32_t>(plan.layers.size())};
    const ModelShape& shape = file_.shape;
    info.other_bytes = shape.head_bytes();
    for (const uint64_t bytes : shape.layer_bytes) info.other_bytes += bytes;
    for (const FfnWeights& ffn : shape.ffn) {
      info.neuron_bytes.push_back(ffn.all_neurons() > 0 ? static_cast<double>(ffn.bytes()) / ffn.all_neurons() : 0);
      info.other_bytes -= ffn.predictor_bytes + ffn.bytes() - ffn.token_bytes(shape.experts_used);
    }
    for (const int layer : plan.layers) {
      const FfnWeights& ffn = shape.ffn[layer];
      info.other_bytes -= ffn.token_bytes(shape.experts_used);
      info.neurons_per_token += uint64_t{ffn.n_neurons} * (ffn.n_experts > 0 ? shape.experts_used : 1);
    }
    return info;
  }

  Result<Done> load_weights(const Attempt& attempt, const hotcold::Plan& plan, LoadedModel& loaded) {
    std::vector<ggml_backend_dev_t> devices = attempt.gpus;
    devices.push_back(nullptr);
    llama_model_params params = llama_model_default_params();
    params.devices = devices.data();
    params.n_gpu_layers = attempt.placement.gpu_layers;
    loaded.info.ffn = describe_ffns(plan);
    if (file_.form) loaded.info.ffn.reason += " (" + file_.form->reason + ")";
    if (!form_notice_.empty()) loaded.info.ffn.reason += "; " + form_notice_;
    const std::string ffn_tensors = plan.tensor_pattern();
    hotcold::Plan on_cpu;
    if (attempt.hybrid) on_cpu.layers = attempt.hybrid->cpu_ffn_layers();
    const std::string cpu_tensors = on_cpu.tensor_pattern();
    std::vector<llama_model_tensor_buft_override> overrides;
    if (!on_cpu.layers.empty()) overrides.push_back({cpu_tensors.c_str(), ggml_backend_dev_buffer_type(cpu_device())});
    if (plan.mode != hotcold::Mode::dense) {
      const hotcold::Isa isa = hotcold::usable_isas().front();
      loaded.ffns = std::make_unique<hotcold::Store>(isa);
      loaded.ffns->set_packing_threads(threads_);
      loaded.ffns->set_mode(plan.mode);
      if (plan.is_plain) loaded.ffns->set_plain();
      if (file_.form) loaded.ffns->set_form(file_.form->form);
      loaded.info.ffn.kernels = hotcold::isa_name(isa);
      use_sidecar(loaded);
      // Of a model with layers on a GPU, llama.cpp decides by itself whether to map it.
      if (attempt.gpus.empty() && !file_.powerinfer) {
        params.load_mode = LLAMA_LOAD_MODE_MMAP;
        loaded.ffns->set_source_is_mapped();
      }
      overrides.push_back({ffn_tensors.c_str(), loaded.ffns->buffer_type()});
    }
    overrides.push_back({nullptr, nullptr});
    params.tensor_buft_overrides = overrides.data();
    params.progress_callback_user_data = this;
    params.progress_callback = [](float fraction, void* self) {
      const auto* loader = static_cast<const Loader*>(self);
      loader->report(loader->steps_.read + fraction * loader->steps_.weights);
      return !loader->cancel_.raised();
    };
    steps_ = plan_steps(attempt.placement.n_sequences);
    if (steps_.read > 0) read_files();
    if (cancel_.raised()) return cancelled();
    layers_on_.clear();
    buffers_ = {};
    LibraryWatch watch([this](const std::string& line) {
      note_layer(line);
      buffers_.add_line(line);
    });
    Result<llama_model*> model = nullptr;
    watch.run([&] {
      if (file_.powerinfer) model = load_powerinfer(spec_.path, params, *loaded.ffns);
      else model = llama_model_load_from_file(spec_.path.c_str(), params);
    });
    if (cancel_.raised()) return cancelled();
    if (!model) return model.error();
    loaded.model.reset(*model);
    if (!loaded.model) return why_not_loaded(watch.errors());
    if (loaded.ffns) note_missing(loaded);
    return Done{};
  }

  /// What a sidecar lacks: it was made for another mode, or our kernels compared otherwise with ggml's that time.
  void note_missing(LoadedModel& loaded) const {
    const hotcold::Store::Found& found = loaded.ffns->found_in_sidecar();
    if (found.missing == 0) return;
    FfnInfo& ffn = loaded.info.ffn;
    ffn.sidecar_notice = ffn.sidecar + format_text(": lacks %u of the %u matrices that are computed here; %.0f MB were packed while loading; "
                                                   "run hotpath prepare --mode %s again",
                                                   found.missing, found.matrices, static_cast<double>(found.missing_bytes) / 1e6, hotcold::mode_name(spec_.mode));
    log(LogLevel::warn, ffn.sidecar_notice);
    if (found.missing == found.matrices) ffn.sidecar.clear();
  }

  void use_sidecar(LoadedModel& loaded) const {
    hotcold::SidecarChoice choice = hotcold::choose_sidecar(spec_.path, spec_.sidecars);
    loaded.info.ffn.sidecar_notice = choice.notice;
    if (!choice.notice.empty()) log(LogLevel::warn, choice.notice);
    if (!choice.sidecar) return;
    loaded.info.ffn.sidecar = choice.sidecar->path();
    loaded.ffns->set_sidecar(std::move(choice.sidecar));
  }

  /// llama.cpp tells where it put a layer only in its log; what it says there is what happened.
  void note_layer(const std::string& line) {
    int layer;
    char device[128];
    if (std::sscanf(line.c_str(), "load_tensors: layer %d assigned to device %127[^,]", &layer, device) != 2) return;
    if (layer < static_cast<int>(file_.metadata.layer_count)) ++layers_on_[device];
  }

  Error why_not_loaded(const std::string& errors) const {
    const std::string& path = file_.metadata.path;
    if (errors.find("unknown model architecture") != std::string::npos) {
      return {ErrorCode::model_unsupported, path + ": unknown architecture " + file_.metadata.architecture,
              {{"path", path}, {"architecture", file_.metadata.architecture}}};
    }
    for (const char* unsupported : {"unknown tokenizer", "unknown pre-tokenizer", "not supported"}) {
      if (errors.find(unsupported) != std::string::npos) {
        return {ErrorCode::model_unsupported, path + ": " + errors, {{"path", path}}};
      }
    }
    for (const char* memory : {"failed to allocate", "unable to allocate", "bad_alloc", "out of memory"}) {
      if (errors.find(memory) != std::string::npos) {
        return {ErrorCode::device_out_of_memory, path + ": " + errors, {{"path", path}}};
      }
    }
    return {ErrorCode::model_corrupt, path + ": " + (errors.empty() ? "llama.cpp gives no reason" : errors), {{"path", path}}};
  }

  Result<Done> check_capabilities(const LoadedModel& loaded) const {
    const llama_model* model = loaded.model.get();
    const char* what = nullptr;
    if (llama_model_has_encoder(model)) what = "an encoder-decoder model";
    if (!llama_model_has_decoder(model)) what = "a model that only encodes";
    if (llama_model_is_diffusion(model)) what = "a diffusion model";
    if (!what) return Done{};
    return Error{ErrorCode::model_unsupported, file_.metadata.path + ": is " + what + ", only decoders can complete code",
                 {{"path", file_.metadata.path}, {"architecture", file_.metadata.architecture}}};
  }

  Result<Done> make_context(uint32_t n_sequences, LoadedModel& loaded) {
    llama_context_params params = llama_context_default_params();
    params.n_ctx = context_length_ * n_sequences;
    params.n_seq_max = n_sequences;
    params.kv_unified = false;
    params.n_batch = std::min(kMicroBatch, context_length_);
    params.n_ubatch = params.n_batch;
    params.n_outputs_max = kMaxOutputs;  // the default would reserve logits for every token of a batch
    params.n_threads = threads_;
    params.n_threads_batch = threads_;
    LibraryWatch watch([this](const std::string& line) { buffers_.add_line(line); });
    watch.run([&] { loaded.context.reset(llama_init_from_model(loaded.model.get(), params)); });
    if (!loaded.context) return why_not_loaded(watch.errors());
    attach_threadpool(loaded);
    return Done{};
  }

  /// Without a pool of its own, every graph (every token) starts and ends its threads.
  void attach_threadpool(LoadedModel& loaded) const {
    const auto make = cpu_function<ggml_threadpool*(ggml_threadpool_params*)>("ggml_threadpool_new");
    if (!make) return;
    ggml_threadpool_params params = ggml_threadpool_params_default(threads_);
    params.poll = kThreadPolling;
    loaded.threadpool.reset(make(&params));
    if (loaded.threadpool) llama_attach_threadpool(loaded.context.get(), loaded.threadpool.get(), loaded.threadpool.get());
    if (loaded.ffns) loaded.ffns->set_threadpool(loaded.threadpool.get());
  }

  /// After all else that the device has to hold: what finds no room is computed on the CPU.
  void place_hot_neurons(const HybridPlacement& hybrid, LoadedModel& loaded) const {
    if (auto unit = make_empty_unit(*loaded.ffns, hybrid.form, hybrid.device, spec_.cuda_library)) {
      HotSet::Spec spec;
      spec.n_hot = hybrid.hot_neurons();
      spec.activity = loaded.profile->known().layers;
      spec.reserve_bytes = gpu_reserve_for_others();
      spec.free_bytes = [device = hybrid.device] { return free_device_bytes(device, 0); };
      loaded.hot_set = std::make_unique<HotSet>(*loaded.ffns, std::move(*unit), std::move(spec), cancel_);
      loaded.info.ffn.hot = loaded.hot_set->state();
      if (!loaded.hot_set->notice().empty()) loaded.info.fallback = loaded.hot_set->notice();
    } else {
      loaded.info.fallback = "no neurons are on " + std::string(ggml_backend_dev_name(hybrid.device)) + ": " + unit.error().message;
      log(LogLevel::warn, loaded.info.fallback);
    }
  }

  void describe(const Attempt& attempt, LoadedModel& loaded) const {
    loaded.info.metadata = file_.metadata;
    loaded.info.spec = spec_;
    loaded.info.context_length = std::min(context_length_, llama_n_ctx_seq(loaded.context.get()));
    loaded.info.sequence_count = attempt.placement.n_sequences;
    loaded.info.threads = threads_;
    loaded.info.kv_bytes = file_.shape.kv_bytes_per_token() * llama_n_ctx_seq(loaded.context.get()) * attempt.placement.n_sequences;
    for (const Device& device : list_devices()) {
      DeviceShare share = share_of(device, attempt, loaded.info.ffn.hot);
      // One that has hot neurons only runs no layer.
      if (share.layers > 0 || (share.memory && share.memory->total() > 0)) loaded.info.devices.push_back(std::move(share));
    }
  }

  static std::vector<std::string> gpu_names() {
    std::vector<std::string> names;
    for (const Device& device : list_devices()) {
      if (device.kind == DeviceKind::gpu) names.push_back(device.name);
    }
    return names;
  }

  DeviceShare share_of(const Device& device, const Attempt& attempt, const HotState& hot) const {
    const auto layers = layers_on_.find(device.name);
    DeviceShare share = {device.name, device.description, device.kind, layers == layers_on_.end() ? 0 : layers->second};
    if (device.kind == DeviceKind::cpu) share.memory = buffers_.beside(gpu_names(), file_.shape.weight_bytes());
    if (device.kind != DeviceKind::gpu) return share;
    share.memory = buffers_.on(device.name);
    const bool has_hot = attempt.hybrid && device.name == ggml_backend_dev_name(attempt.hybrid->device);
    if (has_hot) share.memory->hot_bytes = hot.vram_bytes;
    return share;
  }

  const ModelSpec& spec_;
  ModelFile file_;
  const OnProgress& on_progress_;
  const CancelFlag& cancel_;
  uint32_t context_length_;
  int threads_;
  ModelIdentity identity_;
  std::string form_notice_;  // why a form that was suspected is not tried; else empty
  std::unique_ptr<ProfileKeeper> profile_;
  std::map<std::string, uint32_t> layers_on_;
  BufferLog buffers_;
  Steps steps_;
};

}  // namespace

void FreeThreadpool::operator()(ggml_threadpool* pool) const {
  const auto free = cpu_function<void(ggml_threadpool*)>("ggml_threadpool_free");
  CHECK(free);
  free(pool);
}

int served_threads(int wanted) { return wanted > 0 ? wanted : std::max(1, physical_core_count() - 1); }

uint32_t served_context(uint32_t wanted, const ModelMetadata& metadata) {
  return std::max(kMinContext, std::min(wanted == 0 ? kDefaultContext : wanted, metadata.trained_context_length));
}

Result<Done> require_fim(const ModelMetadata& metadata) {
  if (metadata.fim) return Done{};
  return Error{ErrorCode::model_no_fim,
               metadata.name + " has no fill-in-the-middle tokens (prefix, suffix, middle) in its vocabulary of " +
                   std::to_string(metadata.vocabulary_size) + " tokens; a code model trained for completion is needed",
               {{"path", metadata.path}, {"architecture", metadata.architecture}}};
}

Result<LoadedModel> load_model(const ModelSpec& spec, const OnProgress& on_progress, const CancelFlag& cancel) {
  const auto started = std::chrono::steady_clock::now();
  if (auto checked = check_spec(spec); !checked) return checked.error();
  auto file = read_model_file(spec.path);
  if (!file) return file.error();
  if (cancel.raised()) return cancelled();
  auto loaded = Loader(spec, std::move(*file), on_progress, cancel).load();
  if (!loaded) return loaded;
  if (cancel.raised()) return cancelled();
  loaded->info.load_ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - started).count();
  return loaded;
}

}  // namespace hotpath
