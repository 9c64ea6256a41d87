#include "presence-core/storage/postgres/database_options.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence-core/model/error.h"

namespace presence {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(DatabaseOptionsTest, TakesBothFormsAndAddsWhatIsNotSaid) {
  for (const char* dsn : {"host=/run/postgresql dbname=presence connect_timeout=9",
                          "postgres:///presence?host=/run/postgresql&connect_timeout=9"}) {
    const auto normal = NormalizeDsn(dsn);
    ASSERT_TRUE(normal.ok()) << normal.status();
    EXPECT_THAT(*normal, HasSubstr("host='/run/postgresql'"));
    EXPECT_THAT(*normal, HasSubstr("connect_timeout='9'"));
    EXPECT_THAT(*normal, HasSubstr("application_name='presence-core'"));
  }
}

TEST(DatabaseOptionsTest, KeepsAPasswordWithQuotesWhole) {
  const auto once = NormalizeDsn("postgres://u:it%27s%5C%20@h/d");
  ASSERT_TRUE(once.ok());
  EXPECT_THAT(*once, HasSubstr(R"(password='it\'s\\ ')"));

  EXPECT_EQ(NormalizeDsn(*once).value(), *once);
}

// R SEC11: a dsn never shows in a log.
TEST(DatabaseOptionsTest, NeverShowsAPassword) {
  EXPECT_THAT(DescribeDsn("postgres://u:secret@h:5433/d"), Not(HasSubstr("secret")));
  EXPECT_THAT(DescribeDsn("postgres://u:secret@h:5433/d"), HasSubstr("port='5433'"));

  const auto broken = NormalizeDsn("host=h pasword=secret");
  EXPECT_EQ(ReasonOf(broken.status()), ErrorReason::kInvalidField);
  EXPECT_THAT(std::string(broken.status().message()), Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace presence
