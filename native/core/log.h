// Where everything below the addon reports to. Nothing is ever written to stdout or stderr.
#pragma once

#include <functional>
#include <string>

namespace hotpath {

enum class LogLevel { debug, info, warn, error };

using LogSink = std::function<void(LogLevel, const std::string&)>;

/// Replaces the sink; an empty one drops lines. Callable from any thread; the sink must be too.
void set_log_sink(LogSink sink);

void log(LogLevel level, const std::string& text);

}  // namespace hotpath
