// What the preprocessor and the lexer of Kamailio 5.6 do to a script.
#include "cli/kamailio/scanner.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "tests/unit/cli/kamailio/script_files.h"

namespace presence::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// The words of k.cfg: numbers as their values, strings in <>. The last is the error, if any.
std::vector<std::string> Words(const ScriptFiles& files,
                               std::map<std::string, std::string> defines = {}) {
  Scanner scanner(ReaderOf(files), std::move(defines));
  std::vector<std::string> words;
  if (const absl::Status status = scanner.Open("k.cfg"); !status.ok()) {
    return {std::string(status.message())};
  }
  while (true) {
    const absl::StatusOr<Token> token = scanner.Next();
    if (!token.ok()) {
      words.emplace_back(token.status().message());
      return words;
    }
    if (token->kind == Token::Kind::kEnd) return words;
    const bool is_string = token->kind == Token::Kind::kString;
    const bool is_number = token->kind == Token::Kind::kNumber;
    words.push_back(is_string   ? absl::StrCat("<", token->text, ">")
                    : is_number ? absl::StrCat(token->number)
                                : token->text);
  }
}

std::vector<std::string> WordsOf(const std::string& text,
                                 std::map<std::string, std::string> defines = {}) {
  return Words({{"k.cfg", text}}, std::move(defines));
}

TEST(ScannerTest, SkipsCommentsOfAllKinds) {
  EXPECT_THAT(WordsOf("a # b\n// c\nd /* e */ f"), ElementsAre("a", "d", "f"));
}

TEST(ScannerTest, NestsBlockComments) {
  EXPECT_THAT(WordsOf("a /* b /* c */ d */ e"), ElementsAre("a", "e"));
}

TEST(ScannerTest, NamesWhereACommentWithoutEndBegins) {
  EXPECT_THAT(WordsOf("a\n/* b /* c */\nd"), ElementsAre("a", HasSubstr("k.cfg:2: ")));
}

TEST(ScannerTest, TakesADirectiveOfNoMeaningForAComment) {
  EXPECT_THAT(WordsOf("#!KAMAILIO\n#!/usr/sbin/kamailio\na"), ElementsAre("a"));
}

TEST(ScannerTest, ReadsNumbersInEveryBase) {
  EXPECT_THAT(WordsOf("10 0x1F 017 101b yes off 99999999999999999999"),
              ElementsAre("10", "31", "15", "5", "1", "0", "99999999999999999999"));
}

TEST(ScannerTest, ReplacesDefinesOutsideStringsOnly) {
  EXPECT_THAT(WordsOf("#!define TIME 3600\nTIME \"TIME\" TIMES"),
              ElementsAre("3600", "<TIME>", "TIMES"));
}

TEST(ScannerTest, ReplacesADefineByItsTextSoThatItMayBeSeveralWordsOrNone) {
  EXPECT_THAT(WordsOf("#!define A \"x\", 5 # no more\n#!define B\nA B )\nc"),
              ElementsAre("<x>", ",", "5", "c"));
}

TEST(ScannerTest, ContinuesADefineAfterABackslash) {
  EXPECT_THAT(WordsOf("#!define A 1 \\\n + 2\nA"), ElementsAre("1", "+", "2"));
}

TEST(ScannerTest, CountsLinesPastContinuedDefinesAndLinesOfWindows) {
  EXPECT_THAT(WordsOf("#!define A 1 \\\r\n + 2\r\nA\r\n\"open"),
              ElementsAre("1", "+", "2", HasSubstr("k.cfg:4: ")));
}

TEST(ScannerTest, RefusesToDefineTwiceButKnowsTrydefAndRedef) {
  EXPECT_THAT(WordsOf("#!define A 1\n#!define A 2\n"),
              ElementsAre(HasSubstr("k.cfg:2: A is defined already")));
  EXPECT_THAT(WordsOf("#!define A 1\n#!trydef A 2\nA\n#!redefine A 3\nA"), ElementsAre("1", "3"));
}

TEST(ScannerTest, RefusesADefineThatLeadsBackToItself) {
  EXPECT_THAT(WordsOf("#!define A B\n#!define B A\nA"),
              ElementsAre(HasSubstr("k.cfg:3: the define")));
  EXPECT_THAT(WordsOf("#!define A (A\nA").back(), HasSubstr("leads back to itself"));
}

TEST(ScannerTest, LeavesOutWhatIsNotDefined) {
  const std::string text = "#!ifdef A\na\n#!else\nb\n#!endif\n#!ifndef A\nc\n#!endif\nd";

  EXPECT_THAT(WordsOf(text), ElementsAre("b", "c", "d"));
  EXPECT_THAT(WordsOf(text, {{"A", ""}}), ElementsAre("a", "d"));
}

TEST(ScannerTest, NestsConditionsInWhatIsLeftOut) {
  EXPECT_THAT(WordsOf("#!ifdef A\n#!ifndef B\na\n#!else\nb\n#!endif\nc\n#!else\nd\n#!endif\ne"),
              ElementsAre("d", "e"));
}

// As the server does: what is left out is not looked at, so a comment there is none.
TEST(ScannerTest, ObeysDirectivesInCommentsOfWhatIsLeftOut) {
  EXPECT_THAT(WordsOf("#!ifdef A\n# b #!endif\nc"), ElementsAre("c"));
}

TEST(ScannerTest, NeedsNoSenseInWhatIsLeftOut) {
  EXPECT_THAT(WordsOf("#!ifdef A\n\" ' /* ((\n#!endif\nb"), ElementsAre("b"));
}

TEST(ScannerTest, NamesTheConditionThatNothingEnds) {
  EXPECT_THAT(WordsOf("a\n#!ifdef A\nb"), ElementsAre("a", HasSubstr("k.cfg:2: ")));
  EXPECT_THAT(WordsOf("a\n#!endif\n"), ElementsAre("a", HasSubstr("k.cfg:2: #!endif without")));
}

TEST(ScannerTest, RefusesAnEndifThatKamailioDoesNotSee) {
  EXPECT_THAT(WordsOf("#!ifndef A\na\n#!endif # A\n"),
              ElementsAre("a", HasSubstr("k.cfg:3: #!endif has text behind it")));
}

TEST(ScannerTest, RefusesToGuessWhatOnlyTheServerKnows) {
  EXPECT_THAT(WordsOf("#!defenv DBURL DBURL\n"), ElementsAre(HasSubstr("--define DBURL=VALUE")));
  EXPECT_THAT(WordsOf("#!trydefenv DBURL\nDBURL", {{"DBURL", "7"}}), ElementsAre("7"));
  EXPECT_THAT(WordsOf("#!ifexp A == 1\n#!endif\n"), ElementsAre(HasSubstr("k.cfg:1: #!ifexp")));
  EXPECT_THAT(WordsOf("#!ifdef A\n#!ifexp B\n#!endif\n#!endif\n"),
              ElementsAre(HasSubstr("k.cfg:2: #!ifexp")));
}

TEST(ScannerTest, ReadsEscapesInDoubleQuotesAndNoneInSingle) {
  EXPECT_THAT(WordsOf(R"("a\"b\\c\x41\101\d\1" 'a\"b\n')"),
              ElementsAre(R"(<a"b\cAA\d\1>)", R"(<a\"b\n>)"));
}

TEST(ScannerTest, JoinsStringsInDoubleQuotesAcrossLines) {
  EXPECT_THAT(WordsOf("\"a\"\n  \"b\" 'c'"), ElementsAre("<ab>", "<c>"));
}

TEST(ScannerTest, NamesWhereAStringWithoutEndBegins) {
  EXPECT_THAT(WordsOf("a \"b\nc"), ElementsAre("a", HasSubstr("k.cfg:1: the string")));
  EXPECT_THAT(WordsOf("a\n 'b\nc"), ElementsAre("a", HasSubstr("k.cfg:2: the string")));
}

TEST(ScannerTest, SubstitutesInsideStrings) {
  EXPECT_THAT(WordsOf("#!subst \"/b+/<&>/\"\nabbb \"abbbc abb\""),
              ElementsAre("abbb", "<a<&>c abb>"));
  EXPECT_THAT(WordsOf("#!subst \"/(A)(b)/\\2\\1/gi\"\nz \"xaby AB\""),
              ElementsAre("z", "<xbay BA>"));
}

TEST(ScannerTest, DefinesAndSubstitutesAtOnce) {
  EXPECT_THAT(WordsOf("#!substdef \"!PORT!5070!g\"\nPORT \"a:PORT\""),
              ElementsAre("5070", "<a:5070>"));
  EXPECT_THAT(WordsOf("#!substdefs \"!HOST!a.example!g\"\nHOST, \"sip:HOST\""),
              ElementsAre("<a.example>", ",", "<sip:a.example>"));
}

TEST(ScannerTest, RefusesSubstitutionsItCannotMake) {
  for (const char* text :
       {"#!subst \"/a/$var(x)/\"\n", "#!subst \"/a{1,9}/b/\"\n", "#!subst \"/(a)\\1/b/\"\n",
        "#!subst \"/a/b\"\n", "#!subst \"/(/b/\"\n", "#!subst a\n", "#!subst \"/a/b/x\"\n"}) {
    EXPECT_THAT(WordsOf(text), ElementsAre(StartsWith("k.cfg:1: "))) << text;
  }
}

TEST(ScannerTest, TakesVariablesWhole) {
  EXPECT_THAT(WordsOf("$ru $subs(uri) $(hdr(X){re.subst,/a#b\"/c/}) $?"),
              ElementsAre("$ru", "$subs(uri)", "$(hdr(X){re.subst,/a#b\"/c/})", "$", "?"));
}

TEST(ScannerTest, IncludesFilesBesideTheOneThatNamesThem) {
  EXPECT_THAT(Words({{"k.cfg", "include_file \"sub/a.cfg\"\nX"},
                     {"sub/a.cfg", "a\n!!include_file \"b.cfg\"\nc"},
                     {"sub/b.cfg", "#!define X 1\nb"}}),
              ElementsAre("a", "b", "c", "1"));
}

TEST(ScannerTest, MissesAnImportedFileInSilenceAndAnIncludedOneNot) {
  EXPECT_THAT(WordsOf("import_file \"x.cfg\"\na"), ElementsAre("a"));
  EXPECT_THAT(WordsOf("a\ninclude_file \"x.cfg\"\n"),
              ElementsAre("a", HasSubstr("k.cfg:2: include_file: x.cfg: no such file")));
}

TEST(ScannerTest, RefusesFilesThatIncludeEachOtherForEver) {
  EXPECT_THAT(WordsOf("include_file \"k.cfg\"\n"), ElementsAre(HasSubstr("too deeply")));
}

TEST(ScannerTest, AConditionMayBeginInOneFileAndEndInAnother) {
  EXPECT_THAT(
      Words({{"k.cfg", "include_file \"a.cfg\"\nb\n#!endif\nc"}, {"a.cfg", "#!ifdef A\na"}}),
      ElementsAre("c"));
}

TEST(ScannerTest, AnEmptyFileHasNoWords) { EXPECT_THAT(WordsOf(""), IsEmpty()); }

}  // namespace
}  // namespace presence::cli
