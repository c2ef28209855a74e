// SPDX-License-Identifier: Apache-2.0
#include "runtime/engine_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file.h"
#include "support/data.h"

namespace yoloq::runtime {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

EngineFile example() {
  return {.backend = "openvino",
          .backend_version = "1.2",
          .device = "a CPU",
          .float_type = "f32",
          .model_hash = "0123",
          .inputs = {"images"},
          .outputs = {"a", "b"},
          .nodes = {{"a", "model.24"}},
          .metadata = {{"names", "['one', 'tw\xC3\xB6']"}, {"stride", ""}},
          .notices = {"slow", ""},
          .blob = std::string("bytes\0of it", 11)};
}

Error error_of(std::string_view bytes) {
  try {
    parse_engine_file(bytes);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {ErrorCode::bad_state, ""};
}

TEST(EngineFile, ReadsBackWhatWasWritten) {
  EXPECT_EQ(parse_engine_file(serialize(example())), example());
  EXPECT_EQ(parse_engine_file(serialize({})), EngineFile{});
}

TEST(EngineFile, IsRefusedWhereverItIsCutOff) {
  const std::string whole = serialize(example());

  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_EQ(error_of(whole.substr(0, length)).code(), ErrorCode::corrupt_file) << length;
  }
  EXPECT_EQ(error_of(whole + "more").code(), ErrorCode::corrupt_file);
}

TEST(EngineFile, IsRefusedWhenAnyByteIsWrong) {
  const std::string whole = serialize(example());

  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_THROW(parse_engine_file(damaged), Error) << i;
  }
}

TEST(EngineFile, SaysThatAnotherFormatMustBeBuiltAgain) {
  std::string later = serialize(example());
  later[8] = 9;  // The format version follows eight letters.

  const Error error = error_of(later);

  EXPECT_EQ(error.code(), ErrorCode::unsupported);
  EXPECT_THAT(error.what(), HasSubstr("format 9"));
}

TEST(EngineFile, NamesThePathOfAFileThatIsNone) {
  const test::TemporaryFolder folder;
  write_file(folder / "model.engine", "an image, perhaps");

  try {
    read_engine_file(folder / "model.engine");
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::corrupt_file);
    EXPECT_THAT(error.what(), HasSubstr("model.engine"));
    EXPECT_THAT(error.what(), HasSubstr("YOLOQENG"));
  }
}

TEST(Registry, NamesTheBackendsItKnows) {
  ASSERT_FALSE(backends().empty());
  try {
    compile(graph::Graph{}, {.backend = "abacus"});
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_argument);
    EXPECT_THAT(error.what(), StartsWith("no backend 'abacus'; known: openvino"));
  }
}

TEST(Registry, RefusesAFileOfAnUnknownBackend) {
  const test::TemporaryFolder folder;
  EngineFile file = example();
  file.backend = "abacus";
  write_file(folder / "model.engine", serialize(file));

  try {
    load(folder / "model.engine");
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("model.engine"));
    EXPECT_THAT(error.what(), HasSubstr("no backend 'abacus'"));
  }
}

TEST(FloatType, IsNamedAsOnTheCommandLine) {
  for (const FloatType type : {FloatType::f32, FloatType::bf16, FloatType::f16}) {
    EXPECT_EQ(float_type_of(name_of(type)), type);
  }
  EXPECT_THROW(float_type_of("float32"), Error);
}

TEST(AvailableThreads, IsAtLeastOne) { EXPECT_GE(available_threads(), 1); }

}  // namespace
}  // namespace yoloq::runtime
