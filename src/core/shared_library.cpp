// SPDX-License-Identifier: Apache-2.0
#include "core/shared_library.h"

#include <dlfcn.h>

#include "core/error.h"

namespace yoloq {

SharedLibrary::SharedLibrary(std::string_view whose, std::initializer_list<const char*> names,
                             std::string_view advice)
    : whose_(whose) {
  std::string why;
  for (const char* name : names) {
    // RTLD_GLOBAL: libraries opened later find what they need in it.
    handle_ = ::dlopen(name, RTLD_NOW | RTLD_GLOBAL);
    if (handle_ != nullptr) return;
    why = ::dlerror();
  }
  fail(ErrorCode::unsupported, "{} cannot be opened ({}); {}", whose_, why, advice);
}

void* SharedLibrary::address_of(const char* name) const {
  if (void* const address = ::dlsym(handle_, name)) return address;
  fail(ErrorCode::unsupported, "{} has no '{}': another version?", whose_, name);
}

}  // namespace yoloq
