#include "tests/unit/cli/fake_rules.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "presence/v1/errors.pb.h"
#include "tests/unit/cli/contract_status.h"

namespace presence::cli {
namespace {

bool IsSame(const v1::RulesName& a, const v1::RulesName& b) {
  return a.owner() == b.owner() && a.kind() == b.kind() && a.name() == b.name();
}

grpc::Status NoSuchDocument() {
  return StatusFor(v1::ERROR_REASON_PUBLICATION_UNKNOWN, "there is no such document");
}

grpc::Status OtherContent() {
  return StatusFor(v1::ERROR_REASON_ETAG_MISMATCH, "another content is there");
}

}  // namespace

FakeRules::FakeRules(const Clock& clock, std::function<grpc::Status()> enter)
    : clock_(clock), enter_(std::move(enter)) {}

void FakeRules::Add(v1::RulesDocument document) {
  const std::lock_guard lock(mu_);
  documents_.push_back(std::move(document));
}

v1::RulesDocument* FakeRules::Find(const v1::RulesName& name) {
  const auto found =
      std::find_if(documents_.begin(), documents_.end(),
                   [&name](const v1::RulesDocument& d) { return IsSame(d.name(), name); });
  return found == documents_.end() ? nullptr : &*found;
}

grpc::Status FakeRules::Store(const v1::RulesDocument& rules, v1::RulesDocument& response) {
  v1::RulesDocument* document = Find(rules.name());
  if (document == nullptr) document = &documents_.emplace_back();
  *document = rules;
  document->set_etag(absl::StrCat("etag-", ++etags_));
  const int64_t now = absl::ToUnixSeconds(clock_.WallNow());
  document->mutable_create_time()->set_seconds(now);
  document->mutable_update_time()->set_seconds(now);
  response = *document;
  return grpc::Status::OK;
}

grpc::Status FakeRules::CreateRules(Context*, const v1::CreateRulesRequest* request,
                                    v1::RulesDocument* response) {
  if (grpc::Status failure = enter_(); !failure.ok()) return failure;
  const std::lock_guard lock(mu_);
  if (Find(request->rules().name()) != nullptr) return OtherContent();
  return Store(request->rules(), *response);
}

grpc::Status FakeRules::GetRules(Context*, const v1::GetRulesRequest* request,
                                 v1::RulesDocument* response) {
  if (grpc::Status failure = enter_(); !failure.ok()) return failure;
  const std::lock_guard lock(mu_);
  const v1::RulesDocument* document = Find(request->name());
  if (document == nullptr) return NoSuchDocument();
  *response = *document;
  return grpc::Status::OK;
}

grpc::Status FakeRules::UpdateRules(Context*, const v1::UpdateRulesRequest* request,
                                    v1::RulesDocument* response) {
  if (grpc::Status failure = enter_(); !failure.ok()) return failure;
  const std::lock_guard lock(mu_);
  const v1::RulesDocument* document = Find(request->rules().name());
  const bool is_right = document == nullptr
                            ? request->allow_missing()
                            : request->etag().empty() || request->etag() == document->etag();
  if (!is_right) return OtherContent();
  return Store(request->rules(), *response);
}

grpc::Status FakeRules::DeleteRules(Context*, const v1::DeleteRulesRequest* request,
                                    v1::DeleteRulesResponse*) {
  if (grpc::Status failure = enter_(); !failure.ok()) return failure;
  const std::lock_guard lock(mu_);
  const v1::RulesDocument* document = Find(request->name());
  if (document == nullptr) return NoSuchDocument();
  if (!request->etag().empty() && request->etag() != document->etag()) return OtherContent();
  documents_.erase(documents_.begin() + (document - documents_.data()));
  return grpc::Status::OK;
}

grpc::Status FakeRules::ListRules(Context*, const v1::ListRulesRequest* request,
                                  v1::ListRulesResponse* response) {
  if (grpc::Status failure = enter_(); !failure.ok()) return failure;
  const std::lock_guard lock(mu_);
  for (const v1::RulesDocument& document : documents_) {
    if (!request->owner().empty() && document.name().owner() != request->owner()) continue;
    v1::RulesDocument& listed = *response->add_rules();
    listed = document;
    if (!request->with_content()) listed.clear_document();
  }
  return grpc::Status::OK;
}

grpc::Status FakeRules::ValidateRules(Context*, const v1::ValidateRulesRequest* request,
                                      v1::ValidateRulesResponse* response) {
  if (grpc::Status failure = enter_(); !failure.ok()) return failure;
  response->set_valid(request->document().body() != "<bad/>");
  if (response->valid()) return grpc::Status::OK;
  v1::RulesFinding& finding = *response->add_findings();
  finding.set_severity(v1::RulesFinding::SEVERITY_ERROR);
  finding.set_line(1);
  finding.set_column(2);
  finding.set_code("bad-document");
  finding.set_message("the root is not <presence>");
  return grpc::Status::OK;
}

}  // namespace presence::cli
