#include "presence-core/packages/xml/xml_reader.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include "presence-core/model/error.h"
#include "presence-core/packages/xml/xml_guard.h"

namespace presence {
namespace {

std::string_view View(const xmlChar* text) {
  return text == nullptr ? std::string_view() : reinterpret_cast<const char*>(text);
}

// What one reading needs besides libxml2's own state; the callbacks get it as their context.
struct Reading {
  std::string_view text;
  XmlHandler& handler;
  xmlParserCtxt* parser;
  // Buffers of the tag at hand, kept so that they are allocated once a document.
  std::vector<XmlNamespace> namespaces = {};
  std::vector<XmlAttribute> attributes = {};
  std::optional<absl::Status> refusal = std::nullopt;

  // False once the document is refused. Errors of namespaces do not stop libxml2 by themselves; it
  // would go on with tags whose prefixes mean nothing.
  bool GoesOn() {
    if (refusal.has_value()) xmlStopParser(parser);
    return !refusal.has_value();
  }

  void Conclude(const XmlHandler::Refusal& why) {
    if (why.empty() || refusal.has_value()) return;
    const long consumed = xmlByteConsumed(parser);
    const size_t here = consumed < 0 ? 0 : static_cast<size_t>(consumed);
    const size_t tag = text.rfind('<', here);
    refusal = BadXml(text, tag == std::string_view::npos ? 0 : tag, why);
    xmlStopParser(parser);
  }
};

Reading& Of(void* context) { return *static_cast<Reading*>(context); }

// libxml2 hands namespaces over in pairs (prefix, URI) and attributes in fives (local, prefix, URI,
// begin and end of the value).
void OnStartElement(void* context, const xmlChar* local, const xmlChar* prefix, const xmlChar* uri,
                    int namespace_count, const xmlChar** namespaces, int attribute_count,
                    int /*defaulted_count*/, const xmlChar** attributes) {
  Reading& reading = Of(context);
  if (!reading.GoesOn()) return;
  reading.namespaces.clear();
  for (int i = 0; i < namespace_count; ++i) {
    reading.namespaces.push_back({View(namespaces[2 * i]), View(namespaces[2 * i + 1])});
  }
  reading.attributes.clear();
  for (int i = 0; i < attribute_count; ++i) {
    const xmlChar** five = attributes + 5 * i;
    const auto length = static_cast<size_t>(five[4] - five[3]);
    reading.attributes.push_back({{View(five[1]), View(five[0]), View(five[2])},
                                  {reinterpret_cast<const char*>(five[3]), length}});
  }
  reading.Conclude(reading.handler.OnStart(
      {{View(prefix), View(local), View(uri)}, reading.namespaces, reading.attributes}));
}

void OnEndElement(void* context, const xmlChar*, const xmlChar*, const xmlChar*) {
  Reading& reading = Of(context);
  if (reading.GoesOn()) reading.Conclude(reading.handler.OnEnd());
}

void OnCharacters(void* context, const xmlChar* text, int length) {
  if (length == 0) return;  // <![CDATA[]]>
  const std::string_view view(reinterpret_cast<const char*>(text), static_cast<size_t>(length));
  Reading& reading = Of(context);
  if (reading.GoesOn()) reading.Conclude(reading.handler.OnText(view));
}

// The guard lets no DOCTYPE through. Should that ever fail, the parser ends before it reads one.
void OnDoctype(void* context, const xmlChar*, const xmlChar*, const xmlChar*) {
  Of(context).Conclude("a document type declaration is not taken");
}

// Without this, libxml2 prints to stderr. Errors of namespaces are not fatal to it, but an element
// whose prefix means nothing cannot be composed with others, so they are to us.
void OnError(void* context, xmlErrorPtr error) {
  Reading& reading = Of(context);
  if (error->level < XML_ERR_ERROR || reading.refusal.has_value()) return;
  std::string_view why = error->message == nullptr ? "not well-formed XML" : error->message;
  while (why.ends_with('\n')) why.remove_suffix(1);
  reading.refusal = BadDocument(why, error->line, error->int2);
}

xmlSAXHandler Callbacks() {
  xmlSAXHandler callbacks;
  std::memset(&callbacks, 0, sizeof(callbacks));
  callbacks.initialized = XML_SAX2_MAGIC;
  callbacks.internalSubset = OnDoctype;
  callbacks.startElementNs = OnStartElement;
  callbacks.endElementNs = OnEndElement;
  callbacks.characters = OnCharacters;
  callbacks.ignorableWhitespace = OnCharacters;
  callbacks.cdataBlock = OnCharacters;
  callbacks.serror = OnError;
  return callbacks;
}

struct FreeParser {
  void operator()(xmlParserCtxt* parser) const { xmlFreeParserCtxt(parser); }
};
using Parser = std::unique_ptr<xmlParserCtxt, FreeParser>;

// A parser for one document. Keeping one for each thread would save 0.7 of 4.8 us, and would keep
// every name that strangers ever invented in its dictionary.
Parser NewParser() {
  // Once in a process, before the first parser (libxml2's rule for threads).
  static const bool is_ready = (xmlInitParser(), true);
  static_cast<void>(is_ready);
  Parser parser(xmlNewParserCtxt());
  if (parser == nullptr) return nullptr;
  // NOENT replaces the five predefined entities in attribute values, which SAX2 would otherwise
  // hand over half decoded; there are no others. IGNORE_ENC: the guard has settled the encoding.
  xmlCtxtUseOptions(parser.get(), XML_PARSE_NONET | XML_PARSE_NOENT | XML_PARSE_IGNORE_ENC);
  static const xmlSAXHandler callbacks = Callbacks();
  *parser->sax = callbacks;
  return parser;
}

absl::Status Run(Reading& reading) {
  xmlParserCtxt* parser = reading.parser;
  // libxml2 reads past the end until it meets a NUL, so it gets a copy that has one.
  xmlParserInputBufferPtr buffer = xmlParserInputBufferCreateMem(
      reading.text.data(), static_cast<int>(reading.text.size()), XML_CHAR_ENCODING_NONE);
  if (buffer == nullptr) return Internal("no memory to read XML");
  xmlParserInputPtr input = xmlNewIOInputStream(parser, buffer, XML_CHAR_ENCODING_NONE);
  if (input == nullptr) {
    xmlFreeParserInputBuffer(buffer);
    return Internal("no memory to read XML");
  }
  inputPush(parser, input);
  parser->userData = &reading;
  xmlParseDocument(parser);
  if (reading.refusal.has_value()) return *std::move(reading.refusal);
  if (parser->wellFormed == 0 || parser->nsWellFormed == 0) {
    return BadDocument("not well-formed XML");
  }
  return absl::OkStatus();
}

}  // namespace

const std::string_view* XmlTag::Find(std::string_view local) const {
  for (const XmlAttribute& attribute : attributes) {
    if (attribute.name.local == local && attribute.name.uri.empty()) return &attribute.value;
  }
  return nullptr;
}

absl::Status ReadXml(std::string_view text, const XmlLimits& limits, XmlHandler& handler) {
  if (absl::Status status = CheckXmlLimits(text, limits); !status.ok()) return status;
  const Parser parser = NewParser();
  if (parser == nullptr) return Internal("no memory for an XML parser");
  Reading reading{.text = text, .handler = handler, .parser = parser.get()};
  return Run(reading);
}

}  // namespace presence
