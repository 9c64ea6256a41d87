#include "presence-core/packages/presence/pidf_validator.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "presence-core/model/utf8.h"
#include "presence-core/packages/presence/pidf_names.h"
#include "presence-core/packages/presence/timestamp.h"
#include "presence-core/packages/xml/xml_element.h"
#include "presence-core/packages/xml/xml_reader.h"

namespace presence {
namespace {

// The elements whose content has rules. Everything else is kOther.
enum class Kind {
  kDocument,  // around the root
  kPresence,
  kTuple,
  kStatus,
  kBasic,
  kContact,
  kTimestamp,
  kNote,
  kPerson,  // or device: the rules are the same
  kOther,
};

Kind PidfChildOf(Kind parent, std::string_view local) {
  switch (parent) {
    case Kind::kDocument:
      return local == "presence" ? Kind::kPresence : Kind::kOther;
    case Kind::kPresence:
      if (local == "tuple") return Kind::kTuple;
      return local == "note" ? Kind::kNote : Kind::kOther;
    case Kind::kTuple:
      if (local == "status") return Kind::kStatus;
      if (local == "contact") return Kind::kContact;
      if (local == "timestamp") return Kind::kTimestamp;
      return local == "note" ? Kind::kNote : Kind::kOther;
    case Kind::kStatus:
      return local == "basic" ? Kind::kBasic : Kind::kOther;
    default:
      return Kind::kOther;
  }
}

// What an element is, by where it stands: an unknown name means "ignore", never "refuse".
Kind KindOf(Kind parent, const XmlName& name) {
  if (name.uri == kPidfUri) return PidfChildOf(parent, name.local);
  if (name.uri != kDataModelUri) return Kind::kOther;
  if (parent == Kind::kPresence && (name.local == "person" || name.local == "device")) {
    return Kind::kPerson;
  }
  return parent == Kind::kPerson && name.local == "timestamp" ? Kind::kTimestamp : Kind::kOther;
}

// True for "0.8", "1", "+.5": a number with digits on at least one side of the point.
bool IsDecimal(std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  const size_t point = text.find('.');
  if (point != std::string_view::npos && text.size() == 1) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i != point && (text[i] < '0' || text[i] > '9')) return false;
  }
  return !text.empty();
}

bool IsBoolean(std::string_view text) {
  return text == "0" || text == "1" || text == "true" || text == "false";
}

class Validator final : public XmlHandler {
 public:
  Refusal OnStart(const XmlTag& tag) override {
    const Kind kind = KindOf(open_.back().kind, tag.name);
    if (kind == Kind::kOther && open_.size() > 1) {
      open_.push_back({kind});
      return {};
    }
    if (kind != Kind::kPresence && open_.size() == 1) {
      return fmt::format("the root is <{}> of namespace \"{}\", not <presence> of \"{}\"",
                         Printable(tag.name.local, 60), Printable(tag.name.uri, 60), kPidfUri);
    }
    if (Refusal why = CheckAttributes(kind, tag); !why.empty()) return why;
    if (Refusal why = CountIn(open_.back(), kind); !why.empty()) return why;
    open_.push_back({kind});
    text_.clear();
    return {};
  }

  Refusal OnEnd() override {
    const Frame closed = open_.back();
    open_.pop_back();
    if (closed.kind == Kind::kTuple && closed.statuses == 0) {
      return "a tuple has no <status> (RFC 3863 section 4.1.2)";
    }
    if (closed.kind == Kind::kBasic) return CheckBasic();
    if (closed.kind == Kind::kTimestamp) return CheckTimestamp();
    return {};
  }

  Refusal OnText(std::string_view text) override {
    const Kind kind = open_.back().kind;
    if (kind == Kind::kBasic || kind == Kind::kTimestamp) text_.append(text);
    return {};
  }

 private:
  struct Frame {
    Kind kind = Kind::kDocument;
    // How often the children that may come only once have come.
    int statuses = 0;
    int contacts = 0;
    int timestamps = 0;
    int basics = 0;
  };

  Refusal CheckAttributes(Kind kind, const XmlTag& tag) {
    for (const XmlAttribute& attribute : tag.attributes) {
      if (!attribute.name.Is(kPidfUri, "mustUnderstand")) continue;
      if (!IsBoolean(TrimXmlSpace(attribute.value))) {
        return "mustUnderstand is not a boolean (RFC 3863 section 4.2.3)";
      }
      if (tag.name.uri == kPidfUri) {
        return fmt::format("mustUnderstand is for extensions, not for <{}>", tag.name.local);
      }
    }
    if (kind == Kind::kPresence && tag.Find("entity") == nullptr) {
      return "<presence> has no entity (RFC 3863 section 4.1.1)";
    }
    if (kind == Kind::kTuple || kind == Kind::kPerson) return CheckId(tag);
    if (kind == Kind::kContact) return CheckPriority(tag);
    return {};
  }

  Refusal CheckId(const XmlTag& tag) {
    const std::string_view* id = tag.Find("id");
    const std::string_view trimmed = id == nullptr ? std::string_view() : TrimXmlSpace(*id);
    if (trimmed.empty()) return fmt::format("a <{}> has no id", tag.name.local);
    if (!ids_.emplace(trimmed).second) {
      return fmt::format("the id \"{}\" is there twice (RFC 4479 section 3.5)",
                         Printable(trimmed, 60));
    }
    return {};
  }

  static Refusal CheckPriority(const XmlTag& tag) {
    const std::string_view* priority = tag.Find("priority");
    if (priority == nullptr || IsDecimal(TrimXmlSpace(*priority))) return {};
    return fmt::format("the priority \"{}\" is no decimal number (RFC 3863 section 4.1.5)",
                       Printable(*priority, 20));
  }

  static Refusal CountIn(Frame& parent, Kind child) {
    int* count = child == Kind::kStatus      ? &parent.statuses
                 : child == Kind::kContact   ? &parent.contacts
                 : child == Kind::kTimestamp ? &parent.timestamps
                 : child == Kind::kBasic     ? &parent.basics
                                             : nullptr;
    if (count == nullptr || ++*count == 1) return {};
    return fmt::format("more than one <{}> in one element", NameOf(child));
  }

  static std::string_view NameOf(Kind kind) {
    if (kind == Kind::kStatus) return "status";
    if (kind == Kind::kContact) return "contact";
    return kind == Kind::kBasic ? "basic" : "timestamp";
  }

  Refusal CheckBasic() const {
    const std::string_view value = TrimXmlSpace(text_);
    if (value == "open" || value == "closed") return {};
    return fmt::format("<basic> is \"{}\", not open or closed (RFC 3863 section 4.1.4)",
                       Printable(value, 40));
  }

  Refusal CheckTimestamp() const {
    if (IsTimestamp(TrimXmlSpace(text_))) return {};
    return fmt::format("the timestamp \"{}\" is none of RFC 3339, such as 2001-10-27T16:49:29Z",
                       Printable(TrimXmlSpace(text_), 40));
  }

  // The document, then the elements that have not ended, outermost first.
  std::vector<Frame> open_ = {Frame{}};
  absl::flat_hash_set<std::string> ids_;
  // Of the innermost <basic> or <timestamp>.
  std::string text_;
};

}  // namespace

absl::Status ValidatePidf(std::string_view body, const XmlLimits& limits) {
  Validator validator;
  return ReadXml(body, limits, validator);
}

}  // namespace presence
