#include "engine/upkeep.h"

#include "core/log.h"

namespace hotpath {

namespace {

// A crash costs what was learnt since; a large model's profile takes some ten milliseconds to write.
constexpr auto kSaveEvery = std::chrono::minutes(5);

}  // namespace

void Upkeep::after_completion(const std::function<bool()>& must_stop) {
  if (!loaded_.profile) return;
  if (loaded_.hot_set) loaded_.hot_set->observe(loaded_.profile->recorder());
  loaded_.profile->collect();
  if (loaded_.hot_set) loaded_.hot_set->adapt(must_stop);
  if (Clock::now() - saved_ >= kSaveEvery && !must_stop()) save();
}

bool Upkeep::has_work_while_idle() const { return loaded_.hot_set && loaded_.hot_set->state().layers > 0; }

void Upkeep::while_idle() { loaded_.hot_set->make_room(); }

void Upkeep::end() {
  if (!loaded_.profile) return;
  loaded_.profile->collect();
  save();
}

void Upkeep::save() {
  saved_ = Clock::now();
  if (auto saved = loaded_.profile->save(); !saved) log(LogLevel::warn, "the profile is not kept: " + saved.error().message);
}

}  // namespace hotpath
