// SPDX-License-Identifier: Apache-2.0
#include "train/detail/ranks.h"

// What LibTorch itself is built with on Linux; its header is empty without it.
#define USE_C10D_GLOO
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <utility>

#include "core/error.h"
#include "train/detail/heartbeat.h"
#include "train/detail/nccl.h"

namespace yoloq::train::detail {

namespace {

using c10d::ProcessGroupGloo;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// A rank that is silent for so long is gone.
constexpr seconds kSilence{15};
/// The others wait while rank 0 measures, however long; Heartbeat sees whether it lives.
constexpr std::chrono::hours kForever{24 * 365};

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

void check_place(const RankPlace& place) {
  if (place.ranks < 1 || place.rank < 0 || place.rank >= place.ranks) {
    fail(ErrorCode::bad_argument, "rank {} of {}; ranks count from 0 and are below their number",
         place.rank, place.ranks);
  }
  if (place.ranks == 1) return;
  if (place.address.empty() || place.port < 1 || place.port > 65535) {
    fail(ErrorCode::bad_argument,
         "{} ranks meet at '{}', port {}; expected a host and a port from 1 to 65535", place.ranks,
         place.address, place.port);
  }
}

c10::intrusive_ptr<c10d::Store> open_store(const RankPlace& place) {
  c10d::TCPStoreOptions options;
  options.port = static_cast<std::uint16_t>(place.port);
  options.isServer = place.rank == 0 && !place.hosted;
  options.waitWorkers = false;
  options.timeout = milliseconds(static_cast<std::int64_t>(place.patience * 1000));
  try {
    return c10::make_intrusive<c10d::PrefixStore>(
        "yoloq/" + place.meeting, c10::make_intrusive<c10d::TCPStore>(place.address, options));
  } catch (const std::exception& error) {
    fail(ErrorCode::backend, "rank {} of {} cannot {} '{}', port {}: {}", place.rank, place.ranks,
         options.isServer ? "let the others come to" : "reach rank 0 at", place.address, place.port,
         first_line(error.what()));
  }
}

/// Waits until every rank has a store.
void wait_for_all(const RankPlace& place, c10d::Store& store) {
  const auto end = std::chrono::steady_clock::now() +
                   milliseconds(static_cast<std::int64_t>(place.patience * 1000));
  std::int64_t here = store.add("here", 1);
  while (here < place.ranks) {
    if (std::chrono::steady_clock::now() > end) {
      fail(ErrorCode::backend,
           "rank {}: {} of {} ranks came to '{}', port {}, within {:.0f} seconds; are all of them "
           "started, with the same WORLD_SIZE?",
           place.rank, here, place.ranks, place.address, place.port, place.patience);
    }
    std::this_thread::sleep_for(milliseconds(20));
    here = store.add("here", 0);
  }
}

c10::intrusive_ptr<c10d::Backend> connect(const RankPlace& place,
                                          const c10::intrusive_ptr<c10d::Store>& store,
                                          const std::string& name, milliseconds timeout) {
  const bool loopback = place.address == "localhost" || place.address.starts_with("127.");
  auto options = ProcessGroupGloo::Options::create(timeout);
  options->threads = 1;
  options->devices.push_back(!place.interface.empty()
                                 ? ProcessGroupGloo::createDeviceForInterface(place.interface)
                             : loopback ? ProcessGroupGloo::createDeviceForHostname("127.0.0.1")
                                        : ProcessGroupGloo::createDefaultDevice());
  return c10::make_intrusive<ProcessGroupGloo>(c10::make_intrusive<c10d::PrefixStore>(name, store),
                                               place.rank, place.ranks, options);
}

std::string gone(const RankPlace& place, std::string_view why) {
  return fmt::format(
      "rank {} of {} ends, because another rank has ended or does not answer: see what that one "
      "says ({})",
      place.rank, place.ranks, first_line(std::string(why)));
}

}  // namespace

struct Ranks::Group {
  RankPlace place;
  c10::intrusive_ptr<c10d::Store> store;
  std::unique_ptr<Heartbeat> heartbeat;
  c10::intrusive_ptr<c10d::Backend> data;
  std::unique_ptr<Nccl> gpus;  ///< From the first sum of tensors on a GPU on.

  Group(const RankPlace& where, const std::function<void(std::string_view)>& lost)
      : place(where), store(open_store(place)) {
    // Where another rank has ended, writing to it is an error to be told, not the end of this one.
    std::signal(SIGPIPE, SIG_IGN);
    try {
      wait_for_all(place, *store);
      heartbeat = std::make_unique<Heartbeat>(connect(place, store, "heartbeat", kSilence),
                                              [this, lost](std::string_view why) {
                                                if (lost) lost(gone(place, why));
                                              });
      data = connect(place, store, "data", kForever);
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {
      fail(ErrorCode::backend, "rank {} of {} cannot connect to the others: {}", place.rank,
           place.ranks, first_line(error.what()));
    }
  }

  /// Runs an exchange.
  template <typename Start>
  void exchange(const Start& start) const {
    try {
      start()->wait();
    } catch (const std::exception& error) {
      heartbeat->noticed();
      fail(ErrorCode::backend, "{}", gone(place, error.what()));
    }
  }

  void sum(at::Tensor& values) const {
    std::vector<at::Tensor> list{values};
    exchange([&] { return data->allreduce(list); });
  }

  /// Where the tensor lies. All ranks come here first at the same sum, so that they can meet.
  void sum_in_place(at::Tensor& values) {
    if (!values.is_cuda()) return sum(values);
    if (!gpus) {
      const std::string id = broadcast(place.rank == 0 ? Nccl::make_id() : std::string(), 0);
      gpus = std::make_unique<Nccl>(id, place.rank, place.ranks, values.device());
    }
    gpus->sum(values);
  }

  void broadcast(at::Tensor& values, int from) const {
    std::vector<at::Tensor> list{values};
    c10d::BroadcastOptions options;
    options.rootRank = from;
    exchange([&] { return data->broadcast(list, options); });
  }

  /// What rank `from` has.
  std::string broadcast(const std::string& bytes, int from) const {
    at::Tensor size = at::full({1}, static_cast<std::int64_t>(bytes.size()), at::kLong);
    broadcast(size, from);
    at::Tensor content = at::zeros({size.item<std::int64_t>()}, at::kByte);
    if (content.numel() == 0) return {};
    if (place.rank == from) std::memcpy(content.mutable_data_ptr(), bytes.data(), bytes.size());
    broadcast(content, from);
    const auto* const start = static_cast<const char*>(content.const_data_ptr());
    return {start, start + content.numel()};
  }
};

Ranks::Ranks(const RankPlace& place, const std::function<void(std::string_view)>& lost) {
  check_place(place);
  if (place.ranks > 1) group_ = std::make_unique<Group>(place, lost);
}
Ranks::~Ranks() = default;

std::size_t Ranks::rank() const {
  return group_ ? static_cast<std::size_t>(group_->place.rank) : 0;
}
std::size_t Ranks::size() const {
  return group_ ? static_cast<std::size_t>(group_->place.ranks) : 1;
}

void Ranks::sum(std::span<at::Tensor> tensors) const {
  if (!group_ || tensors.empty()) return;
  const c10::NoGradGuard guard;
  if (tensors.size() == 1 && tensors.front().is_contiguous()) {
    return group_->sum_in_place(tensors.front());
  }
  std::vector<at::Tensor> flat;
  for (const at::Tensor& tensor : tensors) flat.push_back(tensor.contiguous().view(-1));
  at::Tensor all = at::cat(flat);
  group_->sum_in_place(all);
  std::int64_t start = 0;
  for (at::Tensor& tensor : tensors) {
    tensor.copy_(all.narrow(0, start, tensor.numel()).view(tensor.sizes()));
    start += tensor.numel();
  }
}

std::vector<double> Ranks::sum(std::vector<double> values) const {
  if (!group_) return values;
  at::Tensor tensor = at::tensor(values, at::kDouble);
  group_->sum(tensor);
  const double* const sums = tensor.const_data_ptr<double>();
  return {sums, sums + values.size()};
}

std::string Ranks::from_first(const std::string& bytes) const {
  return group_ ? group_->broadcast(bytes, 0) : bytes;
}

std::vector<std::string> Ranks::gather(const std::string& bytes) const {
  if (!group_) return {bytes};
  std::vector<std::string> all;
  for (int rank = 0; rank < group_->place.ranks; ++rank) {
    all.push_back(group_->broadcast(bytes, rank));
  }
  return all;
}

void Ranks::finish() {
  if (group_) group_->heartbeat->finish();
}

}  // namespace yoloq::train::detail
