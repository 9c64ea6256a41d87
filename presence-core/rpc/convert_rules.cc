#include <algorithm>
#include <utility>

#include "presence-core/model/error.h"
#include "presence-core/rpc/convert.h"

namespace presence {
namespace {

constexpr size_t kLongestName = 64;
constexpr char kDefaultName[] = "index";

// RFC 3986 section 2.3.
bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

RequestKey ContentOf(std::string_view method, const DocumentName& name, const std::string& etag,
                     const Document& document, bool allow_missing = false) {
  return RequestKey::Of({method, name.name, etag, document.content_type(), document.body(),
                         allow_missing ? "allow_missing" : ""});
}

}  // namespace

absl::Status CheckKind(v1::RulesKind kind) {
  switch (kind) {
    case v1::RULES_KIND_HARD_STATE:
      return absl::OkStatus();
    case v1::RULES_KIND_PRES_RULES:
    case v1::RULES_KIND_RESOURCE_LISTS:
      return NotServedYet("rules");
    default:
      return InvalidField("kind", "say PRES_RULES, HARD_STATE or RESOURCE_LISTS");
  }
}

absl::StatusOr<DocumentName> ToHardStateName(const std::string& name, std::string_view field) {
  DocumentName out{DocumentKind::kHardState, name};
  const bool is_right = !name.empty() && name.size() <= kLongestName &&
                        std::all_of(name.begin(), name.end(), IsUnreserved);
  if (!is_right) {
    return InvalidField(field, "a name is 1 to 64 letters, digits or one of - . _ ~");
  }
  return out;
}

absl::StatusOr<Converter::OwnedName> Converter::ToOwnedName(const v1::RulesName& name) const {
  auto owner = ToPresentity(name.owner());
  if (!owner.ok()) return owner.status();
  if (absl::Status status = CheckKind(name.kind()); !status.ok()) return status;
  auto document = ToHardStateName(name.name().empty() ? kDefaultName : name.name(), "name");
  if (!document.ok()) return document.status();
  return OwnedName{*std::move(owner), *std::move(document)};
}

absl::StatusOr<PutDocumentCommand> Converter::ToPut(const v1::RulesDocument& rules,
                                                    const std::string& request_id) const {
  auto name = ToOwnedName(rules.name());
  if (!name.ok()) return name.status();
  auto document = FromProto(rules.document());
  if (!document.ok()) return document.status();
  if (absl::Status status = CheckRequestId(request_id); !status.ok()) return status;
  PutDocumentCommand command;
  command.owner = std::move(name->owner);
  command.name = std::move(name->name);
  command.document = *std::move(document);
  return command;
}

absl::StatusOr<PutDocumentCommand> Converter::ToCommand(
    const v1::CreateRulesRequest& request) const {
  auto command = ToPut(request.rules(), request.request_id());
  if (!command.ok()) return command;
  command->may_replace = false;
  command->may_create = true;
  command->idempotency.request_id = RequestIdKey("Rules", request.request_id());
  command->idempotency.content = ContentOf("Create", command->name, "", command->document);
  return command;
}

absl::StatusOr<PutDocumentCommand> Converter::ToCommand(
    const v1::UpdateRulesRequest& request) const {
  auto command = ToPut(request.rules(), request.request_id());
  if (!command.ok()) return command;
  command->etag = Etag(request.etag());
  command->may_create = request.allow_missing();
  command->idempotency.request_id = RequestIdKey("Rules", request.request_id());
  command->idempotency.content = ContentOf("Update", command->name, request.etag(),
                                           command->document, request.allow_missing());
  return command;
}

absl::StatusOr<RemoveDocumentCommand> Converter::ToCommand(
    const v1::DeleteRulesRequest& request) const {
  auto name = ToOwnedName(request.name());
  if (!name.ok()) return name.status();
  if (absl::Status status = CheckRequestId(request.request_id()); !status.ok()) return status;
  RemoveDocumentCommand command;
  command.owner = std::move(name->owner);
  command.name = std::move(name->name);
  command.etag = Etag(request.etag());
  command.idempotency.request_id = RequestIdKey("Rules", request.request_id());
  command.idempotency.content = ContentOf("Delete", command.name, request.etag(), Document());
  return command;
}

v1::RulesDocument Converter::ToProto(const DocumentView& view, bool with_content) const {
  const StoredDocument& row = *view.document;
  v1::RulesDocument out;
  out.mutable_name()->set_owner(view.owner.text());
  out.mutable_name()->set_kind(static_cast<v1::RulesKind>(row.name.kind));
  out.mutable_name()->set_name(row.name.name);
  if (with_content) *out.mutable_document() = ToProto(row.document);
  out.set_etag(row.etag.text());
  *out.mutable_create_time() = ToWall(row.created_at);
  *out.mutable_update_time() = ToWall(row.updated_at);
  out.set_file_uri(row.file_uri);
  return out;
}

}  // namespace presence
