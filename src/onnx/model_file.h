// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "graph/graph.h"

/// @file
/// ONNX files to graphs and back, without loss:
///
///     bytes ── parse ──▶ Graph ── serialize ──▶ bytes
///     file  ── read_model ──▶ Graph ── write_model ──▶ file
///
/// What a Graph has no place for is kept as bytes of the file format and written again:
///
/// | of the file                                        | is kept in                             |
/// |----------------------------------------------------|----------------------------------------|
/// | functions, training info, quantization annotations, | Graph::opaque                          |
/// | doc strings of values, sequence types, later fields |                                        |
/// | subgraphs, types, lists of tensors as attributes    | an Opaque attribute                    |
/// | fields of a node that are later than this code      | the attribute kNodeExtras, Opaque      |
/// | string tensors and sparse initializers              | constants of type DType::opaque        |
///
/// See docs/reference/onnx.md for what is refused.

namespace yoloq::onnx {

/// The attribute under which a node carries fields that Node does not have. Not a name that ONNX
/// allows, so it never meets an attribute of an operator.
inline constexpr std::string_view kNodeExtras = "onnx:node";

/// Builds the graph of a serialized ONNX model, with its nodes in execution order.
///
/// @param folder  where tensors stored outside the file are looked for; none are read if it is
///     empty. They may not lie outside of it.
/// @throws Error(corrupt_file) naming the node, tensor or value that is wrong, Error(unsupported)
///     for what ONNX allows and yoloq does not, Error(not_found) if external data is missing.
graph::Graph parse(std::string_view bytes, const std::filesystem::path& folder = {});

/// Reads an ONNX file and the external data beside it.
///
/// @throws as parse, with the path in front, and Error(not_found, io) if the file cannot be read.
graph::Graph read_model(const std::filesystem::path& path);

/// The hash of an ONNX file's bytes and, where tensors are stored outside it, of the bytes of their
/// files: other weights have another hash.
///
/// @throws as read_model.
std::string hash_of_file(const std::filesystem::path& path);

/// The graph as an ONNX model with all tensors inside. The same graph gives the same bytes.
///
/// @throws Error(unsupported) above 2 GiB, which the file format does not allow,
///     Error(corrupt_file) if opaque parts of the graph are not those that parse made.
std::string serialize(const graph::Graph& graph);

/// Writes `serialize(graph)`; `path` holds the old or the new file at any time.
///
/// @throws as serialize, and Error(io).
void write_model(const graph::Graph& graph, const std::filesystem::path& path);

}  // namespace yoloq::onnx
