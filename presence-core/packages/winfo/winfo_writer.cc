#include "presence-core/packages/winfo/winfo_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "presence-core/packages/xml/xml_writer.h"

namespace presence {
namespace {

std::string_view StatusText(SubscriptionState status) {
  switch (status) {
    case SubscriptionState::kActive:
      return "active";
    case SubscriptionState::kPending:
      return "pending";
    case SubscriptionState::kWaiting:
      return "waiting";
    case SubscriptionState::kTerminated:
      break;
  }
  return "terminated";
}

std::string_view EventText(WinfoEvent event) {
  switch (event) {
    case WinfoEvent::kSubscribe:
      return "subscribe";
    case WinfoEvent::kApproved:
      return "approved";
    case WinfoEvent::kDeactivated:
      return "deactivated";
    case WinfoEvent::kProbation:
      return "probation";
    case WinfoEvent::kRejected:
      return "rejected";
    case WinfoEvent::kTimeout:
      return "timeout";
    case WinfoEvent::kGiveup:
      return "giveup";
    case WinfoEvent::kNoresource:
      break;
  }
  return "noresource";
}

// Whole seconds as xs:unsignedLong: a clock that was set back does not make them negative.
std::string Seconds(absl::Duration duration) {
  return fmt::format("{}", std::max<int64_t>(0, absl::ToInt64Seconds(duration)));
}

// RFC 3858 §3: "the subscription will expire". One that has ended, or waits for nothing but a
// decision, will not.
bool WillExpire(const WinfoEntry& entry) {
  return entry.expires_at.has_value() && *entry.expires_at != absl::InfiniteFuture() &&
         (entry.status == SubscriptionState::kActive ||
          entry.status == SubscriptionState::kPending);
}

void WriteWatcher(XmlWriter& writer, const WinfoEntry& entry, absl::Time now) {
  writer.Indent().Start("watcher");
  writer.Attribute("id", fmt::format("{}", entry.id));
  writer.Attribute("status", StatusText(entry.status));
  writer.Attribute("event", EventText(entry.event));
  if (entry.subscribed_at != absl::InfinitePast()) {
    writer.Attribute("duration-subscribed", Seconds(now - entry.subscribed_at));
  }
  if (WillExpire(entry)) writer.Attribute("expiration", Seconds(*entry.expires_at - now));
  writer.Text(entry.watcher.Uri()).End();
}

// What closes the document after the last watcher.
constexpr size_t kTailBytes = sizeof("\n  </watcher-list>\n</watcherinfo>\n");

}  // namespace

WinfoFormat::Written WinfoWriter::Write(const WinfoDocument& document, size_t max_bytes) const {
  XmlWriter writer;
  writer.Indent().Start("watcherinfo");
  writer.Attribute("xmlns", "urn:ietf:params:xml:ns:watcherinfo");
  writer.Attribute("version", fmt::format("{}", document.version));
  writer.Attribute("state", document.is_full ? "full" : "partial");
  writer.Indent().Start("watcher-list");
  writer.Attribute("resource", document.resource.presentity.Uri());
  writer.Attribute("package", document.resource.event.text());
  size_t written = 0;
  for (const WinfoEntry& entry : document.watchers) {
    const size_t before = writer.size();
    WriteWatcher(writer, entry, document.now);
    if (written > 0 && writer.size() + kTailBytes > max_bytes) {
      writer.CutBackTo(before);
      break;
    }
    ++written;
  }
  if (written == 0) {
    writer.End();
  } else {
    writer.EndIndented();
  }
  writer.EndIndented();
  return {Document(std::string(kWinfoContentType), std::move(writer).Finish()), written};
}

}  // namespace presence
