// SPDX-License-Identifier: Apache-2.0
#include "report/encode.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace yoloq::report {
namespace {

TEST(EscapeHtml, LeavesNothingThatStartsATagOrEndsAnAttribute) {
  EXPECT_EQ(escape_html(R"(<script>alert("1")</script> & 'x')"),
            "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39;");
  EXPECT_EQ(escape_html("plain, ünïcode 中"), "plain, ünïcode 中");
}

TEST(EscapeMarkdown, LeavesNothingThatIsMarkup) {
  EXPECT_EQ(escape_markdown("a|b *c* _d_ [e](f) `g` # <h>\ni"),
            "a\\|b \\*c\\* \\_d\\_ \\[e\\](f) \\`g\\` \\# &lt;h&gt; i");
}

struct Broken {
  const char* why;
  std::string bytes;
  std::string clean;
};

void PrintTo(const Broken& row, std::ostream* out) { *out << row.why; }

class CleanUtf8 : public testing::TestWithParam<Broken> {};

TEST_P(CleanUtf8, ReplacesWhatIsNoCharacter) {
  EXPECT_EQ(to_clean_utf8(GetParam().bytes), GetParam().clean);
}

const Broken kBroken[] = {
    {"Latin1", "a\xE9", "a\uFFFD"},
    {"CutOff", "a\xE4\xB8", "a\uFFFD\uFFFD"},
    {"Overlong", "\xC0\xAF", "\uFFFD\uFFFD"},
    {"Surrogate", "\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD"},
    {"BeyondUnicode", "\xF4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"},
    {"Control", std::string("a\0b\x1B", 4), "a\uFFFDb\uFFFD"},
    {"WellFormed", "\t\n\xC3\xA9\xE4\xB8\xAD\xF0\x9F\x98\x80", "\t\n\u00E9\u4E2D\U0001F600"},
};

INSTANTIATE_TEST_SUITE_P(Of, CleanUtf8, testing::ValuesIn(kBroken),
                         [](const auto& row) { return row.param.why; });

/// The examples of RFC 4648, section 10.
TEST(Base64, IsThatOfTheStandard) {
  EXPECT_EQ(to_base64(""), "");
  EXPECT_EQ(to_base64("f"), "Zg==");
  EXPECT_EQ(to_base64("fo"), "Zm8=");
  EXPECT_EQ(to_base64("foo"), "Zm9v");
  EXPECT_EQ(to_base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(to_base64("\xFF\xFE\xFD"), "//79");
}

}  // namespace
}  // namespace yoloq::report
