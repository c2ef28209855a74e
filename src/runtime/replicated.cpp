// SPDX-License-Identifier: Apache-2.0
#include "runtime/replicated.h"

#include <atomic>
#include <utility>

namespace yoloq::runtime {

namespace {

class ReplicatedEngine final : public Engine {
 public:
  explicit ReplicatedEngine(std::vector<std::shared_ptr<Engine>> replicas)
      : replicas_(std::move(replicas)) {}

  std::span<const PortInfo> inputs() const override { return first().inputs(); }
  std::span<const PortInfo> outputs() const override { return first().outputs(); }
  const Metadata& metadata() const override { return first().metadata(); }
  FloatType float_type() const override { return first().float_type(); }
  bool runnable() const override { return first().runnable(); }
  std::vector<LayerInfo> layers() const override { return first().layers(); }
  void save(const std::filesystem::path& path) const override { first().save(path); }
  std::vector<std::string> notices() const override { return first().notices(); }

  std::unique_ptr<Request> make_request() override {
    return replicas_[next_++ % replicas_.size()]->make_request();
  }

  int streams() const override {
    int streams = 0;
    for (const auto& replica : replicas_) streams += replica->streams();
    return streams;
  }

  std::string description() const override {
    return first().description() + ", on " + std::to_string(replicas_.size()) + " devices";
  }

 private:
  const Engine& first() const { return *replicas_.front(); }

  std::vector<std::shared_ptr<Engine>> replicas_;
  std::atomic<std::size_t> next_ = 0;
};

}  // namespace

std::shared_ptr<Engine> replicated(std::shared_ptr<Engine> engine, std::span<const int> devices) {
  if (devices.empty()) return engine;
  std::vector<std::shared_ptr<Engine>> replicas{std::move(engine)};
  for (const int device : devices) replicas.push_back(replicas.front()->on_device(device));
  return std::make_shared<ReplicatedEngine>(std::move(replicas));
}

}  // namespace yoloq::runtime
