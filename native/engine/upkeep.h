// What a loaded model does between completions, on its own thread: learns which neurons its user's code makes active,
// moves the hot ones to the device, and keeps what it learnt for the next load.
#pragma once

#include <chrono>
#include <functional>

#include "llama/loaded_model.h"

namespace hotpath {

class Upkeep {
 public:
  /// `loaded` outlives this.
  explicit Upkeep(LoadedModel& loaded) : loaded_(loaded) {}

  /// After a completion. Ends early when `must_stop`: somebody waits for the model.
  void after_completion(const std::function<bool()>& must_stop);
  /// From time to time while nothing is to be completed: others may want the device's memory then, too.
  void while_idle();
  bool has_work_while_idle() const;
  /// Before the model is freed.
  void end();

 private:
  using Clock = std::chrono::steady_clock;

  void save();

  LoadedModel& loaded_;
  Clock::time_point saved_ = Clock::now();
};

}  // namespace hotpath
