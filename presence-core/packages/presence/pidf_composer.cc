#include "presence-core/packages/presence/pidf_composer.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "presence-core/packages/presence/pidf_names.h"
#include "presence-core/packages/presence/prefix_scope.h"
#include "presence-core/packages/xml/xml_element.h"
#include "presence-core/packages/xml/xml_writer.h"

namespace presence {
namespace {

// The parts of a composed document, in its order (rule 6).
enum Part { kTuples, kNotes, kPersons, kDevices, kExtensions, kPartCount };

Part PartOf(const XmlElement& element) {
  if (element.Is(kPidfUri, "tuple")) return kTuples;
  if (element.Is(kPidfUri, "note")) return kNotes;
  if (element.Is(kDataModelUri, "person")) return kPersons;
  if (element.Is(kDataModelUri, "device")) return kDevices;
  return kExtensions;
}

bool IsOccurrence(Part part) { return part == kTuples || part == kPersons || part == kDevices; }

std::string_view IdOf(const XmlElement& element) {
  const std::string* id = element.Find("", "id");
  return id == nullptr ? std::string_view() : TrimXmlSpace(*id);
}

void SetId(XmlElement& element, const std::string& id) {
  for (auto& attribute : element.attributes) {
    if (attribute.uri.empty() && attribute.local == "id") attribute.value = id;
  }
}

std::string LanguageOf(const XmlElement& element) {
  const std::string* language = element.Find(kXmlUri, "lang");
  return language == nullptr ? std::string() : *language;
}

// What an element below a root with a language meant by having none of its own (rule 7).
void InheritLanguage(XmlElement& element, const std::string& language) {
  if (language.empty() || element.Find(kXmlUri, "lang") != nullptr) return;
  element.attributes.push_back({"xml", "lang", std::string(kXmlUri), language});
}

std::vector<const XmlElement*> NotesOf(const XmlElement& root) {
  std::vector<const XmlElement*> notes;
  for (const XmlElement* child : root.Elements()) {
    if (PartOf(*child) == kNotes) notes.push_back(child);
  }
  return notes;
}

bool HasNote(const XmlElement& person) {
  for (const XmlElement* child : person.Elements()) {
    if (child->local == "note") return true;
  }
  return false;
}

// Gives a person without notes those of its document, before its timestamp, where the schema of RFC
// 4479 §5.1.2 has them (rule 4).
void TakeNotesAlong(XmlElement& person, const XmlElement& root) {
  if (HasNote(person)) return;
  auto place = person.children.begin();
  while (place != person.children.end() &&
         (place->element() == nullptr || place->element()->local != "timestamp")) {
    ++place;
  }
  std::vector<XmlNode> notes;
  for (const XmlElement* note : NotesOf(root)) {
    XmlElement own;
    own.prefix = person.prefix;
    own.local = "note";
    own.uri = person.uri;
    own.children.push_back({note->Text()});
    InheritLanguage(own, LanguageOf(*note));
    InheritLanguage(own, LanguageOf(root));
    notes.push_back({std::move(own)});
  }
  person.children.insert(place, std::make_move_iterator(notes.begin()),
                         std::make_move_iterator(notes.end()));
}

// One composition. Sources are added strongest first, then written.
class Composition {
 public:
  explicit Composition(const PresentityUri& presentity)
      : entity_(presentity.Uri()), scope_(kPidfUri) {}

  void Add(XmlElement root) {
    scope_.Add(root);
    for (const XmlElement* child : root.Elements()) published_ids_.emplace(IdOf(*child));
    if (!NotesOf(root).empty()) ++sources_with_notes_;
    sources_.push_back(std::move(root));
  }

  ComposedPidf Write(size_t max_bytes) {
    XmlWriter writer;
    writer.Indent().Start("presence").Attribute("xmlns", kPidfUri);
    size_t size = kFrameBytes + entity_.size();
    for (const auto& shared : scope_.Shared()) {
      writer.Attribute("xmlns:" + shared.prefix, shared.uri);
      size += shared.prefix.size() + shared.uri.size() + sizeof(" xmlns:=''");
    }
    writer.Attribute("entity", entity_);
    CollectParts(size, max_bytes);
    for (const std::vector<std::string>& part : parts_) {
      for (const std::string& element : part) writer.Indent().Raw(element);
    }
    writer.EndIndented();
    return {std::move(writer).Finish(), left_out_};
  }

 private:
  // The XML declaration, the tags of <presence> and the line breaks, generously.
  static constexpr size_t kFrameBytes = 200;

  void CollectParts(size_t size, size_t max_bytes) {
    bool is_full = false;
    for (const XmlElement& root : sources_) {
      for (const XmlElement* child : root.Elements()) {
        const Part part = PartOf(*child);
        XmlElement element = *child;
        if (!Claim(part, element, root)) continue;
        if (part == kPersons && sources_with_notes_ > 1) TakeNotesAlong(element, root);
        if (!IsOccurrence(part)) InheritLanguage(element, LanguageOf(root));
        scope_.Complete(element, root);
        std::string text = WriteElement(element);
        if (part == kExtensions && !extensions_.insert(text).second) continue;
        is_full = is_full || size + text.size() + kIndentBytes > max_bytes;
        if (is_full) {
          ++left_out_;
          continue;
        }
        size += text.size() + kIndentBytes;
        parts_[part].push_back(std::move(text));
      }
    }
  }
  static constexpr size_t kIndentBytes = 3;

  // False for an element whose place a stronger one has taken (rules 1, 4, 5). May give it a new id
  // (rule 2).
  bool Claim(Part part, XmlElement& element, const XmlElement& root) {
    if (part == kNotes) {
      const std::string own = LanguageOf(element);
      return notes_.emplace(own.empty() ? LanguageOf(root) : own, element.Text()).second;
    }
    const std::string id(IdOf(element));
    if (part == kExtensions) {
      return id.empty() || named_extensions_.insert({element.uri, element.local, id}).second;
    }
    // By the kind and id it was published with: a third publication must meet the same one again,
    // also if that goes under a new id.
    if (!occurrences_.emplace(part, id).second) return false;
    if (!written_ids_.insert(id).second) SetId(element, NewId(element, id));
    return true;
  }

  std::string NewId(const XmlElement& element, const std::string& id) {
    std::string candidate = fmt::format("{}-{}", id, element.local);
    for (int i = 2; published_ids_.contains(candidate) || written_ids_.contains(candidate); ++i) {
      candidate = fmt::format("{}-{}-{}", id, element.local, i);
    }
    written_ids_.insert(candidate);
    return candidate;
  }

  const std::string entity_;
  PrefixScope scope_;
  std::vector<XmlElement> sources_;
  int sources_with_notes_ = 0;
  size_t left_out_ = 0;

  std::set<std::string> published_ids_;
  std::set<std::string> written_ids_;
  std::set<std::pair<Part, std::string>> occurrences_;
  std::set<std::pair<std::string, std::string>> notes_;  // language, text
  std::set<std::vector<std::string>> named_extensions_;  // namespace, name, id
  std::set<std::string> extensions_;                     // as written
  std::vector<std::string> parts_[kPartCount];
};

}  // namespace

ComposedPidf ComposePidf(const PresentityUri& presentity, std::span<const std::string_view> bodies,
                         const XmlLimits& limits, size_t max_bytes) {
  Composition composition(presentity);
  for (std::string_view body : bodies) {
    absl::StatusOr<XmlElement> root = ParseXml(body, limits);
    if (root.ok() && root->Is(kPidfUri, "presence")) composition.Add(*std::move(root));
  }
  return std::move(composition).Write(max_bytes);
}

}  // namespace presence
