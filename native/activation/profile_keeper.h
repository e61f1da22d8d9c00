// The profile that a model gathers while it serves: counts only, kept in a file of Hotpath's own for the next load.
#pragma once

#include <string>
#include <vector>

#include "activation/recorder.h"

namespace hotpath {

class ProfileKeeper {
 public:
  /// `identity` and `name`: of the model. `path` empty: nothing is kept beyond the process.
  ProfileKeeper(std::string path, ModelIdentity identity, std::string name, const std::vector<uint32_t>& neurons_per_layer);

  /// What the file held when this was made; no layers when there was none, or one of another model: `notice` says so.
  const ActivationProfile& known() const { return known_; }
  const std::string& notice() const { return notice_; }

  ActivationRecorder& recorder() { return recorder_; }

  /// Takes over what the recorder counted.
  void collect() { recorder_.move_to(gathered_.layers); }
  /// Adds what was collected to what is in the file by now: another process may serve the same model.
  Result<Done> save();

 private:
  /// No layers when there is nothing of this model; `notice`: why a file that is there is of no use.
  ActivationProfile read(std::string& notice) const;

  std::string path_;
  ActivationRecorder recorder_;
  ActivationProfile gathered_;  // not yet in the file
  std::string notice_;
  ActivationProfile known_;
};

}  // namespace hotpath
