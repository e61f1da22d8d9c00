#include "core/log.h"

#include <mutex>

namespace hotpath {

namespace {
std::mutex mutex;
LogSink current_sink;
}  // namespace

void set_log_sink(LogSink sink) {
  std::lock_guard lock(mutex);
  current_sink = std::move(sink);
}

void log(LogLevel level, const std::string& text) {
  std::lock_guard lock(mutex);
  if (current_sink) current_sink(level, text);
}

}  // namespace hotpath
