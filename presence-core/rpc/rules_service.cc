#include "presence-core/rpc/rules_service.h"

#include <charconv>
#include <utility>

#include "presence-core/model/error.h"
#include "presence-core/rpc/page_token.h"
#include "presence-core/rpc/status_map.h"

namespace presence {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

ServerUnaryReactor* Answer(CallbackServerContext* context, const absl::Status& status) {
  ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpc(status));
  return reactor;
}

uint32_t NumberOf(const std::map<std::string, std::string>& values, const char* name) {
  uint32_t number = 0;
  const auto it = values.find(name);
  if (it != values.end()) {
    std::from_chars(it->second.data(), it->second.data() + it->second.size(), number);
  }
  return number;
}

// The name of what is wrong for programs; empty where the call itself is.
std::string CodeOf(const absl::Status& status) {
  switch (ReasonOf(status)) {
    case ErrorReason::kBadDocument:
      return "bad-document";
    case ErrorReason::kDocumentTooLarge:
      return "too-large";
    case ErrorReason::kUnsupportedContent:
      return "unsupported-content";
    default:
      return "";
  }
}

}  // namespace

ServerUnaryReactor* RulesService::Put(CallbackServerContext* context,
                                      absl::StatusOr<PutDocumentCommand> command,
                                      v1::RulesDocument* response) {
  if (!command.ok()) return Answer(context, command.status());
  ServerUnaryReactor* reactor = context->DefaultReactor();
  engine_.PutDocument(*std::move(command), [=, this](const absl::StatusOr<DocumentView>& stored) {
    if (stored.ok()) *response = convert_.ToProto(*stored, /*with_content=*/true);
    reactor->Finish(ToGrpc(stored.status()));
  });
  return reactor;
}

ServerUnaryReactor* RulesService::CreateRules(CallbackServerContext* context,
                                              const v1::CreateRulesRequest* request,
                                              v1::RulesDocument* response) {
  return Put(context, convert_.ToCommand(*request), response);
}

ServerUnaryReactor* RulesService::UpdateRules(CallbackServerContext* context,
                                              const v1::UpdateRulesRequest* request,
                                              v1::RulesDocument* response) {
  return Put(context, convert_.ToCommand(*request), response);
}

ServerUnaryReactor* RulesService::DeleteRules(CallbackServerContext* context,
                                              const v1::DeleteRulesRequest* request,
                                              v1::DeleteRulesResponse*) {
  auto command = convert_.ToCommand(*request);
  if (!command.ok()) return Answer(context, command.status());
  ServerUnaryReactor* reactor = context->DefaultReactor();
  engine_.RemoveDocument(*std::move(command), [=](const absl::StatusOr<bool>& removed) {
    reactor->Finish(ToGrpc(removed.status()));
  });
  return reactor;
}

ServerUnaryReactor* RulesService::GetRules(CallbackServerContext* context,
                                           const v1::GetRulesRequest* request,
                                           v1::RulesDocument* response) {
  if (absl::Status status = CheckOwner(is_owner_); !status.ok()) return Answer(context, status);
  auto owned = convert_.ToOwnedName(request->name());
  if (!owned.ok()) return Answer(context, owned.status());
  ServerUnaryReactor* reactor = context->DefaultReactor();
  engine_.GetDocument(owned->owner, owned->name,
                      [=, this](const absl::StatusOr<DocumentView>& found) {
                        if (found.ok()) *response = convert_.ToProto(*found, /*with_content=*/true);
                        reactor->Finish(ToGrpc(found.status()));
                      });
  return reactor;
}

absl::Status RulesService::List(const v1::ListRulesRequest& request,
                                v1::ListRulesResponse& response) const {
  if (absl::Status status = CheckOwner(is_owner_); !status.ok()) return status;
  const bool is_every_kind = request.kind() == v1::RULES_KIND_UNSPECIFIED;
  if (absl::Status status = CheckKind(request.kind()); !is_every_kind && !status.ok()) {
    return status;
  }
  const std::string which = FilterOf(request);
  DocumentFilter filter;
  if (!request.owner().empty()) {
    auto owner = convert_.ToPresentity(request.owner());
    if (!owner.ok()) return owner.status();
    filter.owner = *std::move(owner);
  }
  auto after = FromPageToken(request.page_token(), which);
  if (!after.ok()) return after.status();
  filter.after = *std::move(after);
  filter.limit = PageSize(request.page_size());
  const Page<DocumentView> page = engine_.ListDocuments(filter);
  for (const DocumentView& view : page.rows) {
    *response.add_rules() = convert_.ToProto(view, request.with_content());
  }
  response.set_next_page_token(ToPageToken(page.next, which));
  return absl::OkStatus();
}

ServerUnaryReactor* RulesService::ListRules(CallbackServerContext* context,
                                            const v1::ListRulesRequest* request,
                                            v1::ListRulesResponse* response) {
  return Answer(context, List(*request, *response));
}

absl::Status RulesService::Validate(const v1::ValidateRulesRequest& request,
                                    v1::ValidateRulesResponse& response) const {
  if (absl::Status status = CheckKind(request.kind()); !status.ok()) return status;
  PresentityUri owner;
  if (!request.owner().empty()) {
    auto given = convert_.ToPresentity(request.owner());
    if (!given.ok()) return given.status();
    owner = *std::move(given);
  }
  auto document = Converter::FromProto(request.document());
  if (!document.ok()) return document.status();
  absl::Status status = engine_.CheckHardState(owner, *document);
  response.set_valid(status.ok());
  if (status.ok()) return status;
  const std::string code = CodeOf(status);
  if (code.empty()) return status;
  const std::map<std::string, std::string> values = MetadataOf(status);
  v1::RulesFinding& finding = *response.add_findings();
  finding.set_severity(v1::RulesFinding::SEVERITY_ERROR);
  finding.set_line(NumberOf(values, "line"));
  finding.set_column(NumberOf(values, "column"));
  finding.set_code(code);
  finding.set_message(std::string(status.message()));
  return absl::OkStatus();
}

ServerUnaryReactor* RulesService::ValidateRules(CallbackServerContext* context,
                                                const v1::ValidateRulesRequest* request,
                                                v1::ValidateRulesResponse* response) {
  return Answer(context, Validate(*request, *response));
}

ServerUnaryReactor* RulesService::TestRules(CallbackServerContext* context,
                                            const v1::TestRulesRequest*, v1::TestRulesResponse*) {
  return Answer(context, NotServedYet("rules"));
}

}  // namespace presence
