#include "hotcold/sidecar.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <optional>

#include "core/file.h"

namespace hotpath::hotcold {

namespace {

ByteSource source_of(const std::string& name, std::span<const uint8_t> bytes) {
  return {name, bytes.size(), [bytes](uint64_t offset, void* to, size_t n) {
            if (offset > bytes.size() || n > bytes.size() - offset) return false;
            std::memcpy(to, bytes.data() + offset, n);
            return true;
          }};
}

Result<WeightsIdentity> identify(const std::string& model_path) {
  auto file = ReadFile::open(model_path);
  if (!file) return file.error();
  const ByteSource source = file_source(model_path, *file);
  auto header = read_gguf_header(source);
  if (!header) return header.error();
  return identify_weights(source, *header);
}

}  // namespace

Sidecar::Sidecar(std::string path, MappedFile file, SidecarHeader header)
    : path_(std::move(path)), file_(std::move(file)), header_(std::move(header)) {
  for (const SidecarEntry& entry : header_.entries) by_name_[entry.name] = &entry;
}

Result<std::shared_ptr<const Sidecar>> Sidecar::open(const std::string& path, const WeightsIdentity& model) {
  auto file = MappedFile::open(path);
  if (!file) return file.error();
  auto header = read_sidecar_header(source_of(path, file->bytes()), SidecarState::whole);
  if (!header) return header.error();
  if (header->layout_version != kPackedLayoutVersion) {
    return Error{ErrorCode::sidecar_invalid,
                 path + format_text(": was made with layout %u, this Hotpath has %u", header->layout_version, kPackedLayoutVersion),
                 {{"path", path}}};
  }
  if (header->model != model) return Error{ErrorCode::sidecar_invalid, path + ": was made for another model file", {{"path", path}}};
  return std::shared_ptr<const Sidecar>(new Sidecar(path, std::move(*file), std::move(*header)));
}

const uint8_t* Sidecar::find(const ggml_tensor* tensor, const RowKernels& kernels) const {
  return find(tensor, SidecarLayout::rows, packed_bytes(kernels, tensor->ne));
}

const uint8_t* Sidecar::find(const ggml_tensor* tensor, const DownKernels& kernels) const {
  CHECK(kernels.scales == DownScales::across_neurons);
  return find(tensor, SidecarLayout::down, packed_bytes(kernels, tensor->ne));
}

const uint8_t* Sidecar::find(const ggml_tensor* tensor, SidecarLayout layout, uint64_t bytes) const {
  const auto found = by_name_.find(tensor->name);
  if (found == by_name_.end()) return nullptr;
  const SidecarEntry& entry = *found->second;
  const bool fits = entry.layout == layout && entry.type == tensor->type && entry.bytes == bytes &&
                    std::equal(entry.shape.begin(), entry.shape.end(), tensor->ne);
  return fits ? packed(entry).data() : nullptr;
}

uint64_t packed_bytes(const RowKernels& kernels, const int64_t* shape) { return kernels.row_bytes(shape[0]) * shape[1] * shape[2]; }

uint64_t packed_bytes(const DownKernels& kernels, const int64_t* shape) {
  return kernels.group_bytes(shape[1]) * (shape[0] / kernels.group) * shape[2];
}

SidecarChoice choose_sidecar(const std::string& model_path, const std::vector<std::string>& candidates) {
  SidecarChoice choice;
  std::optional<WeightsIdentity> identity;
  for (const std::string& path : candidates) {
    std::error_code absent;  // a file that cannot be examined is none
    if (!std::filesystem::exists(std::filesystem::path(std::u8string(path.begin(), path.end())), absent)) continue;
    if (!identity) {
      auto identified = identify(model_path);
      if (!identified) return {nullptr, identified.error().message};
      identity = *identified;
    }
    auto opened = Sidecar::open(path, *identity);
    if (opened) return {std::move(*opened), ""};
    choice.notice = opened.error().message + "; it is not used, run hotpath prepare again";
  }
  return choice;
}

}  // namespace hotpath::hotcold
