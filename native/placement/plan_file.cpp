#include "placement/plan_file.h"

#include "core/byte_codec.h"
#include "core/whole_file.h"

namespace hotpath {

namespace {

constexpr std::string_view kMagic = "HOTPPLAN";
constexpr uint32_t kVersion = 1;
constexpr size_t kMaxNameBytes = 4096;
constexpr uint64_t kMaxFileBytes = uint64_t{1} << 28;
constexpr uint64_t kLastMode = static_cast<uint64_t>(hotcold::Mode::threshold);
constexpr uint64_t kLastPlace = static_cast<uint64_t>(FfnPlace::split);

void write_layer(ByteWriter& writer, const PlanLayer& layer) {
  const LayerChoice& choice = layer.choice;
  writer.varint(choice.attention_on_gpu);
  writer.varint(static_cast<uint64_t>(choice.ffn));
  writer.varint(choice.screens_on_gpu);
  writer.varint(choice.hot_groups);
  writer.varint(layer.hot.size());
  uint64_t next = 0;
  for (const uint32_t unit : layer.hot) {
    writer.varint(unit - next);
    next = uint64_t{unit} + 1;
  }
}

/// False when the hot units run out of range.
bool read_layer(ByteReader& reader, PlanLayer& layer) {
  LayerChoice& choice = layer.choice;
  choice.attention_on_gpu = reader.count(1) == 1;
  choice.ffn = static_cast<FfnPlace>(reader.count(kLastPlace));
  choice.screens_on_gpu = reader.count(1) == 1;
  choice.hot_groups = static_cast<uint32_t>(reader.count(UINT32_MAX));
  layer.hot.resize(reader.count(reader.remaining()));
  uint64_t next = 0;
  for (uint32_t& unit : layer.hot) {
    const uint64_t value = next + reader.count(UINT32_MAX);
    if (value > UINT32_MAX) return false;
    unit = static_cast<uint32_t>(value);
    next = value + 1;
  }
  return !reader.failed();
}

}  // namespace

std::string encode_plan(const Plan& plan) {
  ByteWriter writer;
  writer.u64(plan.model.header_hash);
  writer.u64(plan.model.file_bytes);
  writer.text(std::string_view(plan.model_name).substr(0, kMaxNameBytes));
  writer.varint(static_cast<uint64_t>(plan.mode));
  writer.varint(plan.is_stock);
  writer.varint(plan.head_on_gpu);
  writer.varint(plan.vram_bytes);
  writer.varint(plan.layers.size());
  for (const PlanLayer& layer : plan.layers) write_layer(writer, layer);
  return seal(kMagic, kVersion, writer.bytes());
}

Result<Plan> decode_plan(std::string_view bytes, const std::string& path) {
  const auto payload = unseal(bytes, kMagic, kVersion, path);
  if (!payload) return payload.error();
  ByteReader reader(*payload);
  Plan plan;
  plan.model.header_hash = reader.u64();
  plan.model.file_bytes = reader.u64();
  plan.model_name = reader.text(kMaxNameBytes);
  plan.mode = static_cast<hotcold::Mode>(reader.count(kLastMode));
  plan.is_stock = reader.count(1) == 1;
  plan.head_on_gpu = reader.count(1) == 1;
  plan.vram_bytes = reader.varint();
  const uint64_t n_layers = reader.count(reader.remaining());
  for (uint64_t i = 0; i < n_layers; ++i) {
    PlanLayer layer;
    if (!read_layer(reader, layer)) break;
    plan.layers.push_back(std::move(layer));
  }
  if (!reader.at_end() || plan.layers.size() != n_layers) {
    return Error{ErrorCode::file_unreadable, path + ": its layers make no sense", {{"path", path}}};
  }
  return plan;
}

Result<Plan> load_plan(const std::string& path) {
  const auto bytes = read_whole_file(path, kMaxFileBytes);
  if (!bytes) return bytes.error();
  return decode_plan(*bytes, path);
}

Result<Done> save_plan(const Plan& plan, const std::string& path) { return write_whole_file(path, encode_plan(plan)); }

}  // namespace hotpath
