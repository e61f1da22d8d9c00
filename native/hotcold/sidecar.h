// The sidecar of a model, mapped: packed weights that every engine process shares and none has to pack.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/error.h"
#include "core/mapped_file.h"
#include "formats/sidecar.h"
#include "hotcold/kernels/kernels.h"

namespace hotpath::hotcold {

/// Of how `RowKernels::pack` and `DownKernels::pack` lay bytes out; raised with every change there. A test holds a hash.
constexpr uint32_t kPackedLayoutVersion = 1;

class Sidecar {
 public:
  /// file/unreadable, or sidecar/invalid when it is damaged, of another layout or of another model.
  static Result<std::shared_ptr<const Sidecar>> open(const std::string& path, const WeightsIdentity& model);

  const std::string& path() const { return path_; }
  const SidecarHeader& header() const { return header_; }
  std::span<const uint8_t> packed(const SidecarEntry& entry) const { return file_.bytes().subspan(entry.offset, entry.bytes); }

  /// The packed matrix, or null when there is none of this name, type and shape.
  const uint8_t* find(const ggml_tensor* tensor, const RowKernels& kernels) const;
  const uint8_t* find(const ggml_tensor* tensor, const DownKernels& kernels) const;

 private:
  Sidecar(std::string path, MappedFile file, SidecarHeader header);
  const uint8_t* find(const ggml_tensor* tensor, SidecarLayout layout, uint64_t bytes) const;

  std::string path_;
  MappedFile file_;
  SidecarHeader header_;
  std::unordered_map<std::string_view, const SidecarEntry*> by_name_;
};

/// Packed bytes of a matrix of this shape.
uint64_t packed_bytes(const RowKernels& kernels, const int64_t* shape);
uint64_t packed_bytes(const DownKernels& kernels, const int64_t* shape);

struct SidecarChoice {
  std::shared_ptr<const Sidecar> sidecar;  // null: none, or none that fits
  std::string notice;                      // why one that is there is not used, and what to do; else empty
};

/// The first of the files that is there and belongs to the model.
SidecarChoice choose_sidecar(const std::string& model_path, const std::vector<std::string>& candidates);

}  // namespace hotpath::hotcold
