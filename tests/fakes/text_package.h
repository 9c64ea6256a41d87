#ifndef PRESENCE_TESTS_FAKES_TEXT_PACKAGE_H_
#define PRESENCE_TESTS_FAKES_TEXT_PACKAGE_H_

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "presence-core/event/event_package.h"
#include "presence-core/event/registry.h"
#include "presence-core/model/error.h"

namespace presence {

// The simplest event package there can be, so that tests of the engine read as text: a document is
// any text but "bad", several are joined with "+", strongest first, and nobody's state is "none".
class TextPackage final : public EventPackage {
 public:
  explicit TextPackage(std::string name = "presence",
                       UnknownWatcher unknown = UnknownWatcher::kAllow) {
    traits_.name = *EventName::Parse(name);
    traits_.content_types = {"text/plain"};
    traits_.unknown_watcher = unknown;
  }

  const EventTraits& traits() const override { return traits_; }

  absl::Status ValidatePublication(const PresentityUri&, const Document& document) const override {
    return document.body() == "bad" ? BadDocument("the text says so", 1, 1) : absl::OkStatus();
  }

  // Leaves out what says so.
  Composed Compose(const PresentityUri&,
                   std::span<const PublicationPtr> publications) const override {
    Composed composed;
    std::string joined;
    for (const PublicationPtr& publication : publications) {
      if (publication->document.body() == "leave out") {
        ++composed.left_out;
        continue;
      }
      if (!joined.empty()) joined += "+";
      joined += publication->document.body();
    }
    composed.document = Document("text/plain", joined);
    return composed;
  }

  std::optional<Document> NeutralState(const PresentityUri&) const override {
    return Document("text/plain", "none");
  }

  bool MentionsContact(const Document& document, std::string_view contact) const override {
    return document.body().find(contact) != std::string_view::npos;
  }

 private:
  EventTraits traits_;
};

// Writes watcher information as one line: "full 0: 1 bob@example.com active subscribe; ...".
class TextWinfoFormat final : public WinfoFormat {
 public:
  Written Write(const WinfoDocument& document, size_t max_bytes) const override {
    static constexpr const char* kStatus[] = {"", "active", "pending", "terminated", "waiting"};
    static constexpr const char* kEvent[] = {"subscribe", "approved", "deactivated", "probation",
                                             "rejected",  "timeout",  "giveup",      "noresource"};
    std::string text = document.is_full ? "full " : "partial ";
    text += std::to_string(document.version) + ":";
    size_t written = 0;
    for (const WinfoEntry& entry : document.watchers) {
      const std::string line = " " + entry.watcher.text() + " " +
                               kStatus[static_cast<int>(entry.status)] + " " +
                               kEvent[static_cast<int>(entry.event)] + ";";
      if (written > 0 && text.size() + line.size() > max_bytes) break;
      text += line;
      ++written;
    }
    return {Document(std::string(kWinfoContentType), text), written};
  }
};

inline std::unique_ptr<EventRegistry> MakeTextRegistry(
    UnknownWatcher unknown = UnknownWatcher::kAllow) {
  auto registry = std::make_unique<EventRegistry>(std::make_unique<TextWinfoFormat>());
  absl::Status added = registry->Add(std::make_unique<TextPackage>("presence", unknown));
  return added.ok() ? std::move(registry) : nullptr;
}

}  // namespace presence

#endif  // PRESENCE_TESTS_FAKES_TEXT_PACKAGE_H_
