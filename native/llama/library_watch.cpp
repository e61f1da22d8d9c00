#include "llama/library_watch.h"

#include "core/log.h"
#include "ggml.h"
#include "llama.h"

namespace hotpath {

namespace {

class FailedAssertion : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

thread_local LibraryWatch* current_watch = nullptr;
thread_local bool assertions_throw = false;

/// llama.cpp's "info" is our "debug" and so on: a line of theirs is an error only when a call of ours fails for it.
LogLevel our_level(int ggml_level) {
  switch (ggml_level) {
    case GGML_LOG_LEVEL_ERROR: return LogLevel::warn;
    case GGML_LOG_LEVEL_WARN: return LogLevel::info;
    default: return LogLevel::debug;
  }
}

void on_library_line(ggml_log_level level, const char* text, void*) {
  std::string line = text;
  while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) line.pop_back();
  if (line.empty() || level == GGML_LOG_LEVEL_CONT) return;
  log(our_level(level), line);
  if (current_watch) current_watch->add_line(level, line);
}

void on_failed_assertion(const char* message) {
  log(LogLevel::error, message);
  if (assertions_throw) throw FailedAssertion(message);
  // Returning lets ggml end the process: a worker thread of ggml cannot be unwound. The engine's clients restart it.
}

}  // namespace

void redirect_library_output() {
  ggml_log_set(on_library_line, nullptr);
  llama_log_set(on_library_line, nullptr);
  ggml_set_abort_callback(on_failed_assertion);
}

LibraryWatch::LibraryWatch(OnLine on_line) : on_line_(std::move(on_line)), outer_(current_watch) { current_watch = this; }

LibraryWatch::~LibraryWatch() { current_watch = outer_; }

bool LibraryWatch::run(const std::function<void()>& call) {
  const bool outer = assertions_throw;
  assertions_throw = true;
  bool ok = true;
  try {
    call();
  } catch (const std::exception& thrown) {
    add_line(GGML_LOG_LEVEL_ERROR, thrown.what());
    ok = false;
  }
  assertions_throw = outer;
  return ok;
}

void LibraryWatch::add_line(int ggml_level, const std::string& line) {
  if (ggml_level == GGML_LOG_LEVEL_ERROR) errors_ += (errors_.empty() ? "" : "; ") + line;
  if (on_line_) on_line_(line);
}

}  // namespace hotpath
