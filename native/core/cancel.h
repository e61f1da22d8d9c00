// One flag per piece of work: anyone may raise it, every loop polls it.
#pragma once

#include <atomic>
#include <memory>

namespace hotpath {

class CancelFlag {
 public:
  void raise() const { raised_->store(true, std::memory_order_relaxed); }
  bool raised() const { return raised_->load(std::memory_order_relaxed); }

 private:
  std::shared_ptr<std::atomic<bool>> raised_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace hotpath
