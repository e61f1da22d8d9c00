// Sidecars: the file format, making them whatever happens on the way, and computing from them.
#include <array>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <optional>
#include <random>
#include <sstream>

#if !defined(_WIN32)
#include <sys/resource.h>
#endif

#include "core/file.h"
#include "core/hash.h"
#include "core/work_file.h"
#include "engine/prepare.h"
#include "gguf_builder.h"
#include "hotcold/hot_half.h"
#include "hotcold/matrices.h"
#include "hotcold/sidecar_maker.h"
#include "hotcold_model.h"
#include "llama/divergence.h"
#include "starter.h"
#include "synthetic_model.h"

namespace hotpath::test {

namespace {

using hotcold::Sidecar;
using hotcold::Store;
namespace fs = std::filesystem;

// In nats. With float weights the order of summation is all that differs. With quantised ones every matrix product rounds
// its input to 8 bits: mostly that hides the order of summation to the last bit (0 for the first 24 tokens of the text),
// but a value at the edge of two steps may take the other one, and attention carries that on. On the starter model it
// makes 8e-5 on average; llama.cpp in batches of 200 is 9e-5 away from itself in batches of 1.
constexpr double kFloatDivergence = 1e-6;
constexpr double kQuantisedDivergence = 5e-4;

class TemporaryFolder {
 public:
  TemporaryFolder() : path_(fs::temp_directory_path() / name()) { fs::create_directory(path_); }
  ~TemporaryFolder() {
    std::error_code ignored;  // nothing depends on it
    fs::remove_all(path_, ignored);
  }
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  static std::string name() {
    static int n_folders = 0;
    const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
    return "hotpath-sidecar-" + std::to_string(now) + "-" + std::to_string(++n_folders);
  }
  fs::path path_;
};

std::string read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

void write_all(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// A model file, opened, and its FFN matrices.
struct OpenModel {
  explicit OpenModel(const std::string& path)
      : file(std::move(*ReadFile::open(path))),
        source(file_source(path, file)),
        header(*read_gguf_header(source)) {
    for (const GgufTensor& tensor : header.tensors) {
      const auto name = hotcold::parse_weight_name(tensor.name);
      if (name && !name->bias) matrices.push_back(tensor);
    }
  }
  hotcold::SidecarModel model() const { return {source, header, *identify_weights(source, header)}; }

  ReadFile file;
  ByteSource source;
  GgufHeader header;
  std::vector<GgufTensor> matrices;
};

/// Packs all that is missing; the number of entries that were not.
Result<size_t> pack(const OpenModel& open, const std::string& path, const hotcold::OnPacked& on_packed = {}, const CancelFlag& cancel = {},
                    std::optional<SidecarHeader> planned = std::nullopt) {
  SidecarHeader header = planned ? *planned : hotcold::plan_sidecar(open.model().identity, open.matrices);
  auto file = WorkFile::open(path);
  if (!file) return file.error();
  const size_t n_kept = hotcold::resume_sidecar(*file, header, cancel);
  auto packed = hotcold::pack_sidecar(open.model(), *file, header, n_kept, on_packed, cancel);
  if (!packed) return packed.error();
  const auto bytes = write_sidecar_header(header, SidecarState::whole);
  if (auto written = file->write_at(0, bytes.data(), bytes.size()); !written) return written.error();
  return n_kept;
}

std::shared_ptr<const Sidecar> sidecar_of(const std::string& model_path, const std::string& path) {
  const OpenModel open(model_path);
  EXPECT(pack(open, path));
  auto sidecar = Sidecar::open(path, open.model().identity);
  if (!sidecar) throw Failure(sidecar.error().message);
  return *sidecar;
}

SidecarHeader some_header() {
  SidecarHeader header = {7, {1000, 2000, 3000}, {1e-9, 1e-8, 1, 200}, {}};
  header.entries = {{"blk.0.ffn_up.weight", SidecarLayout::rows, GGML_TYPE_Q8_0, {64, 128, 1}, 0, 5000, 11, 12},
                    {"blk.0.ffn_down.weight", SidecarLayout::down, GGML_TYPE_Q8_0, {128, 64, 1}, 0, 4096, 13, 14}};
  header.place_entries();
  return header;
}

std::string file_bytes(const SidecarHeader& header) {
  const auto start = write_sidecar_header(header, SidecarState::whole);
  std::string bytes(start.begin(), start.end());
  bytes.resize(header.entries.back().offset + header.entries.back().bytes);
  return bytes;
}

PrepareParams starter_params(const TemporaryFolder& folder) {
  start_engine();
  const std::string model = folder.file("model.gguf");
  if (!fs::exists(model)) fs::copy_file(HOTPATH_STARTER_MODEL, model);
  return {model, model + ".hotpath", false, hotcold::Mode::exact};
}

ModelSpec spec_with_sidecar(const PrepareParams& params) {
  ModelSpec spec;
  spec.path = params.model;
  spec.device = DeviceChoice::cpu;
  spec.mode = hotcold::Mode::exact;
  spec.sidecars = {params.sidecar};
  return spec;
}

uint64_t hash_text(const std::string& text) { return xxh64({reinterpret_cast<const uint8_t*>(text.data()), text.size()}); }

}  // namespace

TEST(hash, gives_the_published_values_of_xxh64) {
  EXPECT_EQ(hash_text(""), 0xEF46DB3751D8E999u);
  EXPECT_EQ(hash_text("a"), 0xD24EC4F1A98C6E5Bu);
  EXPECT_EQ(hash_text("abc"), 0x44BC2CF5AD770999u);
  EXPECT_EQ(hash_text("Nobody inspects the spammish repetition"), 0xFBCEA83C8A378BF1u);
}

TEST(sidecar_header, comes_back_as_it_was_written) {
  const std::string bytes = file_bytes(some_header());
  const auto read = read_sidecar_header(memory_source(bytes), SidecarState::whole);
  EXPECT(read);
  EXPECT_EQ(file_bytes(*read), bytes);
  EXPECT(read->model == some_header().model);
  EXPECT_EQ(read->entries[1].name, "blk.0.ffn_down.weight");
  EXPECT_EQ(read->entries[0].offset % 4096, 0u);
}

TEST(sidecar_header, refuses_every_prefix_and_every_flipped_bit) {
  const std::string whole = file_bytes(some_header());
  const size_t header_bytes = write_sidecar_header(some_header(), SidecarState::whole).size();
  for (size_t n = 0; n < whole.size(); n += n < 2 * header_bytes ? 1 : 997) {
    EXPECT_EQ(code_of(read_sidecar_header(memory_source(whole.substr(0, n)), SidecarState::whole)), "sidecar/invalid");
  }
  for (size_t bit = 0; bit < 8 * header_bytes; ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    EXPECT_EQ(code_of(read_sidecar_header(memory_source(flipped), SidecarState::whole)), "sidecar/invalid");
  }
}

TEST(sidecar_header, keeps_every_entry_inside_the_file_whatever_the_bytes_say) {
  const std::string whole = file_bytes(some_header());
  const size_t header_bytes = write_sidecar_header(some_header(), SidecarState::whole).size();
  std::mt19937_64 random(3);
  int n_read = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = whole;
    for (uint64_t i = 0; i <= random() % 3; ++i) {
      static constexpr uint64_t kInteresting[] = {0, 1, 4096, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFFFFFFFFFF000, 0xFFFFFFFFFFFFF000, ~uint64_t{0}};
      const uint64_t value = random() % 2 ? kInteresting[random() % std::size(kInteresting)] : random();
      std::memcpy(&bytes[random() % (header_bytes - 8)], &value, random() % 2 ? 8 : 1);
    }
    // Without the hash of the header, which would catch them all.
    const auto read = read_sidecar_header(memory_source(bytes), SidecarState::in_the_making);
    if (!read) {
      EXPECT_EQ(code_of(read), "sidecar/invalid");
      continue;
    }
    ++n_read;
    uint64_t file_bytes = 0;
    std::memcpy(&file_bytes, &bytes[24], sizeof file_bytes);
    for (const SidecarEntry& entry : read->entries) EXPECT(entry.bytes <= file_bytes && entry.offset <= file_bytes - entry.bytes);
  }
  EXPECT(n_read > 100 && n_read < 20000);
}

TEST(sidecar, gives_the_same_bits_as_packing_while_loading) {
  const TemporaryFolder folder;
  std::vector<TinyShape> shapes = {{"llama", GGML_TYPE_F32, 128, 160, 2, 5}, {"nemotron", GGML_TYPE_Q8_0}};
  for (const ggml_type type : {GGML_TYPE_F16, GGML_TYPE_Q4_0}) shapes.push_back({"llama", type});
  for (const ggml_type type : {GGML_TYPE_Q4_K, GGML_TYPE_Q6_K}) shapes.push_back({"arcee", type, 256, 768});
  for (const TinyShape& shape : shapes) {
    const TinyModel model(shape);
    const auto sidecar = sidecar_of(model.path(), folder.file("sidecar"));
    const auto logits_with = [&](std::shared_ptr<const Sidecar> used) {
      Store store(hotcold::usable_isas().front());
      store.set_sidecar(used);
      LlamaRun run(model.path(), 1, &store);
      const auto begin = used ? used->packed(used->header().entries.front()).data() : nullptr;
      const auto end = used ? begin + fs::file_size(used->path()) : nullptr;
      const auto is_mapped = [&](const auto& matrix) { return matrix.packed().data() >= begin && matrix.packed().data() < end; };
      for (size_t i = 0; i < store.n_layers(); ++i) {
        const hotcold::Layer& layer = store.layer(static_cast<int>(i));
        EXPECT_EQ(is_mapped(layer.up) && is_mapped(layer.down) && (!layer.gate || is_mapped(layer.gate)), used != nullptr);
      }
      return run.logits(some_tokens(5, run.n_vocab()), 5);
    };
    EXPECT(logits_with(sidecar) == logits_with(nullptr));
  }
}

TEST(sidecar, holds_plain_matrices_those_of_ffns_too) {
  const TemporaryFolder folder;
  const TinyModel model({"llama", GGML_TYPE_Q8_0, 128, 352, 2, 0, GGML_TYPE_Q4_0});
  const OpenModel open(model.path());
  std::vector<GgufTensor> plain = open.matrices;
  for (const GgufTensor& tensor : open.header.tensors) {
    if (hotcold::is_plain_matrix(tensor.name)) plain.push_back(tensor);
  }
  const SidecarHeader planned = hotcold::plan_sidecar(open.model().identity, {}, plain);
  EXPECT(pack(open, folder.file("sidecar"), {}, {}, planned));
  const auto sidecar = Sidecar::open(folder.file("sidecar"), open.model().identity);
  EXPECT(sidecar);
  EXPECT(hotcold::holds_all((*sidecar)->header(), planned));
  // Of the same names, but with the down matrices as neurons have them.
  EXPECT(!hotcold::holds_all((*sidecar)->header(), hotcold::plan_sidecar(open.model().identity, open.matrices)));
  const auto logits_with = [&](std::shared_ptr<const Sidecar> used) {
    Store store(hotcold::usable_isas().front());
    store.set_plain();
    store.set_sidecar(used);
    LlamaRun run(model.path(), 1, &store);
    EXPECT_EQ(store.found_in_sidecar().matrices, used ? 2 * 7 + 1u : 0u);
    EXPECT_EQ(store.found_in_sidecar().missing, 0u);
    return run.logits(some_tokens(5, run.n_vocab()), 5);
  };
  EXPECT(logits_with(*sidecar) == logits_with(nullptr));
}

TEST(sidecar, is_told_apart_from_what_it_lacks) {
  const TemporaryFolder folder;
  const TinyModel model({"llama", GGML_TYPE_Q8_0, 128, 352, 2, 0, GGML_TYPE_F32});
  Store store(hotcold::usable_isas().front());
  store.set_sidecar(sidecar_of(model.path(), folder.file("sidecar")));
  LlamaRun run(model.path(), 1, &store);
  EXPECT_EQ(store.found_in_sidecar().matrices, 2 * 7 + 1u);
  EXPECT_EQ(store.found_in_sidecar().missing, 2 * 4 + 1u);
  EXPECT_EQ(store.found_in_sidecar().missing_bytes, (2 * 4 * 128 * 128 + 128 * TinyModel::kVocabulary) * sizeof(float));
}

TEST(sidecar, computes_what_llama_computes) {
  const TemporaryFolder folder;
  const TinyModel model({"llama", GGML_TYPE_F32});
  Store store(hotcold::usable_isas().front());
  store.set_sidecar(sidecar_of(model.path(), folder.file("sidecar")));
  LlamaRun ours(model.path(), 1, &store);
  LlamaRun stock(model.path(), 1, nullptr);
  const auto tokens = some_tokens(64, ours.n_vocab());
  const Divergence divergence = divergence_between(stock.logits(tokens, 4), ours.logits(tokens, 4), TinyModel::kVocabulary);
  EXPECT(divergence.max < kFloatDivergence);
  EXPECT_EQ(divergence.top_agreement, 1.0);
}

TEST(sidecar, gives_neurons_to_a_device) {
  const TemporaryFolder folder;
  const TinyModel model({"arcee", GGML_TYPE_F32});
  Store store(hotcold::usable_isas().front());
  store.set_sidecar(sidecar_of(model.path(), folder.file("sidecar")));
  LlamaRun ours(model.path(), 1, &store);
  LlamaRun stock(model.path(), 1, nullptr);
  hotcold::HotUnitSpec spec = {{}, 1};
  for (int layer : {0, 1}) spec.layers.push_back(*hotcold::hot_layer_for(store.layer(layer), {hotcold::NeuronFunction::relu_squared}, 1));
  auto made = hotcold::make_hot_unit(ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU), spec);
  EXPECT(made);
  store.set_hot_half(std::make_unique<hotcold::HotHalf>(store, std::move(made->unit), 1));
  std::vector<int32_t> neurons(hotcold::kHotGroup);
  std::iota(neurons.begin(), neurons.end(), 100);
  for (int layer : {0, 1}) EXPECT(store.hot_half()->assign(layer, 0, neurons));
  const auto tokens = some_tokens(8, ours.n_vocab());
  EXPECT(relative_difference(ours.logits(tokens, 1), stock.logits(tokens, 1)) < 2e-3);  // the device has down as 16-bit floats
  EXPECT_EQ(store.stats().layers[1].hot, 8 * 32u);
}

// The same bytes on every machine; when this fails, kPackedLayoutVersion must be raised and the hash recorded anew.
TEST(sidecar, has_a_new_layout_version_when_packing_changes) {
  static constexpr uint32_t kRecordedVersion = 1;
  static constexpr uint64_t kRecordedHash = 2261402787901629457u;
  uint64_t hash = 0;
  std::mt19937 random(5);
  for (const ggml_type type : {GGML_TYPE_F32, GGML_TYPE_F16, GGML_TYPE_BF16, GGML_TYPE_Q8_0, GGML_TYPE_Q4_0, GGML_TYPE_Q4_K, GGML_TYPE_Q6_K}) {
    std::vector<uint8_t> tensor(ggml_row_size(type, 512) * 256);
    std::generate(tensor.begin(), tensor.end(), [&] { return static_cast<uint8_t>(random()); });
    hotcold::Rows rows(*hotcold::row_kernels(type, hotcold::Isa::generic), 512, 256, 1);
    rows.pack(tensor.data());
    hotcold::Down down(*hotcold::down_kernels(type, hotcold::DownScales::across_neurons, hotcold::Isa::generic), 512, 256, 1);
    down.pack(tensor.data());
    hash = xxh64(down.packed(), xxh64(rows.packed(), hash));
  }
  EXPECT_EQ(hash, kRecordedHash);
  EXPECT_EQ(hotcold::kPackedLayoutVersion, kRecordedVersion);
}

TEST(sidecar, is_resumed_after_any_interruption) {
  const TemporaryFolder folder;
  const TinyModel model({"llama", GGML_TYPE_Q8_0, 128, 352, 6});
  const OpenModel open(model.path());
  EXPECT_EQ(*pack(open, folder.file("whole")), 0u);
  const std::string whole = read_all(folder.file("whole"));
  EXPECT_EQ(*pack(open, folder.file("whole")), open.matrices.size());

  std::mt19937_64 random(9);
  size_t n_kept = 0;
  for (int round = 0; round < 30; ++round) {
    std::string part = whole.substr(0, random() % whole.size());
    if (round % 3 == 0 && !part.empty()) part[random() % part.size()] ^= 0x40;  // as a crash of the machine may leave it
    write_all(folder.file("part"), part);
    const auto kept = pack(open, folder.file("part"));
    EXPECT(kept);
    n_kept += *kept;
    EXPECT(read_all(folder.file("part")) == whole);
  }
  EXPECT(n_kept > open.matrices.size());
}

TEST(sidecar, is_not_resumed_for_another_model) {
  const TemporaryFolder folder;
  const TinyModel model({"llama", GGML_TYPE_Q8_0});
  const TinyModel other({"llama", GGML_TYPE_Q4_0});
  EXPECT(pack(OpenModel(model.path()), folder.file("part")));
  EXPECT_EQ(*pack(OpenModel(other.path()), folder.file("part")), 0u);
  EXPECT_EQ(code_of(Sidecar::open(folder.file("part"), OpenModel(model.path()).model().identity)), "sidecar/invalid");
  EXPECT_EQ(code_of(Sidecar::open(folder.file("part"), OpenModel(other.path()).model().identity)), "ok");
}

TEST(sidecar, keeps_what_is_packed_when_cancelled) {
  const TemporaryFolder folder;
  const TinyModel model({"llama", GGML_TYPE_Q8_0});
  const OpenModel open(model.path());
  const CancelFlag cancel;
  int n_packed = 0;
  const auto cancel_after_three = [&](uint64_t, uint64_t) {
    if (++n_packed == 3) cancel.raise();
  };
  EXPECT_EQ(code_of(pack(open, folder.file("part"), cancel_after_three, cancel)), "request/cancelled");
  EXPECT_EQ(code_of(Sidecar::open(folder.file("part"), open.model().identity)), "sidecar/invalid");
  EXPECT_EQ(*pack(open, folder.file("part")), 3u);
}

TEST(sidecar, refuses_two_writers) {
  const TemporaryFolder folder;
  const auto first = WorkFile::open(folder.file("part"));
  EXPECT(first);
  EXPECT_EQ(code_of(WorkFile::open(folder.file("part"))), "file/unwritable");
}

TEST(sidecar, says_how_much_room_is_missing) {
  const TemporaryFolder folder;
  EXPECT(require_disk_space(folder.file("part"), 1));
  const auto enough = require_disk_space(folder.file("part"), uint64_t{1} << 62);
  EXPECT_EQ(code_of(enough), "file/unwritable");
  EXPECT(enough.error().message.find("needs 4611686018.4 GB, the disk has ") != std::string::npos);
}

#if !defined(_WIN32)
TEST(sidecar, goes_on_where_the_disk_was_full) {
  const TemporaryFolder folder;
  const PrepareParams params = starter_params(folder);
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit small = before;
  small.rlim_cur = 2 << 20;
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  const auto failed = prepare_model(params, {}, {});
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_EQ(code_of(failed), "file/unwritable");
  EXPECT(failed.error().message.find("what is packed is kept") != std::string::npos);
  EXPECT(!fs::exists(params.sidecar));

  const auto prepared = prepare_model(params, {}, {});
  EXPECT(prepared);
  EXPECT(prepared->kept_bytes > 0 && prepared->kept_bytes < prepared->bytes);
  EXPECT(!fs::exists(params.sidecar + ".part"));
}
#endif

TEST(prepare, reproduces_the_starter_model) {
  const TemporaryFolder folder;
  const PrepareParams params = starter_params(folder);
  std::array<double, 3> done = {};
  const auto prepared = prepare_model(params, [&](PrepareStep step, double n, double total) {
    EXPECT(n >= done[static_cast<size_t>(step)] && n <= total);
    done[static_cast<size_t>(step)] = n;
  }, {});
  if (!prepared) throw Failure(prepared.error().message);
  EXPECT_EQ(prepared->bytes, fs::file_size(params.sidecar));
  EXPECT(done[0] > 0 && done[1] == 1);
  EXPECT(prepared->divergence.n_tokens >= 200);
  EXPECT(prepared->divergence.mean < kQuantisedDivergence);
  EXPECT(prepared->divergence.top_agreement > 0.98);

  const auto again = prepare_model(params, {}, {});
  EXPECT(again);
  EXPECT_EQ(again->divergence.mean, prepared->divergence.mean);
  EXPECT(again->kept_bytes > 0);

  const auto model = engine::load(spec_with_sidecar(params));
  EXPECT(model);
  EXPECT_EQ((*model)->info().ffn.sidecar, params.sidecar);
  EXPECT_EQ((*model)->info().ffn.sidecar_notice, "");
}

TEST(prepare, finds_a_damaged_byte_when_it_checks) {
  const TemporaryFolder folder;
  PrepareParams params = starter_params(folder);
  EXPECT(prepare_model(params, {}, {}));
  params.only_check = true;
  EXPECT(prepare_model(params, {}, {}));
  std::string bytes = read_all(params.sidecar);
  bytes[bytes.size() - 100] ^= 1;
  write_all(params.sidecar, bytes);
  const auto checked = prepare_model(params, {}, {});
  EXPECT_EQ(code_of(checked), "sidecar/invalid");
  EXPECT(checked.error().message.find("is damaged") != std::string::npos);
}

TEST(prepare, replaces_a_damaged_sidecar) {
  const TemporaryFolder folder;
  const PrepareParams params = starter_params(folder);
  EXPECT(prepare_model(params, {}, {}));
  const std::string whole = read_all(params.sidecar);
  std::string bytes = whole;
  bytes[bytes.size() - 100] ^= 1;
  write_all(params.sidecar, bytes);
  const auto prepared = prepare_model(params, {}, {});
  EXPECT(prepared);
  EXPECT_EQ(prepared->kept_bytes, 0u);
  EXPECT(read_all(params.sidecar) == whole);
}

TEST(prepare, writes_nothing_for_a_model_that_would_not_use_it) {
  const TemporaryFolder folder;
  const SyntheticModel model(tiny_spec(synth::Arch::llama));
  PrepareParams params = {model.path(), folder.file("sidecar")};
  const auto refused = prepare_model(params, {}, {});
  EXPECT_EQ(code_of(refused), "request/invalid");
  EXPECT(refused.error().message.find(": runs dense in mode auto (") != std::string::npos);
  EXPECT(!fs::exists(folder.file("sidecar.part")));
  params.mode = hotcold::Mode::exact;
  EXPECT(prepare_model(params, {}, {}));
}

TEST(prepare, packs_a_model_without_silent_neurons_where_our_kernels_are_faster) {
  const TemporaryFolder folder;
  synth::Spec large_enough = tiny_spec(synth::Arch::llama);  // to be taken in mode auto
  large_enough.shape.n_layers = 6;
  large_enough.shape.n_embd = 512;
  large_enough.shape.n_heads = 8;
  large_enough.shape.n_ff = 2048;
  const SyntheticModel model(large_enough);
  const PrepareParams params = {model.path(), folder.file("sidecar")};
  const auto prepared = prepare_model(params, {}, {});
  if (!prepared && prepared.error().message.find("llama.cpp is as fast") != std::string::npos) SKIP(prepared.error().message);
  if (!prepared) throw Failure(prepared.error().message);
  EXPECT(prepared->tensors >= 6 * 7);
  EXPECT(prepared->divergence.mean < kQuantisedDivergence);

  ModelSpec spec = spec_with_sidecar(params);
  spec.mode = hotcold::Mode::automatic;
  const auto mapped = engine::load(spec);
  EXPECT(mapped);
  EXPECT_EQ((*mapped)->info().ffn.sidecar, params.sidecar);
  EXPECT_EQ((*mapped)->info().ffn.sidecar_notice, "");
  // The same file for a mode that has neurons: down matrices lie otherwise, and that is said.
  spec.mode = hotcold::Mode::exact;
  const auto exact = engine::load(spec);
  EXPECT(exact);
  const std::string& notice = (*exact)->info().ffn.sidecar_notice;
  EXPECT(notice.starts_with(params.sidecar + ": lacks 6 of the ") && notice.ends_with("run hotpath prepare --mode exact again"));
}

TEST(prepare, replaces_the_sidecar_of_a_model_that_has_changed) {
  const TemporaryFolder folder;
  const PrepareParams params = starter_params(folder);
  EXPECT(prepare_model(params, {}, {}));
  std::string bytes = read_all(params.model);
  const OpenModel open(params.model);
  const GgufTensor& changed = open.matrices[0];
  for (uint64_t i = 0; i < changed.bytes; i += 34) bytes[open.header.header_bytes + changed.offset + i + 5] ^= 1;
  write_all(params.model, bytes);

  const auto packed = engine::load(spec_with_sidecar(params));
  EXPECT(packed);
  EXPECT_EQ((*packed)->info().ffn.sidecar, "");
  EXPECT_EQ((*packed)->info().ffn.sidecar_notice,
            params.sidecar + ": was made for another model file; it is not used, run hotpath prepare again");
  EXPECT(prepare_model(params, {}, {}));
  const auto mapped = engine::load(spec_with_sidecar(params));
  EXPECT(mapped);
  EXPECT_EQ((*mapped)->info().ffn.sidecar, params.sidecar);
}

TEST(prepare, leaves_alone_what_llama_would_compute_otherwise) {
  const TemporaryFolder folder;
  for (const synth::Spec& spec : {tiny_powerinfer(synth::Arch::llama_relu, GGML_TYPE_F16), tiny_spec(synth::Arch::llama_relu)}) {
    const SyntheticModel model(spec);
    const auto prepared = prepare_model({model.path(), folder.file("sidecar")}, {}, {});
    EXPECT_EQ(code_of(prepared), "request/invalid");
    EXPECT(prepared.error().message.find("its weights are packed when it is loaded") != std::string::npos);
    EXPECT(!fs::exists(folder.file("sidecar.part")));
  }
}

TEST(prepare, refuses_weights_that_compute_something_else) {
  const TemporaryFolder folder;
  const PrepareParams params = starter_params(folder);
  EXPECT(prepare_model(params, {}, {}));
  std::string bytes = read_all(params.sidecar);
  auto header = read_sidecar_header(memory_source(bytes), SidecarState::whole);
  EXPECT(header);
  SidecarEntry& entry = header->entries[1];
  const auto data = std::span(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()).subspan(entry.offset, entry.bytes);
  for (size_t i = 0; i < data.size(); i += 2) data[i] ^= 0x15;
  entry.packed_hash = xxh64(data);
  const auto start = write_sidecar_header(*header, SidecarState::whole);
  std::copy(start.begin(), start.end(), bytes.begin());
  fs::remove(params.sidecar);
  write_all(params.sidecar + ".part", bytes);
  const auto prepared = prepare_model(params, {}, {});
  EXPECT_EQ(code_of(prepared), "internal/bug");
  EXPECT(!fs::exists(params.sidecar));
  EXPECT(prepare_model(params, {}, {}));  // from the start, not from what was refused
}

TEST(divergence, is_that_of_known_distributions) {
  const float expected[] = {std::log(0.5f), std::log(0.25f), std::log(0.25f), 3, 1, 0};
  const float actual[] = {std::log(0.25f), std::log(0.5f), std::log(0.25f), 13, 11, 10};
  const Divergence divergence = divergence_between(expected, actual, 3);
  EXPECT(std::abs(divergence.max - 0.25 * std::log(2)) < 1e-6);  // 0.5 ln 2 + 0.25 ln 1/2
  EXPECT(std::abs(divergence.mean - 0.125 * std::log(2)) < 1e-6);  // a shift of all logits changes nothing
  EXPECT_EQ(divergence.top_agreement, 0.5);
  EXPECT_EQ(divergence.n_tokens, 2u);
}

}  // namespace hotpath::test
