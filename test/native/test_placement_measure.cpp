#include "placement/measure.h"

#include <numeric>

#include "llama/runtime.h"
#include "placement/reader.h"
#include "starter.h"
#include "test.h"

namespace hotpath::test {

namespace {

/// No machine is outside of this, however busy; a clock read at the wrong moment is.
bool is_plausible(double gbps) { return gbps > 0.01 && gbps < 3000; }

}  // namespace

TEST(placement_reader, adds_up_every_word) {
  std::vector<uint64_t> words(200);
  for (size_t i = 0; i < words.size(); ++i) words[i] = (i + 1) * 0x9E3779B97F4A7C15u;
  for (size_t n = 0; n <= words.size(); ++n) {
    const uint64_t expected = std::accumulate(words.begin(), words.begin() + static_cast<ptrdiff_t>(n), uint64_t{0});
    EXPECT_EQ(sum_words(words.data(), n), expected);
    EXPECT_EQ(stream_words(words.data(), n), expected);
  }
}

TEST(placement_measure, gives_plausible_rates_of_the_cpu) {
  start_engine();
  const auto measured = measure_machine({});
  EXPECT(measured);
  EXPECT(!measured->cpu.empty());
  EXPECT_EQ(measured->cpu.front().threads, 1);
  for (const CpuRate& cpu : measured->cpu) {
    EXPECT(is_plausible(cpu.stream_gbps) && is_plausible(cpu.gather_2k_gbps) && is_plausible(cpu.gather_4k_gbps));
  }
  const MachineRates rates = rates_of(*measured);
  EXPECT(rates.cpu_stream_gbps >= measured->cpu.front().stream_gbps);
  EXPECT_EQ(rates.has_gpu(), !measured->gpus.empty());
}

TEST(placement_measure, gives_plausible_rates_on_the_gpu) {
  start_engine();
  if (usable_gpus().empty()) SKIP("no GPU backend found a device");
  const auto measured = measure_machine({});
  EXPECT(measured);
  EXPECT_EQ(measured->gpus.size(), usable_gpus().size());
  for (const GpuRate& gpu : measured->gpus) {
    EXPECT(!gpu.name.empty());
    EXPECT(is_plausible(gpu.upload_gbps) && is_plausible(gpu.download_gbps) && gpu.matvec_gbps > 0.01);
    EXPECT(gpu.graph_us > 0 && gpu.exchange_us > 0 && gpu.exchange_us < 1e6);
  }
  EXPECT(rates_of(*measured).has_gpu());
}

TEST(placement_measure, ends_when_cancelled) {
  const CancelFlag cancel;
  cancel.raise();
  const auto measured = measure_machine(cancel);
  EXPECT(!measured);
  EXPECT(measured.error().code == ErrorCode::request_cancelled);
}

}  // namespace hotpath::test
