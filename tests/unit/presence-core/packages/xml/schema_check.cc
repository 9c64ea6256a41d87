#include "tests/unit/presence-core/packages/xml/schema_check.h"

#include <libxml/parser.h>
#include <libxml/xmlschemas.h>

namespace presence {
namespace {

// Keeps the first complaint.
void Remember(void* context, xmlErrorPtr error) {
  auto& first = *static_cast<std::string*>(context);
  if (first.empty() && error->message != nullptr) first = error->message;
}

}  // namespace

struct SchemaCheck::Loaded {
  xmlSchemaPtr schema = nullptr;
  std::string error;
};

SchemaCheck::SchemaCheck(const std::string& path) : loaded_(std::make_unique<Loaded>()) {
  xmlSchemaParserCtxtPtr parser = xmlSchemaNewParserCtxt(path.c_str());
  xmlSchemaSetParserStructuredErrors(parser, Remember, &loaded_->error);
  loaded_->schema = xmlSchemaParse(parser);
  xmlSchemaFreeParserCtxt(parser);
}

SchemaCheck::~SchemaCheck() { xmlSchemaFree(loaded_->schema); }

absl::Status SchemaCheck::Check(std::string_view document) const {
  if (loaded_->schema == nullptr) return absl::InternalError("no schema: " + loaded_->error);
  xmlDocPtr tree = xmlReadMemory(document.data(), static_cast<int>(document.size()), nullptr,
                                 nullptr, XML_PARSE_NONET | XML_PARSE_NOERROR);
  if (tree == nullptr) return absl::InvalidArgumentError("not well-formed");
  std::string error;
  xmlSchemaValidCtxtPtr validation = xmlSchemaNewValidCtxt(loaded_->schema);
  xmlSchemaSetValidStructuredErrors(validation, Remember, &error);
  const int result = xmlSchemaValidateDoc(validation, tree);
  xmlSchemaFreeValidCtxt(validation);
  xmlFreeDoc(tree);
  return result == 0 ? absl::OkStatus() : absl::InvalidArgumentError(error);
}

}  // namespace presence
