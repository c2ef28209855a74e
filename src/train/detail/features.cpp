// SPDX-License-Identifier: Apache-2.0
#include "train/detail/features.h"

#include <ATen/ATen.h>

#include <vector>

#include "core/error.h"

namespace yoloq::train::detail {

graph::Graph with_features(const graph::Graph& model, const detect::Head& head) {
  graph::Graph graph = model;
  for (const std::string& output : head.outputs) {
    const auto producer = graph.producer(output);
    if (!producer || graph[*producer].op != "Conv") {
      fail(ErrorCode::bad_argument, "the output '{}' is not what a convolution computes", output);
    }
    graph.outputs.push_back({.name = graph[*producer].inputs.front(), .type = {}});
  }
  return graph;
}

at::Tensor feature_distance(std::span<const at::Tensor> student,
                            std::span<const at::Tensor> teacher, const SumOverRanks& sum) {
  if (student.size() != teacher.size() || student.empty()) {
    fail(ErrorCode::bad_argument, "{} maps are to match {}", student.size(), teacher.size());
  }
  std::vector<at::Tensor> energies;
  for (const at::Tensor& map : teacher)
    energies.push_back(map.detach().to(at::kFloat).square().sum());
  if (sum) {
    std::vector<double> own;
    for (const at::Tensor& energy : energies) own.push_back(energy.item<double>());
    const std::vector<double> all = sum(own);
    for (std::size_t i = 0; i < all.size(); ++i) {
      energies[i] = at::full({}, all[i], energies[i].options());
    }
  }
  at::Tensor distance = at::zeros({}, student[0].options().dtype(at::kFloat));
  for (std::size_t i = 0; i < student.size(); ++i) {
    if (student[i].sizes() != teacher[i].sizes()) {
      fail(ErrorCode::bad_argument, "map {} of the student has another shape than its teacher's",
           i);
    }
    const at::Tensor away = student[i].to(at::kFloat) - teacher[i].detach().to(at::kFloat);
    distance = distance + away.square().sum() / energies[i].clamp_min(1e-6);
  }
  return distance / static_cast<double>(student.size());
}

}  // namespace yoloq::train::detail
