#include "addon/js_thread.h"

namespace hotpath {

JsThread::JsThread(Napi::Env env) : env_(env) {
  const auto nothing = Napi::Function::New(env, [](const Napi::CallbackInfo&) {});
  queue_ = Napi::ThreadSafeFunction::New(env, nothing, "hotpath", 0, 1);
  queue_.Unref(env);
  // Hooks run last in, first out: this one before the queue's own, while posting is still allowed.
  env.AddCleanupHook([this] { close(); });
  // process.exit() ends a process without tearing down its environment: the destructors of llama.cpp's libraries run
  // while our threads still compute in them. Its event is the last moment to stop them.
  const auto process = env.Global().Get("process").As<Napi::Object>();
  const auto on_exit = Napi::Function::New(env, [this](const Napi::CallbackInfo&) { close(); });
  process.Get("once").As<Napi::Function>().Call(process, {Napi::String::New(env, "exit"), on_exit});
}

void JsThread::post(Work work) {
  std::lock_guard lock(mutex_);
  if (closed_) return;
  auto* owned = new Work(std::move(work));
  const auto run = [](Napi::Env env, Napi::Function, Work* posted) {
    const std::unique_ptr<Work> once(posted);
    if (env) (*once)(env);
  };
  if (queue_.NonBlockingCall(owned, run) != napi_ok) delete owned;
}

JsThread::CallbackId JsThread::keep(Napi::Function function) {
  const CallbackId id = next_id_++;
  callbacks_.emplace(id, Napi::Persistent(function));
  return id;
}

void JsThread::call(CallbackId id, const std::vector<napi_value>& args) {
  const auto found = callbacks_.find(id);
  if (found != callbacks_.end()) found->second.Call(args);
}

uint64_t JsThread::begin(const CancelFlag& cancel) {
  if (tasks_.empty()) queue_.Ref(env_);
  const uint64_t task = next_id_++;
  tasks_.emplace(task, cancel);
  return task;
}

void JsThread::end(uint64_t task) {
  tasks_.erase(task);
  if (tasks_.empty()) queue_.Unref(env_);
}

void JsThread::run_beside(std::function<void()> function) {
  if (closed_) return;  // written on this thread only
  join_finished();
  std::thread thread([this, function = std::move(function)] {
    function();
    std::lock_guard lock(mutex_);
    finished_.push_back(std::this_thread::get_id());
  });
  const auto id = thread.get_id();
  threads_.emplace(id, std::move(thread));
}

void JsThread::watch(const std::shared_ptr<Model>& model) {
  std::erase_if(models_, [](const auto& weak) { return weak.expired(); });
  models_.push_back(model);
}

void JsThread::join_finished() {
  std::vector<std::thread::id> finished;
  {
    std::lock_guard lock(mutex_);
    finished.swap(finished_);
  }
  for (const auto id : finished) {
    const auto found = threads_.find(id);
    if (found == threads_.end()) continue;
    found->second.join();
    threads_.erase(found);
  }
}

void JsThread::close() {
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    closed_ = true;
  }
  set_log_sink({});
  for (const auto& [task, cancel] : tasks_) cancel.raise();
  for (const auto& weak : models_) {
    if (const auto model = weak.lock()) model->unload();
  }
  for (auto& [id, thread] : threads_) thread.join();
  threads_.clear();
  callbacks_.clear();
  queue_.Release();
}

}  // namespace hotpath
