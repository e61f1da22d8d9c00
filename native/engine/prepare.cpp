#include "engine/prepare.h"

#include <algorithm>
#include <chrono>

#include "core/file.h"
#include "core/log.h"
#include "core/work_file.h"
#include "hotcold/plan.h"
#include "hotcold/sidecar_maker.h"
#include "llama/divergence.h"
#include "llama/model_file.h"

namespace hotpath {

namespace {

// Far above what the order of summation can do (1e-4 on average, with quantised weights), far below what wrong weights do.
constexpr double kMaxMeanDivergence = 0.01;
constexpr uint32_t kComparedContext = 512;

/// As on a machine without a GPU.
hotcold::PlanInput plan_input(const ModelFile& file) {
  hotcold::PlanInput input;
  input.architecture = file.metadata.architecture;
  input.tensors = file.shape.layer_tensors;
  input.n_layers = static_cast<int>(file.metadata.layer_count);
  input.first_gpu_layer = input.n_layers;
  input.isa = hotcold::usable_isas().front();
  input.rows_speedup = [isa = input.isa](ggml_type type) { return hotcold::rows_speedup(type, isa); };
  return input;
}

/// Modes that are asked for differ in what they compute, not in how weights lie.
hotcold::Mode mode_to_pack_for(hotcold::Mode mode) {
  return mode == hotcold::Mode::automatic ? mode : hotcold::Mode::exact;
}

/// What our backend takes over of the model.
Result<SidecarHeader> plan_packing(const WeightsIdentity& identity, const ModelFile& file, hotcold::Mode mode) {
  const auto plan = hotcold::plan_ffns(plan_input(file), mode_to_pack_for(mode));
  if (!plan) return plan.error();
  std::vector<GgufTensor> neurons;
  std::vector<GgufTensor> plain;
  for (const GgufTensor& tensor : file.shape.layer_tensors) {
    const auto name = hotcold::parse_weight_name(tensor.name);
    if (plan->has_plain(tensor.name)) {
      plain.push_back(tensor);
    } else if (name && !name->bias && std::binary_search(plan->layers.begin(), plan->layers.end(), name->layer)) {
      neurons.push_back(tensor);
    }
  }
  return hotcold::plan_sidecar(identity, neurons, plain);
}

Error impossible(const PrepareParams& params, const char* why) {
  return {ErrorCode::request_invalid, params.model + ": " + why + "; its weights are packed when it is loaded", {{"path", params.model}}};
}

/// What is not used is not worth gigabytes.
Result<Done> require_use(const PrepareParams& params, const ModelFile& file) {
  const auto plan = hotcold::plan_ffns(plan_input(file), params.mode);
  if (!plan) return plan.error();
  if (plan->mode != hotcold::Mode::dense) return Done{};
  return Error{ErrorCode::request_invalid,
               params.model + ": runs dense in mode " + hotcold::mode_name(params.mode) + " (" + plan->reason +
                   ") and would not use prepared weights; name the mode it is to be used in",
               {{"path", params.model}}};
}

class Preparation {
 public:
  Preparation(const PrepareParams& params, const hotcold::SidecarModel& model, const OnPrepare& on_progress, const CancelFlag& cancel)
      : params_(params), model_(model), on_progress_(on_progress), cancel_(cancel) {}

  /// `wanted`: what it has to hold; null: whatever it holds.
  Result<Prepared> check(const SidecarHeader* wanted) const {
    auto sidecar = hotcold::Sidecar::open(params_.sidecar, model_.identity);
    if (!sidecar) return sidecar.error();
    if (wanted && !hotcold::holds_all((*sidecar)->header(), *wanted)) {
      return Error{ErrorCode::sidecar_invalid, params_.sidecar + ": does not hold all that mode " + hotcold::mode_name(params_.mode) + " uses", {}};
    }
    auto checked = hotcold::check_sidecar(model_, **sidecar, bytes_progress(PrepareStep::checking), cancel_);
    if (!checked) return checked.error();
    return describe((*sidecar)->header(), SIZE_MAX);
  }

  Result<Prepared> make(const ModelFile& file) const {
    auto planned = plan_packing(model_.identity, file, params_.mode);
    if (!planned) return planned.error();
    SidecarHeader header = std::move(*planned);
    auto there = check(&header);
    if (there || there.error().code == ErrorCode::request_cancelled) return there;
    if (there.error().code == ErrorCode::sidecar_invalid) log(LogLevel::info, there.error().message + "; it is made anew");
    auto part = WorkFile::open(params_.sidecar + ".part");
    if (!part) return part.error();

    const size_t n_kept = hotcold::resume_sidecar(*part, header, cancel_);
    if (cancel_.raised()) return Error{ErrorCode::request_cancelled, "preparing was cancelled", {}};
    if (auto packed = pack(*part, header, n_kept); !packed) return packed.error();
    if (auto compared = compare(*part, header); !compared) return compared.error();
    if (auto unchanged = require_unchanged(); !unchanged) return unchanged.error();
    if (auto finished = part->finish_as(params_.sidecar); !finished) {
      Error error = finished.error();
      error.message += "; a model may be using it: unload it and run hotpath prepare again";
      return error;
    }
    return describe(header, n_kept);
  }

 private:
  hotcold::OnPacked bytes_progress(PrepareStep step) const {
    return [this, step](uint64_t bytes, uint64_t total) { report(step, static_cast<double>(bytes), static_cast<double>(total)); };
  }

  void report(PrepareStep step, double done, double total) const {
    if (on_progress_) on_progress_(step, done, total);
  }

  Result<Done> pack(WorkFile& part, SidecarHeader& header, size_t n_kept) const {
    if (n_kept == 0) {
      if (auto emptied = part.resize(0); !emptied) return emptied;
    }
    uint64_t bytes = 0;
    for (size_t i = n_kept; i < header.entries.size(); ++i) bytes += header.entries[i].bytes;
    if (auto enough = require_disk_space(part.path(), bytes); !enough) {
      if (n_kept == 0) part.discard();
      return enough;
    }
    auto packed = hotcold::pack_sidecar(model_, part, header, n_kept, bytes_progress(PrepareStep::packing), cancel_);
    if (!packed && packed.error().code == ErrorCode::file_unwritable) {
      packed.error().message += "; what is packed is kept, run hotpath prepare again to go on";
    }
    return packed;
  }

  /// As the product would run it, from the file that is about to get its name.
  Result<Done> compare(WorkFile& part, SidecarHeader& header) const {
    if (auto written = write_header(part, header); !written) return written;
    ModelSpec stock;
    stock.path = params_.model;
    stock.device = DeviceChoice::cpu;
    stock.context_length = kComparedContext;
    stock.n_sequences = 1;
    stock.mode = hotcold::Mode::dense;
    ModelSpec ours = stock;
    ours.mode = mode_to_pack_for(params_.mode);
    ours.sidecars = {part.path()};
    auto divergence = measure_divergence(stock, ours, [this](double fraction) { report(PrepareStep::comparing, fraction, 1); }, cancel_);
    if (!divergence) return divergence.error();
    if (!(divergence->mean <= kMaxMeanDivergence)) {
      part.discard();  // or every further attempt would go on from it
      return Error{ErrorCode::internal_bug,
                   part.path() + format_text(": computes other probabilities than the model: divergence %g on average", divergence->mean),
                   {{"path", part.path()}}};
    }
    header.divergence = *divergence;
    return write_header(part, header);
  }

  Result<Done> require_unchanged() const {
    auto identity = identify_weights(model_.source, model_.header);
    if (!identity) return identity.error();
    if (*identity == model_.identity) return Done{};
    return Error{ErrorCode::sidecar_invalid, params_.model + ": was changed while it was prepared", {{"path", params_.model}}};
  }

  static Result<Done> write_header(WorkFile& part, const SidecarHeader& header) {
    const std::vector<uint8_t> bytes = write_sidecar_header(header, SidecarState::whole);
    return part.write_at(0, bytes.data(), bytes.size());
  }

  Prepared describe(const SidecarHeader& header, size_t n_kept) const {
    Prepared prepared = {params_.sidecar, 0, 0, static_cast<uint32_t>(header.entries.size()), header.divergence};
    prepared.bytes = header.entries.back().offset + header.entries.back().bytes;
    for (size_t i = 0; i < std::min(n_kept, header.entries.size()); ++i) prepared.kept_bytes += header.entries[i].bytes;
    return prepared;
  }

  const PrepareParams& params_;
  const hotcold::SidecarModel model_;
  const OnPrepare& on_progress_;
  const CancelFlag& cancel_;
};

}  // namespace

Result<Prepared> prepare_model(const PrepareParams& params, const OnPrepare& on_progress, const CancelFlag& cancel) {
  const auto started = std::chrono::steady_clock::now();
  auto described = read_model_file(params.model);
  if (!described) return described.error();
  if (described->powerinfer) return impossible(params, "is a file of PowerInfer's");
  if (described->form) return impossible(params, "llama.cpp computes it with another activation, so there is nothing to compare with");
  auto file = ReadFile::open(params.model);
  if (!file) return file.error();
  const ByteSource source = file_source(params.model, *file);
  auto header = read_gguf_header(source);
  if (!header) return header.error();
  if (auto used = require_use(params, *described); !used && !params.only_check) return used.error();
  if (header->count("split.count").value_or(1) > 1) return impossible(params, "is split into several files");
  auto identity = identify_weights(source, *header);
  if (!identity) return identity.error();

  const Preparation preparation(params, {source, *header, *identity}, on_progress, cancel);
  auto prepared = params.only_check ? preparation.check(nullptr) : preparation.make(*described);
  if (prepared) prepared->seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  return prepared;
}

}  // namespace hotpath
