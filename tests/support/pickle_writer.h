// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// @file
/// Pieces of a Python pickle, protocol 2. Each function returns the opcodes that leave one value on
/// the stack, so that values nest like the calls that write them:
///
///     pickle_document(pickle_dict({{pickle_text("epoch"), pickle_integer(-1)}}))

namespace yoloq::test {

using Pickled = std::string;

Pickled pickle_none();
Pickled pickle_boolean(bool value);
Pickled pickle_integer(std::int64_t value);
Pickled pickle_real(double value);
Pickled pickle_text(std::string_view value);
Pickled pickle_list(const std::vector<Pickled>& items);
Pickled pickle_tuple(const std::vector<Pickled>& items);
Pickled pickle_dict(const std::vector<std::pair<Pickled, Pickled>>& items);
/// The same with text keys.
Pickled pickle_attributes(const std::vector<std::pair<std::string, Pickled>>& items);
/// collections.OrderedDict with text keys.
Pickled pickle_ordered(const std::vector<std::pair<std::string, Pickled>>& items);
/// A class or function by name: "torch._utils", "_rebuild_tensor_v2".
Pickled pickle_global(std::string_view module, std::string_view name);
/// callable(*arguments), which is what REDUCE asks Python to do.
Pickled pickle_call(const Pickled& callable, const std::vector<Pickled>& arguments);
/// An object of a class with a state.
Pickled pickle_object(const Pickled& type, const Pickled& state);
/// What a persistent id stands for: in PyTorch's files a storage.
Pickled pickle_persistent(const Pickled& id);

/// A whole pickle.
std::string pickle_document(const Pickled& value);

}  // namespace yoloq::test
