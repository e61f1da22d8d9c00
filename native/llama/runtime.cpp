#include "llama/runtime.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>

#include "core/log.h"
#include "llama.h"
#include "llama/dynamic_library.h"
#include "llama/library_watch.h"

namespace hotpath {

namespace {

namespace fs = std::filesystem;

#if defined(_WIN32)
constexpr const char* kPrefix = "ggml-";
constexpr const char* kExtension = ".dll";
#else
constexpr const char* kPrefix = "libggml-";
constexpr const char* kExtension = ".so";  // on macOS too: backends are loadable bundles
#endif

std::string utf8(const fs::path& path) {
  const std::u8string text = path.u8string();
  return {text.begin(), text.end()};
}

struct Candidate {
  std::string path;
  std::string file;
  std::string backend;  // "cpu-zen4", "vulkan", ...
  bool is_cpu() const { return backend == "cpu" || backend.starts_with("cpu-"); }
};

std::vector<Candidate> find_candidates(const std::string& directory) {
  std::vector<Candidate> candidates;
  std::error_code ignored;  // a directory that is not there holds no libraries
  for (const auto& entry : fs::directory_iterator(std::u8string(directory.begin(), directory.end()), ignored)) {
    const std::string file = utf8(entry.path().filename());
    if (!file.starts_with(kPrefix) || entry.path().extension() != kExtension) continue;
    const size_t prefix = std::strlen(kPrefix);
    const std::string backend = file.substr(prefix, file.size() - prefix - std::strlen(kExtension));
    if (backend != "base") candidates.push_back({utf8(entry.path()), file, backend});
  }
  std::sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) { return a.file < b.file; });
  return candidates;
}

/// Runs ggml's own score function; an error text when the library cannot be opened or used here.
struct Score {
  int value = 0;
  std::string problem;
};

Score score(const Candidate& candidate) {
  std::string problem;
  const DynamicLibrary library = DynamicLibrary::open(candidate.path, problem);
  if (!library) return {0, problem};
  const auto function = reinterpret_cast<int (*)()>(library.symbol("ggml_backend_score"));
  const int value = function ? function() : 1;
  return {value, value > 0 ? "" : "not supported by this machine"};
}

BackendLibrary load(const Candidate& candidate) {
  const Score found = score(candidate);
  if (found.value == 0) return {candidate.file, false, found.problem};
  LibraryWatch watch;
  const ggml_backend_reg_t backend = ggml_backend_load(candidate.path.c_str());
  if (!backend) return {candidate.file, false, watch.errors().empty() ? "could not be initialised" : watch.errors()};
  return {candidate.file, true, ggml_backend_reg_dev_count(backend) == 0 ? "found no device" : ""};
}

bool has_cpu_backend() { return ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU) != nullptr; }

void load_best_cpu(const std::vector<Candidate>& candidates, const std::string& directory, Libraries& libraries) {
  const Candidate* best = nullptr;
  int best_score = 0;
  std::map<std::string, Score> scores;
  for (const Candidate& candidate : candidates) {
    const Score& found = scores[candidate.file] = score(candidate);
    if (found.value > best_score) {
      best_score = found.value;
      best = &candidate;
    }
  }
  for (const Candidate& candidate : candidates) {
    if (&candidate == best) {
      libraries.backends.push_back(load(candidate));
      continue;
    }
    const Score& found = scores[candidate.file];
    libraries.backends.push_back({candidate.file, false, found.value ? "another variant suits this CPU better" : found.problem});
  }
  if (!has_cpu_backend()) return;
  libraries.directory = directory;
  libraries.cpu_variant = best->backend == "cpu" ? "default" : best->backend.substr(std::strlen("cpu-"));
}

void load_directory(const std::string& directory, Libraries& libraries) {
  std::vector<Candidate> cpu;
  std::vector<Candidate> others;
  for (Candidate& candidate : find_candidates(directory)) (candidate.is_cpu() ? cpu : others).push_back(candidate);
  // GPU packages bring the CPU variants along; one CPU backend is enough.
  if (!has_cpu_backend()) load_best_cpu(cpu, directory, libraries);
  for (const Candidate& candidate : others) libraries.backends.push_back(load(candidate));
}

Result<Libraries> load_libraries(const std::vector<std::string>& directories) {
  redirect_library_output();
  Libraries libraries;
#if defined(HOTPATH_LLAMA_RELEASE)
  libraries.llama_version = HOTPATH_LLAMA_RELEASE;  // the prebuilt libraries call themselves "0.4.0-dev"
#else
  libraries.llama_version = std::string("v") + llama_version();
#endif
  if (has_cpu_backend()) libraries.cpu_variant = "built in";
  std::string searched;
  for (const std::string& directory : directories) {
    load_directory(directory, libraries);
    searched += (searched.empty() ? "" : ", ") + directory;
  }
  if (!has_cpu_backend()) {
    std::string reasons;
    for (const BackendLibrary& library : libraries.backends) reasons += "; " + library.file + ": " + library.reason;
    return Error{ErrorCode::device_unavailable, "no CPU backend of llama.cpp could be loaded from " + searched + reasons,
                 {{"directories", searched}}};
  }
  llama_backend_init();
  return libraries;
}

DeviceKind kind_of(ggml_backend_dev_t device) {
  switch (ggml_backend_dev_type(device)) {
    case GGML_BACKEND_DEVICE_TYPE_CPU: return DeviceKind::cpu;
    case GGML_BACKEND_DEVICE_TYPE_GPU:
    case GGML_BACKEND_DEVICE_TYPE_IGPU: return DeviceKind::gpu;
    default: return DeviceKind::accelerator;
  }
}

bool is_cuda(ggml_backend_dev_t device) {
  return std::strcmp(ggml_backend_reg_name(ggml_backend_dev_backend_reg(device)), "CUDA") == 0;
}

bool same_device(ggml_backend_dev_t a, ggml_backend_dev_t b) {
  ggml_backend_dev_props left;
  ggml_backend_dev_props right;
  ggml_backend_dev_get_props(a, &left);
  ggml_backend_dev_get_props(b, &right);
  return left.device_id && right.device_id && std::strcmp(left.device_id, right.device_id) == 0;
}

}  // namespace

Result<Libraries> start_runtime(const std::vector<std::string>& directories) {
  static std::mutex mutex;
  static std::optional<Libraries> started;
  std::lock_guard lock(mutex);
  if (started) return *started;
  auto libraries = load_libraries(directories);
  if (libraries) started = *libraries;
  return libraries;
}

std::vector<Device> list_devices() {
  std::vector<Device> devices;
  for (size_t i = 0; i < ggml_backend_dev_count(); ++i) {
    const ggml_backend_dev_t device = ggml_backend_dev_get(i);
    size_t free = 0;
    size_t total = 0;
    ggml_backend_dev_memory(device, &free, &total);
    devices.push_back({ggml_backend_dev_name(device), ggml_backend_dev_description(device), kind_of(device), total, free});
  }
  return devices;
}

std::vector<ggml_backend_dev_t> usable_gpus() {
  std::vector<ggml_backend_dev_t> discrete;
  std::vector<ggml_backend_dev_t> integrated;
  for (size_t i = 0; i < ggml_backend_dev_count(); ++i) {
    const ggml_backend_dev_t device = ggml_backend_dev_get(i);
    const auto type = ggml_backend_dev_type(device);
    if (type == GGML_BACKEND_DEVICE_TYPE_IGPU && integrated.empty()) integrated.push_back(device);
    if (type == GGML_BACKEND_DEVICE_TYPE_GPU) discrete.push_back(device);
  }
  // A card may be there twice, through CUDA and through Vulkan. Who installed the CUDA library wants it to be used.
  std::stable_partition(discrete.begin(), discrete.end(), is_cuda);
  std::vector<ggml_backend_dev_t> usable;
  for (const ggml_backend_dev_t device : discrete) {
    const bool known = std::any_of(usable.begin(), usable.end(), [&](auto other) { return same_device(device, other); });
    if (!known) usable.push_back(device);
  }
  return usable.empty() ? integrated : usable;
}

}  // namespace hotpath
