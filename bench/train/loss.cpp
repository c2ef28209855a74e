// SPDX-License-Identifier: Apache-2.0
/// @file
/// How long does the training loss take with its gradients, for heads of random numbers?
///
///     bench_loss [classes] [batch] [image side] [labels per image] [rounds]
#include "train/detail/loss.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <vector>

namespace {

using namespace yoloq;
using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

const train::LossOptions kOptions{.anchors = {{{10, 13}, {16, 30}, {33, 23}},
                                              {{30, 61}, {62, 45}, {59, 119}},
                                              {{116, 90}, {156, 198}, {373, 326}}},
                                  .strides = {8, 16, 32}};

at::Tensor random_labels(int count, int batch, int classes) {
  at::Tensor labels = at::rand({count, 6});
  labels.select(1, 0).mul_(batch).floor_();
  labels.select(1, 1).mul_(classes).floor_();
  labels.narrow(1, 4, 2).square_().mul_(0.6).add_(0.03);
  return labels;
}

}  // namespace

int main(int argc, char** argv) {
  const auto argument = [&](int i, int otherwise) {
    return argc > i ? std::atoi(argv[i]) : otherwise;
  };
  const int classes = argument(1, 80), batch = argument(2, 8), side = argument(3, 320);
  const int labels_per_image = argument(4, 20), rounds = argument(5, 50);
  at::manual_seed(1);
  std::vector<at::Tensor> heads;
  for (const int stride : kOptions.strides) {
    heads.push_back(at::randn({batch, 3 * (5 + classes), side / stride, side / stride}));
    heads.back().requires_grad_();
  }
  const at::Tensor labels = random_labels(batch * labels_per_image, batch, classes);

  double forward = 1e300, backward = 1e300;
  for (int round = 0; round < rounds; ++round) {
    for (at::Tensor& head : heads) head.mutable_grad() = at::Tensor();
    auto start = Clock::now();
    const train::detail::LossResult loss = train::detail::compute_loss(heads, labels, kOptions);
    forward = std::min(forward, milliseconds_since(start));
    start = Clock::now();
    loss.total.backward();
    backward = std::min(backward, milliseconds_since(start));
  }
  const nlohmann::json answer{{"classes", classes},    {"batch", batch},
                              {"side_px", side},       {"labels", batch * labels_per_image},
                              {"rounds", rounds},      {"threads", at::get_num_threads()},
                              {"forward_ms", forward}, {"backward_ms", backward}};
  std::printf("%s\n", answer.dump(2).c_str());
}
