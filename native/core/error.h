// Failures as values: one list of codes, a message with the actual values, details for the log.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace hotpath {

enum class ErrorCode {
#define ERROR_CODE(name, text) name,
#include "core/error_codes.inc"
#undef ERROR_CODE
};

const char* error_code_text(ErrorCode code);

using DetailValue = std::variant<double, std::string>;
using Details = std::vector<std::pair<std::string, DetailValue>>;

struct Error {
  ErrorCode code;
  std::string message;
  Details details;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state_.index() == 0; }
  T& operator*() { return std::get<0>(state_); }
  const T& operator*() const { return std::get<0>(state_); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  Error& error() { return std::get<1>(state_); }
  const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

/// The result of what can fail but yields nothing.
struct Done {};

/// Thrown by CHECK, caught where work enters the engine and turned into internal/bug.
class Bug : public std::logic_error {
  using std::logic_error::logic_error;
};

#define HOTPATH_STRINGIFY_(x) #x
#define HOTPATH_STRINGIFY(x) HOTPATH_STRINGIFY_(x)
#define CHECK(condition) \
  do { \
    if (!(condition)) throw ::hotpath::Bug(__FILE__ ":" HOTPATH_STRINGIFY(__LINE__) ": " #condition); \
  } while (false)

#if defined(__MINGW32__)
__attribute__((format(gnu_printf, 1, 2)))
#elif defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
std::string format_text(const char* format, ...);

/// "1.5 GB", "512 MB": how sizes appear in messages.
std::string format_bytes(double bytes);

}  // namespace hotpath
