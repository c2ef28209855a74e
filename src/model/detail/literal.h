// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace yoloq::model::detail {

struct LiteralEntry;

/// A value of the subset that Python literals and JSON share: numbers, strings, None / null,
/// booleans, lists (and tuples), dicts.
struct Literal {
  using List = std::vector<Literal>;
  using Dict = std::vector<LiteralEntry>;

  std::variant<std::monostate, double, std::string, List, Dict> value;

  const double* number() const { return std::get_if<double>(&value); }
  const std::string* text() const { return std::get_if<std::string>(&value); }
  const List* list() const { return std::get_if<List>(&value); }
  const Dict* dict() const { return std::get_if<Dict>(&value); }
};

/// One entry of a dict.
struct LiteralEntry {
  Literal key;
  Literal value;
};

/// Reads the whole of `text` as one literal, nested at most 16 deep.
///
/// @throws Error(corrupt_file) with the offset of what cannot be understood.
Literal parse_literal(std::string_view text);

/// `text` as Python's repr() writes a str: single quotes unless only those occur inside.
std::string quoted(std::string_view text);

}  // namespace yoloq::model::detail
