#include "cli/kamailio/script.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "tests/unit/cli/kamailio/script_files.h"

namespace presence::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> Texts(const std::vector<ScriptFact>& facts) {
  std::vector<std::string> texts;
  for (const ScriptFact& fact : facts) texts.push_back(fact.text + " " + fact.position.text());
  return texts;
}

std::string ValueOf(const Script& script, const std::string& name,
                    const std::string& module = "presence") {
  const ScriptValue* value = script.Find(module, name);
  return value == nullptr ? "not set" : value->text;
}

TEST(ScriptTest, KnowsModulesByNameWithAndWithoutPathAndEnding) {
  const auto script = Read(
      "loadpath \"/usr/lib\"\nloadmodule \"/usr/lib/presence.so\"\nloadmodule \"tm\"\n"
      "loadmodule(\"sl.so\")\n#loadmodule \"rls.so\"\n");

  ASSERT_TRUE(script.ok()) << script.status();
  EXPECT_THAT(Texts(script->modules), ElementsAre("presence k.cfg:2", "tm k.cfg:3", "sl k.cfg:4"));
}

TEST(ScriptTest, TheLastModparamOfAParameterCounts) {
  const Script script = Presence(
      "modparam(\"presence\", \"max_expires\", 60)\nmodparam(\"presence\",\"max_expires\",-120)\n");

  EXPECT_EQ(ValueOf(script, "max_expires"), "-120");
  EXPECT_EQ(script.Find("presence", "max_expires")->number, -120);
  EXPECT_EQ(script.Find("presence", "max_expires")->position.text(), "k.cfg:3");
}

TEST(ScriptTest, TakesModulesOfAModparamAsAPattern) {
  const Script script = Presence(
      "loadmodule \"presence_xml.so\"\nloadmodule \"usrloc.so\"\n"
      "modparam(\"usrloc|presence|presence_xml\", \"db_url\", \"a\")\n"
      "modparam(\"PRES.*\", \"fetch_rows\", 7)\n"
      "modparam(\"usrloc\", \"fetch_rows\", 9)\n");

  EXPECT_EQ(ValueOf(script, "db_url"), "a");
  EXPECT_EQ(ValueOf(script, "db_url", "presence_xml"), "a");
  EXPECT_EQ(ValueOf(script, "fetch_rows"), "7");
  EXPECT_EQ(ValueOf(script, "fetch_rows", "usrloc"), "9");
}

TEST(ScriptTest, AModuleIsNotMatchedByAPartOfItsName) {
  const Script script = Presence(
      "modparam(\"presence_xml\", \"db_url\", \"a\")\nmodparam(\"pres\", \"db_url\", \"b\")\n");

  EXPECT_EQ(ValueOf(script, "db_url"), "not set");
}

TEST(ScriptTest, RefusesAModparamItDoesNotUnderstand) {
  for (const char* line :
       {"modparam(\"presence\", \"max_expires\", UNDEFINED)", "modparam(\"presence\", 5, 5)",
        "modparam(\"presence\" \"max_expires\", 5)", "modparam(\"presence\", \"max_expires\", 5",
        "modparam(\"presence(\", \"max_expires\", 5)", "modparam(\"a{9}\", \"max_expires\", 5)",
        "modparam(\"presence\", \"max_expires\", -\"5\")",
        "modparamx(\"presence\", \"db_url\", \"$env(DBURL)\")", "loadmodule 5"}) {
    EXPECT_THAT(std::string(Read(line).status().message()), HasSubstr("k.cfg:1: ")) << line;
  }
}

TEST(ScriptTest, TakesAModparamxWithNothingToEvaluate) {
  EXPECT_EQ(ValueOf(Presence("modparamx(\"presence\", \"db_url\", \"a\")"), "db_url"), "a");
}

TEST(ScriptTest, FindsCallsOfFunctionsAndNotTheirNames) {
  const Script script = Presence(
      "route {\n handle_publish(\"$hdr(Sender)\");\n if (handle_subscribe()) {}\n"
      " pres_auth_status(\"$fu\", \"$ru\");\n pres_has_subscribers($ru, \"presence\");\n"
      " pres_refresh_watchers(\"sip:a@b\", \"presence\", 1);\n pres_update_watchers($fu, "
      "\"presence\");\n"
      " xlog(\"handle_publish()\"); # handle_publish()\n handle_publish_other();\n}\n");

  EXPECT_THAT(Texts(script.uses),
              ElementsAre("handle_publish k.cfg:3", "handle_subscribe k.cfg:4",
                          "pres_auth_status k.cfg:5", "pres_has_subscribers k.cfg:6",
                          "pres_refresh_watchers k.cfg:7", "pres_update_watchers k.cfg:8"));
}

TEST(ScriptTest, FindsVariablesInsideAndOutsideStrings) {
  const Script script = Presence(
      "event_route[presence:notify-reply] {\n $var(a) = $subs(uri);\n"
      " xlog(\"$(subs(event){s.len}) $notify_reply($hdr(Reason)) $subs(uri\");\n "
      "xlog('subs(a)');\n}\n"
      "event_route[tm:local-request] {}\n");

  EXPECT_THAT(Texts(script.uses),
              ElementsAre("event_route[presence:notify-reply] k.cfg:2", "$subs(uri) k.cfg:3",
                          "$subs(event) k.cfg:4", "$subs(uri k.cfg:4",
                          "$notify_reply($hdr(Reason)) k.cfg:4"));
}

TEST(ScriptTest, FindsCommandsThatTheScriptSendsItself) {
  const Script script = Presence("route { jsonrpc_exec('{\"method\": \"presence.cleanup\"}'); }\n");

  EXPECT_THAT(Texts(script.uses), ElementsAre("presence.cleanup k.cfg:2"));
}

TEST(ScriptTest, FindsListenersAndAliases) {
  const Script script = Presence(
      "#!define ADDRESS udp:192.0.2.1:5060\nlisten=ADDRESS\n"
      "listen = tcp:[2001:db8::1]:5060 advertise \"a.example\":5061 ;\n"
      "alias=\"example.com\"\nalias=a.example b.example:5060\n");

  EXPECT_THAT(Texts(script.listeners),
              ElementsAre("udp:192.0.2.1:5060 k.cfg:3",
                          "tcp:[2001:db8::1]:5060 advertise a.example:5061 k.cfg:4"));
  EXPECT_THAT(Texts(script.aliases),
              ElementsAre("example.com k.cfg:5", "a.example k.cfg:6", "b.example:5060 k.cfg:6"));
}

TEST(ScriptTest, NotesRoutingInAnotherLanguage) {
  EXPECT_THAT(Texts(Presence("cfgengine \"lua\"").engines), ElementsAre("lua k.cfg:2"));
  EXPECT_THAT(Presence("cfgengine \"native\"").engines, IsEmpty());
}

TEST(ScriptTest, SaysWhichFileCannotBeRead) {
  const ScriptFiles none;

  const auto script = ReadScript("x.cfg", ReaderOf(none), {});

  EXPECT_EQ(script.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(script.status().message()), HasSubstr("x.cfg"));
}

}  // namespace
}  // namespace presence::cli
