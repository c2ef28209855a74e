// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "quantize/placement.h"
#include "quantize/plan.h"

namespace yoloq::quantize {

/// Indices of sites whose quantizers raise_quantizers() would put at the same value, in groups of
/// two or more: a feature map that one Conv reads directly and another behind a Concat, or that two
/// Concats read. Each group is sorted.
///
///     a ──▶ Conv, at site a
///     a ──▶ Concat ──▶ Conv, at site c       one group: a, c
std::vector<std::vector<std::size_t>> joint_sites(const graph::Graph& graph,
                                                  std::span<const Site> sites);

/// The activations of a finished plan that have one scale as members of joint_sites(), by value
/// name; none if its target's files do not raise quantizers. Who changes the scale of one changes
/// those of its group.
///
/// @throws Error(bad_argument) if the plan's target is unknown.
std::vector<std::vector<std::string>> joint_activations(const graph::Graph& graph,
                                                        const Plan& plan);

/// The quantizer that reaches as far as each of `quantizers`; all of one type.
Quantizer widest(std::span<const Quantizer> quantizers);

/// Gives each group of joint_sites() one quantizer, the widest: without that, a tensor would need
/// two.
///
/// @param plan  its activations stand in the order of `sites`.
void share_joint_scales(const graph::Graph& graph, std::span<const Site> sites, Plan& plan);

}  // namespace yoloq::quantize
