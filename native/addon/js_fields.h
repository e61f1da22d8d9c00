// Reads what JavaScript hands over, field by field.
#pragma once

#include <napi.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "core/error.h"

namespace hotpath {

/// Reads the fields of one object; the first that does not fit is kept as the error.
class Fields {
 public:
  explicit Fields(Napi::Value value) {
    if (value.IsObject()) object_ = value.As<Napi::Object>();
    else error_ = "an object is needed";
  }

  std::string text(const char* name) {
    const Napi::Value value = get(name);
    if (!value.IsEmpty() && value.IsString()) return value.As<Napi::String>();
    return fail<std::string>(name, "a string");
  }

  bool flag(const char* name) {
    const Napi::Value value = get(name);
    if (!value.IsEmpty() && value.IsBoolean()) return value.As<Napi::Boolean>();
    return fail<bool>(name, "true or false");
  }

  double real(const char* name) {
    const Napi::Value value = get(name);
    const double number = !value.IsEmpty() && value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : NAN;
    return std::isfinite(number) ? number : fail<double>(name, "a finite number");
  }

  double whole(const char* name, double least, double most) {
    const double number = real(name);
    if (number == std::floor(number) && number >= least && number <= most) return number;
    return fail<double>(name, format_text("a whole number from %.0f to %.0f", least, most));
  }

  std::vector<std::string> texts(const char* name) {
    const Napi::Value value = get(name);
    if (value.IsEmpty() || !value.IsArray()) return fail<std::vector<std::string>>(name, "an array of strings");
    std::vector<std::string> result;
    const auto array = value.As<Napi::Array>();
    for (uint32_t i = 0; i < array.Length(); ++i) {
      const Napi::Value item = array.Get(i);
      if (!item.IsString()) return fail<std::vector<std::string>>(name, "an array of strings");
      result.push_back(item.As<Napi::String>());
    }
    return result;
  }

  std::map<std::string, std::string> named_texts(const char* name) {
    const Napi::Value value = get(name);
    std::map<std::string, std::string> result;
    if (value.IsEmpty() || !value.IsObject()) return fail<decltype(result)>(name, "an object of strings");
    const auto object = value.As<Napi::Object>();
    const Napi::Array keys = object.GetPropertyNames();
    for (uint32_t i = 0; i < keys.Length(); ++i) {
      const Napi::Value key = keys.Get(i);
      const Napi::Value item = object.Get(key);
      if (!item.IsString()) return fail<decltype(result)>(name, "an object of strings");
      result[key.As<Napi::String>()] = item.As<Napi::String>();
    }
    return result;
  }

  bool ok() const { return error_.empty(); }
  Error error() const { return {ErrorCode::request_invalid, error_, {}}; }
  template <typename T>
  T fail(const char* name, const std::string& needed) {
    if (error_.empty()) error_ = std::string(name) + " must be " + needed;
    return {};
  }

 private:
  Napi::Value get(const char* name) const { return object_.IsEmpty() ? Napi::Value() : object_.Get(name); }

  Napi::Object object_;
  std::string error_;
};

}  // namespace hotpath
