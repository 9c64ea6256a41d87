// What a presence document costs: checked as on each PUBLISH (the budget is 5 us for 600 bytes),
// composed as on each change of a presentity with several devices, and a winfo document written.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "presence-core/packages/presence/pidf_composer.h"
#include "presence-core/packages/presence/pidf_summary.h"
#include "presence-core/packages/presence/pidf_validator.h"
#include "presence-core/packages/winfo/winfo_writer.h"
#include "presence-core/packages/xml/xml_element.h"
#include "presence-core/packages/xml/xml_guard.h"

namespace presence {
namespace {

// As a phone publishes it: 600 bytes.
std::string Pidf(int device) {
  std::string body = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\"\n"
      "  xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\"\n"
      "  xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\" entity=\"sip:alice@example.com\">\n"
      "  <tuple id=\"t{0:06}\">\n    <status><basic>open</basic></status>\n"
      "    <contact priority=\"0.8\">sip:alice@192.0.2.{0}:5060</contact>\n"
      "    <timestamp>2024-05-02T09:00:00Z</timestamp>\n  </tuple>\n"
      "  <dm:person id=\"p{0:06}\">\n"
      "    <rpid:activities><rpid:on-the-phone/></rpid:activities>\n"
      "    <dm:note>In a meeting</dm:note>\n  </dm:person>\n</presence>\n",
      device);
  const size_t end = body.find("In a meeting");
  body.insert(end, 600 - body.size(), '.');
  return body;
}

void BM_Guard(benchmark::State& state) {
  const std::string body = Pidf(1);
  for (auto _ : state) benchmark::DoNotOptimize(CheckXmlLimits(body, XmlLimits()));
}
BENCHMARK(BM_Guard);

void BM_Validate(benchmark::State& state) {
  const std::string body = Pidf(1);
  for (auto _ : state) benchmark::DoNotOptimize(ValidatePidf(body, XmlLimits()));
}
BENCHMARK(BM_Validate);

void BM_ParseTree(benchmark::State& state) {
  const std::string body = Pidf(1);
  for (auto _ : state) benchmark::DoNotOptimize(ParseXml(body, XmlLimits()));
}
BENCHMARK(BM_ParseTree);

void BM_Summarize(benchmark::State& state) {
  const std::string body = Pidf(1);
  for (auto _ : state) benchmark::DoNotOptimize(Summarize(body));
}
BENCHMARK(BM_Summarize);

void BM_Compose(benchmark::State& state) {
  const PresentityUri alice = *PresentityUri::Parse("sip:alice@example.com");
  std::vector<std::string> bodies;
  for (int i = 0; i < state.range(0); ++i) bodies.push_back(Pidf(i));
  const std::vector<std::string_view> views(bodies.begin(), bodies.end());
  for (auto _ : state) {
    benchmark::DoNotOptimize(ComposePidf(alice, views, XmlLimits(), 128 * 1024));
  }
}
BENCHMARK(BM_Compose)->Arg(2)->Arg(5)->Arg(40);

void BM_WriteWinfo(benchmark::State& state) {
  WinfoDocument document;
  document.resource = {*PresentityUri::Parse("sip:alice@example.com"),
                       *EventName::Parse("presence")};
  document.now = absl::FromUnixSeconds(1'700'000'000);
  for (int i = 0; i < state.range(0); ++i) {
    WinfoEntry entry;
    entry.id = static_cast<uint64_t>(i);
    entry.watcher = *WatcherUri::Parse(fmt::format("sip:watcher{}@example.com", i));
    entry.subscribed_at = document.now - absl::Minutes(5);
    entry.expires_at = document.now + absl::Minutes(55);
    document.watchers.push_back(entry);
  }
  const WinfoWriter writer;
  for (auto _ : state) benchmark::DoNotOptimize(writer.Write(document, SIZE_MAX));
}
BENCHMARK(BM_WriteWinfo)->Arg(1)->Arg(200);

}  // namespace
}  // namespace presence
