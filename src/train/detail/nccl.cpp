// SPDX-License-Identifier: Apache-2.0
#include "train/detail/nccl.h"

#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>

#include <array>
#include <cstring>

#include "core/error.h"
#include "core/shared_library.h"
#include "runtime/torch/device.h"

namespace yoloq::train::detail {

namespace {

// As nccl.h declares them: 0 is success.
struct UniqueId {
  std::array<char, 128> bytes;
};
using GetUniqueId = int(UniqueId*);
using CommInitRank = int(void**, int, UniqueId, int);
using CommAbort = int(void*);
using AllReduce = int(const void*, void*, std::size_t, int, int, void*, void*);
using GetErrorString = const char*(int);
constexpr int kSum = 0;

struct Functions {
  SharedLibrary library{"NCCL, over which ranks on GPUs exchange,", {"libnccl.so.2"}};
  GetUniqueId* get_unique_id = library.find<GetUniqueId>("ncclGetUniqueId");
  CommInitRank* init_rank = library.find<CommInitRank>("ncclCommInitRank");
  CommAbort* abort = library.find<CommAbort>("ncclCommAbort");
  AllReduce* all_reduce = library.find<AllReduce>("ncclAllReduce");
  GetErrorString* error_string = library.find<GetErrorString>("ncclGetErrorString");
};

const Functions& nccl() {
  static const Functions functions;
  return functions;
}

void check(int status, const char* what) {
  if (status == 0) return;
  fail(ErrorCode::backend,
       "NCCL, while {}: {}; NCCL_DEBUG=WARN says more, and each rank needs a GPU of its own", what,
       nccl().error_string(status));
}

/// nccl.h's number of a type.
int type_number(at::ScalarType type) {
  switch (type) {
    case at::kLong:
      return 4;
    case at::kFloat:
      return 7;
    case at::kDouble:
      return 8;
    default:
      fail(ErrorCode::unsupported, "ranks do not add up values of type {}", at::toString(type));
  }
}

}  // namespace

struct Nccl::Group {
  c10::Device device;
  void* communicator = nullptr;
};

std::string Nccl::make_id() {
  UniqueId id;
  check(nccl().get_unique_id(&id), "naming a group");
  return {id.bytes.data(), id.bytes.size()};
}

Nccl::Nccl(const std::string& id, int rank, int ranks, c10::Device device)
    : group_(std::make_unique<Group>(Group{.device = device})) {
  const c10::DeviceGuard guard(device);
  UniqueId copy;
  std::memcpy(copy.bytes.data(), id.data(), copy.bytes.size());
  check(nccl().init_rank(&group_->communicator, ranks, copy, rank), "connecting the ranks' GPUs");
}

// Does not wait for the others as ncclCommDestroy does: one of them may be gone.
Nccl::~Nccl() {
  const c10::DeviceGuard guard(group_->device);
  nccl().abort(group_->communicator);
}

void Nccl::sum(const at::Tensor& values) const {
  const c10::DeviceGuard guard(group_->device);
  void* const data = values.mutable_data_ptr();
  check(nccl().all_reduce(data, data, static_cast<std::size_t>(values.numel()),
                          type_number(values.scalar_type()), kSum, group_->communicator,
                          runtime::torch::current_stream(group_->device)),
        "adding up over ranks");
}

}  // namespace yoloq::train::detail
