#include "llama/stop_rules.h"

#include <algorithm>

#include "core/utf8.h"

namespace hotpath {

const char* stop_reason_text(StopReason reason) {
  switch (reason) {
    case StopReason::end: return "end";
    case StopReason::tokens: return "tokens";
    case StopReason::lines: return "lines";
    case StopReason::stop: return "stop";
    default: return "time";
  }
}

TextFilter::TextFilter(std::vector<std::string> stop_strings, size_t max_lines)
    : stop_strings_(std::move(stop_strings)), max_lines_(max_lines) {}

std::string TextFilter::push(std::string_view bytes) {
  if (state_ != State::open) return "";
  held_ += bytes;
  const size_t end = apply_rules();
  std::string shown = valid_utf8(std::string_view(held_).substr(0, end));
  lines_ += static_cast<size_t>(std::count(shown.begin(), shown.end(), '\n'));
  held_.erase(0, end);
  return shown;
}

std::string TextFilter::finish() {
  if (state_ != State::open) return "";
  return valid_utf8(held_);
}

size_t TextFilter::apply_rules() {
  const std::string_view held = held_;
  size_t stop_at = std::string_view::npos;
  for (const std::string& stop : stop_strings_) stop_at = std::min(stop_at, held.find(stop));

  size_t line_at = std::string_view::npos;
  if (max_lines_ > 0) {
    size_t feeds = lines_;
    for (size_t i = held.find('\n'); i != std::string_view::npos; i = held.find('\n', i + 1)) {
      if (++feeds == max_lines_) {
        line_at = i;
        break;
      }
    }
  }

  if (stop_at != std::string_view::npos && stop_at <= line_at) {
    state_ = State::stop;
    return stop_at;
  }
  if (line_at != std::string_view::npos) {
    state_ = State::lines;
    return line_at;
  }
  return held_back_for_stop_strings(complete_utf8_length(held));
}

size_t TextFilter::held_back_for_stop_strings(size_t end) const {
  size_t safe = end;
  for (const std::string& stop : stop_strings_) {
    for (size_t n = std::min(stop.size() - 1, held_.size()); n > 0; --n) {
      if (std::string_view(held_).substr(held_.size() - n) != std::string_view(stop).substr(0, n)) continue;
      safe = std::min(safe, held_.size() - n);
      break;
    }
  }
  return safe;
}

}  // namespace hotpath
