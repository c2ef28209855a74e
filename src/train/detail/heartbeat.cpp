// SPDX-License-Identifier: Apache-2.0
#include "train/detail/heartbeat.h"

#include <ATen/ATen.h>

#include <chrono>
#include <exception>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <utility>
#include <vector>

namespace yoloq::train::detail {

namespace {

constexpr std::chrono::seconds kPause{1};
/// For the owner to notice by itself and to end in order.
constexpr std::chrono::seconds kGrace{5};

}  // namespace

Heartbeat::Heartbeat(c10::intrusive_ptr<c10d::Backend> group,
                     std::function<void(std::string_view)> lost)
    : group_(std::move(group)), lost_(std::move(lost)), thread_([this] { beat(); }) {}

Heartbeat::~Heartbeat() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Heartbeat::noticed() {
  const std::lock_guard lock(mutex_);
  noticed_ = true;
  changed_.notify_all();
}

void Heartbeat::finish() {
  {
    const std::lock_guard lock(mutex_);
    finishing_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Heartbeat::beat() {
  try {
    exchange();
  } catch (const std::exception& error) {
    report(error.what());
  }
}

void Heartbeat::exchange() {
  for (;;) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPause, [&] { return ending_ || finishing_; });
    if (ending_) return;
    std::vector<at::Tensor> busy{at::full({1}, finishing_ ? 0.0f : 1.0f)};
    lock.unlock();
    group_->allreduce(busy)->wait();
    if (busy.front().item<float>() == 0) return;  // All finish, and all read so in this round.
  }
}

void Heartbeat::report(const std::string& why) {
  std::unique_lock lock(mutex_);
  if (finishing_) return;
  if (changed_.wait_for(lock, kGrace, [&] { return noticed_ || ending_; })) return;
  if (lost_) lost_(why);
}

}  // namespace yoloq::train::detail
