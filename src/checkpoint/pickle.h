// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// @file
/// Python's pickle format, protocols 2 to 5, as plain data.
///
/// A pickle is a program. This reader builds its lists, dicts and texts, but where Python would
/// look a name up and call it, only the name and the arguments are kept. Nothing is ever called, so
/// that a file from anywhere may be read.
///
/// Source: Python's Lib/pickletools.py, which describes every opcode.

namespace yoloq::checkpoint::pickle {

enum class ObjectId : std::uint32_t {};

/// None, a bool, a number, or an object of the document.
using Value = std::variant<std::monostate, bool, std::int64_t, double, ObjectId>;

/// Anything that has parts. Objects may contain each other and themselves.
struct Object {
  enum class Kind : std::uint8_t {
    text,   ///< `text`, UTF-8.
    bytes,  ///< `text`.
    list,   ///< `items`.
    tuple,  ///< `items`.
    set,    ///< `items`.
    dict,   ///< `items`: key, value, key, value, ... A later key wins.
    name,   ///< A class or function: `name` of module `text`.
    made,   ///< What `callable` would have made of `arguments`; then `state`, `items` were added.
    external,  ///< A persistent id, in `arguments`: in PyTorch's files a storage.
  };

  Kind kind = Kind::tuple;
  std::string_view text = {};
  std::string_view name = {};
  std::vector<Value> items = {};
  Value callable = {};
  Value arguments = {};
  Value state = {};
};

/// A pickle that was read. Owns its bytes; a View is valid as long as its Document stays in place.
class Document {
 public:
  /// @throws Error(corrupt_file) naming the opcode and its offset; Error(unsupported) for opcodes
  /// that
  ///         only protocols 0 and 1 or extension registries use, and above 64 MiB or 2 million
  ///         objects.
  explicit Document(std::string bytes);
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  const Value& root() const { return root_; }
  const Object& operator[](ObjectId id) const { return objects_[static_cast<std::size_t>(id)]; }

 private:
  std::string bytes_;
  std::deque<Object> objects_;
  Value root_;
};

/// A value of a document with the questions that one asks of it. An answer of the wrong type is
/// absent, never an error.
class View {
 public:
  View(const Document& document, const Value& value) : document_(&document), value_(value) {}

  bool is_none() const { return std::holds_alternative<std::monostate>(value_); }
  std::optional<bool> boolean() const;
  std::optional<std::int64_t> integer() const;  ///< A bool counts as 0 or 1.
  std::optional<double> real() const;           ///< Integers count.
  std::optional<std::string_view> text() const;
  std::optional<std::string_view> bytes() const;

  /// A list, tuple or set.
  bool is_sequence() const;
  /// A dict, or one of Python's classes derived from it.
  bool is_dict() const;
  /// Elements of a sequence, entries of a dict; 0 of anything else.
  std::size_t size() const;
  /// Element of a sequence; None beyond its end and of anything else.
  View at(std::size_t index) const;
  View key(std::size_t index) const;    ///< Of a dict's entry.
  View value(std::size_t index) const;  ///< Of a dict's entry.
  /// The dict's entry under a text key; None if there is none. Linear in the size of the dict.
  View get(std::string_view key) const;

  /// The dotted name if this is a class or function; else empty.
  std::string name() const;
  /// The dotted name of the class or function that would have made this object; else empty.
  std::string made_by() const;
  View arguments() const;  ///< Of a made object (a tuple), or the id of an external one; else None.
  View state() const;      ///< Of a made object; else None.
  bool is_external() const;

  /// Which object this is; none for numbers and None.
  std::optional<ObjectId> identity() const;

  /// For messages: "a list of 3", "an object of class models.yolo.Model".
  std::string describe() const;

 private:
  const Object* object() const;
  const Object* object(Object::Kind kind) const;
  View view(const Value& value) const { return {*document_, value}; }

  const Document* document_;
  Value value_;
};

}  // namespace yoloq::checkpoint::pickle
