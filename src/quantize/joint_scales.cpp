// SPDX-License-Identifier: Apache-2.0
#include "quantize/joint_scales.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <map>
#include <string>

#include "quantize/detail/moves.h"

namespace yoloq::quantize {

using graph::Graph;

namespace {

/// The values that the quantizer of `site` ends up at.
std::vector<std::string> places_of(const Graph& graph, const Site& site) {
  if (graph.readers(site.tensor) == site.readers.size()) {
    const auto movement = detail::movement_to(graph, site.tensor);
    if (movement) return detail::sources_of(graph, *movement);
  }
  return {site.tensor};
}

/// Groups of numbers, joined two by two.
class Groups {
 public:
  explicit Groups(std::size_t count) : first_(count) {
    for (std::size_t i = 0; i < count; ++i) first_[i] = i;
  }

  void join(std::size_t a, std::size_t b) {
    const std::size_t from = std::max(first_[a], first_[b]);
    const std::size_t to = std::min(first_[a], first_[b]);
    std::ranges::replace(first_, from, to);
  }

  std::vector<std::vector<std::size_t>> larger_than_one() const {
    std::map<std::size_t, std::vector<std::size_t>> groups;
    for (std::size_t i = 0; i < first_.size(); ++i) groups[first_[i]].push_back(i);
    std::vector<std::vector<std::size_t>> result;
    for (auto& [first, group] : groups) {
      if (group.size() > 1) result.push_back(std::move(group));
    }
    return result;
  }

 private:
  std::vector<std::size_t> first_;  ///< Of each number: the smallest of its group.
};

}  // namespace

std::vector<std::vector<std::size_t>> joint_sites(const Graph& graph, std::span<const Site> sites) {
  Groups groups(sites.size());
  std::map<std::string, std::size_t> taken;
  for (std::size_t i = 0; i < sites.size(); ++i) {
    for (const std::string& place : places_of(graph, sites[i])) {
      groups.join(i, taken.emplace(place, i).first->second);
    }
  }
  return groups.larger_than_one();
}

std::vector<std::vector<std::string>> joint_activations(const Graph& graph, const Plan& plan) {
  if (target_named(plan.target).placement != Placement::raised) return {};
  std::vector<const ActivationPlan*> rows;
  std::vector<Site> sites;
  for (const ActivationPlan& row : plan.activations) {
    if (!row.on) continue;
    rows.push_back(&row);
    sites.push_back({.tensor = row.tensor, .readers = {}, .why = {}, .shares = {}});
    sites.back().readers.resize(row.readers.size());
  }
  std::vector<std::vector<std::string>> result;
  for (const auto& group : joint_sites(graph, sites)) {
    std::vector<std::string> alike;
    for (const std::size_t i : group) {
      if (rows[i]->quantizer == rows[group[0]]->quantizer) alike.push_back(rows[i]->tensor);
    }
    if (alike.size() > 1) result.push_back(std::move(alike));
  }
  return result;
}

Quantizer widest(std::span<const Quantizer> quantizers) {
  assert(!quantizers.empty());
  const DType dtype = quantizers[0].dtype;
  const auto [low_code, high_code] = code_limits(dtype);
  calibrate::Range range;
  Quantizer coarsest = quantizers[0];
  for (const Quantizer& each : quantizers) {
    assert(each.dtype == dtype);
    const auto value = [&](int code) {
      return static_cast<float>(code - each.zero_point) * each.scale;
    };
    range.low = std::min(range.low, value(low_code));
    range.high = std::max(range.high, value(high_code));
    if (each.scale > coarsest.scale) coarsest = each;
  }
  return dtype == DType::i8 ? coarsest : asymmetric_quantizer(range);
}

void share_joint_scales(const Graph& graph, std::span<const Site> sites, Plan& plan) {
  assert(plan.activations.size() == sites.size());
  for (const auto& group : joint_sites(graph, sites)) {
    std::vector<Quantizer> quantizers;
    for (const std::size_t i : group) quantizers.push_back(plan.activations[i].quantizer);
    const Quantizer quantizer = widest(quantizers);
    for (const std::size_t i : group) {
      ActivationPlan& row = plan.activations[i];
      row.quantizer = quantizer;
      const std::size_t other = i == group[0] ? group[1] : group[0];
      row.why += fmt::format(", one scale with {}", sites[other].tensor);
    }
  }
}

}  // namespace yoloq::quantize
