// NativeModel of src/engineHost/addon.ts.
#pragma once

#include <napi.h>

#include <memory>

#include "engine/engine.h"

namespace hotpath {

class JsModel : public Napi::ObjectWrap<JsModel> {
 public:
  static Napi::Function define(Napi::Env env);
  static Napi::Object create(Napi::Env env, const std::shared_ptr<Model>& model);

  explicit JsModel(const Napi::CallbackInfo& info);
  ~JsModel() override;

 private:
  Napi::Value JsInfo(const Napi::CallbackInfo& info);
  Napi::Value JsGenerate(const Napi::CallbackInfo& info);
  Napi::Value JsTokenize(const Napi::CallbackInfo& info);
  Napi::Value JsUnload(const Napi::CallbackInfo& info);

  std::shared_ptr<Model> model_;
};

}  // namespace hotpath
