// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "graph/graph.h"

/// @file
/// Graphs as text: what tests and error reports show.
///
///     input x float32[1,3,H,W]
///     weight = float32[8,3,1,1] {0.5}
///     y = Conv(x, weight) strides=[1,1] @model.0.conv
///     a, b = Split(y) axis=1
///     return a, b
///
/// - `input` lines are optional. A name that is read and never written becomes an input of unknown
///   type; a constant that is stored under its name afterwards stands for it.
/// - A constant gives its elements in row-major order, or one that fills it.
/// - Attributes: 3, 0.5, nearest, "two words", [1,2], [0.5,1.0], [a,b], int64[2] {3,4}. A list of
///   numbers is one of floats as soon as one has a point or an exponent.
/// - `@name` is the node's name; `domain::Op` an operator of another domain.
/// - An input that is absent is left empty: Resize(x, , scales). # starts a comment.
/// - A name that holds one of , ( ) = [ ] { } " # @ or a blank stands in double quotes.

namespace yoloq::graph {

/// The nodes in execution order, one line each, and what is returned. Inputs stand first, if their
/// type is known. Constants are not listed, as tests give them apart; see to_text_with_constants.
std::string to_text(const Graph& graph);

/// The same with the constants of up to 64 elements, which parse() turns into an equal graph.
/// Larger ones are written without elements, for people.
std::string to_text_with_constants(const Graph& graph);

/// The graph that a text describes.
///
/// @throws Error(bad_argument) with the line's number and what was expected there.
Graph parse(std::string_view text);

}  // namespace yoloq::graph
