// SPDX-License-Identifier: Apache-2.0
#include "train/detail/ranks.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <string>
#include <vector>

#include "core/error.h"
#include "support/gpus.h"
#include "train/several_ranks.h"

namespace yoloq::train::detail {
namespace {

using test::on_ranks;
using test::place_here;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string error_of(const RankPlace& place) {
  try {
    const Ranks ranks(place, {});
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(Ranks, AddTensorsUpAlikeOnAll) {
  const auto errors = on_ranks(3, [](const RankPlace& place) {
    Ranks ranks(place, {});
    const auto mine = static_cast<float>(place.rank + 1);
    at::Tensor channels_last =
        at::full({2, 3, 4, 5}, mine).contiguous(at::MemoryFormat::ChannelsLast);
    channels_last[1][2][3][4].fill_(10 * mine);
    at::Tensor scalar = at::full({}, 100 * mine);
    at::Tensor empty = at::empty({0});
    at::Tensor tensors[] = {channels_last, scalar, empty};
    ranks.sum(tensors);
    EXPECT_EQ(channels_last[0][0][0][0].item<float>(), 6);
    EXPECT_EQ(channels_last[1][2][3][4].item<float>(), 60);
    EXPECT_EQ(scalar.item<float>(), 600);
    EXPECT_THAT(ranks.sum(std::vector<double>{1, 0.5 * mine}), ElementsAre(3, 3));
    ranks.finish();
  });
  EXPECT_THAT(errors, Each(IsEmpty()));
}

TEST(Ranks, AddTensorsOnGpusUpThere) {
  YOLOQ_NEED_GPUS(2);
  const auto errors = on_ranks(2, [](const RankPlace& place) {
    Ranks ranks(place, {});
    const c10::Device gpu(c10::kCUDA, static_cast<c10::DeviceIndex>(place.rank));
    for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kLong}) {
      at::Tensor grid = at::full({3, 4}, place.rank + 1, at::TensorOptions(gpu).dtype(type));
      at::Tensor scalar = at::full({}, 10 * place.rank, at::TensorOptions(gpu).dtype(type));
      at::Tensor tensors[] = {grid, scalar};
      ranks.sum(tensors);
      EXPECT_EQ(grid.device(), gpu);
      EXPECT_EQ(grid.to(at::kDouble).sum().item<double>(), 36);
      EXPECT_EQ(scalar.to(at::kDouble).item<double>(), 10);
    }
    ranks.finish();
  });
  EXPECT_THAT(errors, Each(IsEmpty()));
}

TEST(Ranks, OnOneGpuAreToldThatEachNeedsItsOwn) {
  YOLOQ_NEED_GPUS(1);
  const auto errors = on_ranks(2, [](const RankPlace& place) {
    const Ranks ranks(place, {});
    at::Tensor tensor = at::ones({1}, at::TensorOptions(c10::kCUDA));
    ranks.sum({&tensor, 1});
  });
  EXPECT_THAT(errors, Each(HasSubstr("each rank needs a GPU of its own")));
}

TEST(Ranks, HandOutWhatTheFirstHas) {
  const std::string bytes("a\0b", 3);
  const auto errors = on_ranks(2, [&](const RankPlace& place) {
    Ranks ranks(place, {});
    EXPECT_EQ(ranks.from_first(ranks.first() ? bytes : "something else"), bytes);
    EXPECT_EQ(ranks.from_first(""), "");
    ranks.finish();
  });
  EXPECT_THAT(errors, Each(IsEmpty()));
}

TEST(Ranks, GatherWhatEachHas) {
  const std::string bytes("a\0b", 3);
  const auto errors = on_ranks(3, [&](const RankPlace& place) {
    Ranks ranks(place, {});
    const std::string mine = place.rank == 1 ? bytes : std::string(10 * place.rank, 'x');
    EXPECT_THAT(ranks.gather(mine), ElementsAre("", bytes, std::string(20, 'x')));
    ranks.finish();
  });
  EXPECT_THAT(errors, Each(IsEmpty()));
}

TEST(Ranks, AreNotNeededToBeAlone) {
  Ranks ranks({}, {});
  EXPECT_TRUE(ranks.alone());
  EXPECT_TRUE(ranks.first());
  EXPECT_THAT(ranks.sum(std::vector<double>{2}), ElementsAre(2));
  EXPECT_EQ(ranks.from_first("x"), "x");
  ranks.finish();
}

TEST(Ranks, WaitingForOneThatEndsSayIt) {
  const auto errors = on_ranks(2, [](const RankPlace& place) {
    const Ranks ranks(place, {});
    ranks.sum(std::vector<double>{1});  // Both are connected.
    if (place.rank == 1) fail(ErrorCode::cancelled, "no more");
    ranks.sum(std::vector<double>{1});
  });
  EXPECT_THAT(errors[0], HasSubstr("rank 0 of 2 ends, because another rank has ended"));
  EXPECT_EQ(errors[1], "no more");
}

TEST(Ranks, ThatComputeAreToldThatOneIsGone) {
  std::promise<std::string> told;
  const auto errors = on_ranks(2, [&](const RankPlace& place) {
    const Ranks ranks(place, [&](std::string_view why) { told.set_value(std::string(why)); });
    ranks.sum(std::vector<double>{1});  // Both are connected.
    if (place.rank == 1) return;
    auto why = told.get_future();
    ASSERT_EQ(why.wait_for(std::chrono::seconds(30)), std::future_status::ready);
    EXPECT_THAT(why.get(), HasSubstr("rank 0 of 2 ends, because another rank has ended"));
  });
  EXPECT_THAT(errors, Each(IsEmpty()));
}

TEST(Ranks, ThatDoNotAllComeAreCounted) {
  RankPlace place = place_here(0, 3, test::free_port());
  place.patience = 0.2;
  EXPECT_THAT(error_of(place), AllOf(HasSubstr("1 of 3 ranks came"), HasSubstr("WORLD_SIZE")));
}

TEST(Ranks, WithoutTheFirstCannotMeet) {
  RankPlace place = place_here(1, 2, test::free_port());
  place.patience = 1;
  EXPECT_THAT(error_of(place), HasSubstr("rank 1 of 2 cannot reach rank 0 at '127.0.0.1'"));
}

TEST(Ranks, AreBelowTheirNumberAndMeetSomewhere) {
  EXPECT_THAT(error_of({.rank = 2, .ranks = 2, .address = "localhost", .port = 1}),
              HasSubstr("rank 2 of 2"));
  EXPECT_THAT(error_of({.rank = 0, .ranks = 2, .port = 29500}), HasSubstr("expected a host"));
  EXPECT_THAT(error_of({.rank = 0, .ranks = 2, .address = "localhost", .port = 70000}),
              HasSubstr("port 70000"));
}

}  // namespace
}  // namespace yoloq::train::detail
