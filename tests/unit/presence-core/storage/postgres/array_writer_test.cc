#include "presence-core/storage/postgres/array_writer.h"

#include "gtest/gtest.h"

namespace presence {
namespace {

TEST(ArrayWriterTest, WritesAnArrayOfEachKind) {
  ArrayWriter texts;
  texts.AddText("a");
  texts.AddText("");
  texts.AddNull();
  EXPECT_EQ(texts.Take(), R"({"a","",NULL})");

  ArrayWriter numbers;
  numbers.AddNumber(int64_t{-1});
  numbers.AddNumber(INT64_MAX);
  EXPECT_EQ(numbers.Take(), "{-1,9223372036854775807}");

  ArrayWriter bools;
  bools.AddBool(true);
  bools.AddBool(false);
  EXPECT_EQ(bools.Take(), "{t,f}");

  ArrayWriter bytes;
  bytes.AddBytes(std::string_view("\0\xffz", 3));
  EXPECT_EQ(bytes.Take(), R"({"\\x00ff7a"})");
}

TEST(ArrayWriterTest, QuotesWhatWouldEndAnElement) {
  ArrayWriter writer;
  writer.AddText(R"(a"b\c,{}NULL)");

  EXPECT_EQ(writer.Take(), R"({"a\"b\\c,{}NULL"})");
}

TEST(ArrayWriterTest, WritesTimesToTheMicrosecondAndTheInfinities) {
  ArrayWriter writer;
  writer.AddTime(absl::FromUnixMicros(1'700'000'000'000'001) + absl::Nanoseconds(999));
  writer.AddTime(absl::InfiniteFuture());
  writer.AddTime(absl::InfinitePast());

  EXPECT_EQ(writer.Take(), R"({"2023-11-14 22:13:20.000001+00",infinity,-infinity})");
}

TEST(ArrayWriterTest, WritesAnEarlyYearWithFourDigits) {
  ArrayWriter writer;
  writer.AddTime(absl::FromCivil(absl::CivilDay(71, 2, 3), absl::UTCTimeZone()));

  EXPECT_EQ(writer.Take(), R"({"0071-02-03 00:00:00.000000+00"})");
}

TEST(ArrayWriterTest, IsEmptyAfterTake) {
  ArrayWriter writer;
  writer.AddText("a");
  writer.Take();

  EXPECT_EQ(writer.Take(), "{}");
}

}  // namespace
}  // namespace presence
