// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstring>

/// @file
/// Objects of an abstract class of which only some methods are written. TensorRT's internal
/// interfaces have up to a hundred methods, other ones in each version; a fake needs a handful,
/// wherever they stand.
///
/// It relies on the Itanium C++ ABI, which TensorRT does too: a pointer to a virtual method holds
/// the offset of its entry in the table, and a method is called as a function of `this`.

namespace yoloq::test {

template <auto Method, class Handler, class Type = decltype(Method)>
struct MethodCall;

template <auto Method, class Handler, class Class, class Result, class... Arguments>
struct MethodCall<Method, Handler, Result (Class::*)(Arguments...)> {
  static Result call(Class* self, Arguments... arguments) { return Handler{}(self, arguments...); }
};
template <auto Method, class Handler, class Class, class Result, class... Arguments>
struct MethodCall<Method, Handler, Result (Class::*)(Arguments...) noexcept>
    : MethodCall<Method, Handler, Result (Class::*)(Arguments...)> {};
template <auto Method, class Handler, class Class, class Result, class... Arguments>
struct MethodCall<Method, Handler, Result (Class::*)(Arguments...) const>
    : MethodCall<Method, Handler, Result (Class::*)(Arguments...)> {};
template <auto Method, class Handler, class Class, class Result, class... Arguments>
struct MethodCall<Method, Handler, Result (Class::*)(Arguments...) const noexcept>
    : MethodCall<Method, Handler, Result (Class::*)(Arguments...)> {};

/// An object of `Interface`. Methods that were not set do nothing and give 0; deleting it too.
template <class Interface>
class Hollow {
 public:
  Hollow() {
    table_.fill(reinterpret_cast<void*>(+[]() -> void* { return nullptr; }));
    table_[0] = table_[1] = nullptr;  // Offset to top and type information.
  }

  /// @param handler  a lambda without captures, called with the object and the arguments.
  template <auto Method, class Handler>
  Hollow& set(Handler) {
    const auto method = Method;
    std::ptrdiff_t offset = 0;
    std::memcpy(&offset, &method, sizeof offset);
    table_.at(kBeforeMethods + static_cast<std::size_t>(offset) / sizeof(void*)) =
        reinterpret_cast<void*>(&MethodCall<Method, Handler>::call);
    return *this;
  }

  /// Valid as long as this stays where it is.
  Interface* get() {
    object_ = table_.data() + kBeforeMethods;
    return reinterpret_cast<Interface*>(&object_);
  }

 private:
  static constexpr std::size_t kBeforeMethods = 2;

  std::array<void*, 256> table_{};
  void* const* object_ = nullptr;
};

}  // namespace yoloq::test
