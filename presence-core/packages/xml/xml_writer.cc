#include "presence-core/packages/xml/xml_writer.h"

#include <utility>

#include "presence-core/model/utf8.h"

namespace presence {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// What `c` must be written as; empty when as itself. XML 1.0 §2.11 turns a bare CR into LF, and
// §3.3.3 every white space of an attribute into a space, unless they come as references.
std::string_view Reference(char c, bool in_attribute) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return in_attribute ? "" : "&gt;";  // "]]>" may not stand in text
    case '"':
      return in_attribute ? "&quot;" : "";
    case '\r':
      return "&#13;";
    case '\n':
      return in_attribute ? "&#10;" : "";
    case '\t':
      return in_attribute ? "&#9;" : "";
    default:
      return "";
  }
}

// Length of the character at the start of `text` if XML 1.0 §2.2 allows it, else 0.
size_t XmlCharLength(std::string_view text) {
  const auto c = static_cast<unsigned char>(text[0]);
  if (c < 0x20) return c == '\t' || c == '\n' || c == '\r' ? 1 : 0;
  const size_t length = Utf8Length(text);
  const std::string_view character = text.substr(0, length);
  return character == "\xEF\xBF\xBE" || character == "\xEF\xBF\xBF" ? 0 : length;
}

void AppendEscaped(std::string& out, std::string_view text, bool in_attribute) {
  while (!text.empty()) {
    const size_t length = XmlCharLength(text);
    const std::string_view reference = Reference(text[0], in_attribute);
    if (length == 0) {
      out.append(kReplacement);
    } else if (!reference.empty()) {
      out.append(reference);
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
}

void AppendName(std::string& out, const std::string& prefix, const std::string& local) {
  if (!prefix.empty()) out.append(prefix).append(":");
  out.append(local);
}

void AppendElement(std::string& out, const XmlElement& element) {
  out.append("<");
  AppendName(out, element.prefix, element.local);
  for (const auto& declared : element.namespaces) {
    out.append(declared.prefix.empty() ? " xmlns" : " xmlns:").append(declared.prefix);
    out.append("=\"");
    AppendXmlAttributeValue(out, declared.uri);
    out.append("\"");
  }
  for (const auto& attribute : element.attributes) {
    out.append(" ");
    AppendName(out, attribute.prefix, attribute.local);
    out.append("=\"");
    AppendXmlAttributeValue(out, attribute.value);
    out.append("\"");
  }
  if (element.children.empty()) {
    out.append("/>");
    return;
  }
  out.append(">");
  for (const XmlNode& node : element.children) {
    if (node.text() != nullptr) {
      AppendXmlText(out, *node.text());
    } else {
      AppendElement(out, *node.element());
    }
  }
  out.append("</");
  AppendName(out, element.prefix, element.local);
  out.append(">");
}

}  // namespace

void AppendXmlText(std::string& out, std::string_view text) { AppendEscaped(out, text, false); }

void AppendXmlAttributeValue(std::string& out, std::string_view text) {
  AppendEscaped(out, text, true);
}

XmlWriter::XmlWriter() : out_(R"(<?xml version="1.0" encoding="UTF-8"?>)") {}

XmlWriter& XmlWriter::Start(std::string_view qualified_name) {
  CloseTag();
  out_.append("<").append(qualified_name);
  open_.emplace_back(qualified_name);
  is_tag_open_ = true;
  return *this;
}

XmlWriter& XmlWriter::Attribute(std::string_view qualified_name, std::string_view value) {
  out_.append(" ").append(qualified_name).append("=\"");
  AppendXmlAttributeValue(out_, value);
  out_.append("\"");
  return *this;
}

XmlWriter& XmlWriter::Text(std::string_view text) {
  CloseTag();
  AppendXmlText(out_, text);
  return *this;
}

XmlWriter& XmlWriter::End() {
  if (is_tag_open_) {
    out_.append("/>");
    is_tag_open_ = false;
  } else {
    out_.append("</").append(open_.back()).append(">");
  }
  open_.pop_back();
  return *this;
}

XmlWriter& XmlWriter::EndIndented() {
  CloseTag();
  out_.append("\n").append(2 * (open_.size() - 1), ' ');
  return End();
}

XmlWriter& XmlWriter::TextElement(std::string_view qualified_name, std::string_view text) {
  return Start(qualified_name).Text(text).End();
}

XmlWriter& XmlWriter::Indent() {
  CloseTag();
  out_.append("\n").append(2 * open_.size(), ' ');
  return *this;
}

XmlWriter& XmlWriter::Raw(std::string_view xml) {
  CloseTag();
  out_.append(xml);
  return *this;
}

std::string XmlWriter::Finish() && {
  while (!open_.empty()) End();
  out_.append("\n");
  return std::move(out_);
}

void XmlWriter::CloseTag() {
  if (is_tag_open_) out_.append(">");
  is_tag_open_ = false;
}

std::string WriteElement(const XmlElement& element) {
  std::string out;
  AppendElement(out, element);
  return out;
}

}  // namespace presence
