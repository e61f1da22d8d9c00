// Turns what llama.cpp does with its errors (log lines, exceptions, failed assertions) into values.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>

#include "core/error.h"

namespace hotpath {

/// Sends the log of llama.cpp and ggml to ours and takes over failed assertions. Call before anything else of theirs.
void redirect_library_output();

/// While one lives, lines that llama.cpp logs on this thread are also handed to it.
class LibraryWatch {
 public:
  using OnLine = std::function<void(const std::string&)>;

  explicit LibraryWatch(OnLine on_line = nullptr);
  ~LibraryWatch();
  LibraryWatch(const LibraryWatch&) = delete;

  /// The error lines so far, joined; what failed first comes first.
  const std::string& errors() const { return errors_; }

  /// Runs a call that may throw, and in which a failed assertion throws too instead of ending the process. Only for
  /// calls that build something on this thread: llama.cpp frees a half-built object like after any exception of its own.
  /// False when it threw; errors() then says why.
  bool run(const std::function<void()>& call);

  void add_line(int ggml_level, const std::string& line);

 private:
  OnLine on_line_;
  std::string errors_;
  LibraryWatch* outer_;
};

}  // namespace hotpath
