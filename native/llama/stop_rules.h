// Decides, while bytes come in, which text may be shown and when it is complete.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hotpath {

/// StopReason of src/protocol/model.ts.
enum class StopReason { end, tokens, lines, stop, time };

const char* stop_reason_text(StopReason reason);

class TextFilter {
 public:
  enum class State { open, lines, stop };

  /// `max_lines` 0: no limit. No stop string may be empty.
  TextFilter(std::vector<std::string> stop_strings, size_t max_lines);

  /// Takes the bytes of one token. Returns text that is certain: whole characters, before any line limit or stop string,
  /// and not the beginning of a stop string. Nothing more comes once the state is not open.
  std::string push(std::string_view bytes);

  /// What was held back, when generation ends for another reason.
  std::string finish();

  State state() const { return state_; }

 private:
  /// End of what may be shown of `held_`; sets the state when a rule applies.
  size_t apply_rules();
  size_t held_back_for_stop_strings(size_t end) const;

  std::vector<std::string> stop_strings_;
  size_t max_lines_;
  size_t lines_ = 0;
  std::string held_;
  State state_ = State::open;
};

}  // namespace hotpath
