#include "presence-core/rpc/rules_service.h"

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "presence-core/rpc/rpc_server.h"
#include "presence-core/storage/memory/memory_journal.h"
#include "presence/v1/presence.grpc.pb.h"
#include "presence/v1/rules.grpc.pb.h"
#include "runtime/worker.h"
#include "tests/fakes/text_package.h"

namespace presence {
namespace {

using testing::ElementsAre;

// Documents over gRPC; a text is a document (tests/fakes/text_package.h).
class RulesServiceTest : public testing::Test {
 protected:
  void SetUp() override {
    EngineConfig config;
    config.domains = {"example.com"};
    engine_ = std::make_unique<Engine>(config, *registry_,
                                       std::make_shared<PolicySnapshot>(PolicySnapshot::Defaults{}),
                                       journal_, *worker_, clock_, random_, 3);
    ASSERT_TRUE(engine_->Start().ok());
    RpcServer::Options options;
    options.listen = {"127.0.0.1:0"};
    options.core_name = "core1";
    auto server = RpcServer::Start(*engine_, *worker_, clock_, random_, options);
    ASSERT_TRUE(server.ok());
    server_ = *std::move(server);
    channel_ = grpc::CreateChannel(server_->addresses()[0], grpc::InsecureChannelCredentials());
    stub_ = v1::RulesService::NewStub(channel_);
  }
  void TearDown() override {
    server_->Stop(absl::Seconds(1));
    worker_.reset();
    server_.reset();
  }

  static v1::RulesDocument Rules(const std::string& text, const std::string& name = "",
                                 const std::string& owner = "alice@example.com") {
    v1::RulesDocument rules;
    rules.mutable_name()->set_owner(owner);
    rules.mutable_name()->set_kind(v1::RULES_KIND_HARD_STATE);
    rules.mutable_name()->set_name(name);
    rules.mutable_document()->set_content_type("text/plain");
    rules.mutable_document()->set_text(text);
    return rules;
  }
  grpc::Status Create(const v1::RulesDocument& rules, v1::RulesDocument* stored) {
    grpc::ClientContext context;
    v1::CreateRulesRequest request;
    *request.mutable_rules() = rules;
    return stub_->CreateRules(&context, request, stored);
  }
  grpc::Status Update(const v1::UpdateRulesRequest& request, v1::RulesDocument* stored) {
    grpc::ClientContext context;
    return stub_->UpdateRules(&context, request, stored);
  }
  grpc::Status Get(const v1::RulesName& name, v1::RulesDocument* found) {
    grpc::ClientContext context;
    v1::GetRulesRequest request;
    *request.mutable_name() = name;
    return stub_->GetRules(&context, request, found);
  }
  grpc::Status Delete(const v1::DeleteRulesRequest& request) {
    grpc::ClientContext context;
    v1::DeleteRulesResponse response;
    return stub_->DeleteRules(&context, request, &response);
  }
  grpc::Status List(const v1::ListRulesRequest& request, v1::ListRulesResponse* response) {
    grpc::ClientContext context;
    response->Clear();
    return stub_->ListRules(&context, request, response);
  }
  grpc::Status Refresh(const v1::RefreshWatchersRequest& request) {
    grpc::ClientContext context;
    v1::RefreshWatchersResponse response;
    return v1::PresenceService::NewStub(channel_)->RefreshWatchers(&context, request, &response);
  }
  // "ETAG_MISMATCH", or with the field it is about "INVALID_FIELD name".
  static std::string Reason(const grpc::Status& status) {
    google::rpc::Status details;
    google::rpc::ErrorInfo info;
    if (!details.ParseFromString(status.error_details()) || details.details().empty()) return "";
    if (!details.details(0).UnpackTo(&info)) return "";
    const auto field = info.metadata().find("field");
    return info.reason() + (field == info.metadata().end() ? "" : " " + field->second);
  }

  SystemClock clock_;
  SecureRandom random_;
  std::unique_ptr<EventRegistry> registry_ = MakeTextRegistry();
  MemoryJournal journal_;
  std::unique_ptr<Worker> worker_ = std::make_unique<Worker>(clock_, "core");
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<RpcServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::RulesService::Stub> stub_;
};

TEST_F(RulesServiceTest, StoresReplacesAndRemovesHardState) {
  v1::RulesDocument created;
  ASSERT_TRUE(Create(Rules("one"), &created).ok());
  EXPECT_EQ(created.name().name(), "index");
  EXPECT_EQ(created.name().owner(), "alice@example.com");
  EXPECT_TRUE(created.has_create_time() && created.has_update_time());
  v1::RulesDocument found;
  ASSERT_TRUE(Get(created.name(), &found).ok());
  EXPECT_EQ(found.SerializeAsString(), created.SerializeAsString());
  EXPECT_EQ(found.document().text(), "one");

  v1::UpdateRulesRequest update;
  *update.mutable_rules() = Rules("two");
  update.set_etag(created.etag());
  v1::RulesDocument updated;
  ASSERT_TRUE(Update(update, &updated).ok());
  EXPECT_NE(updated.etag(), created.etag());
  EXPECT_EQ(Reason(Update(update, &updated)), "ETAG_MISMATCH");

  v1::DeleteRulesRequest remove;
  *remove.mutable_name() = created.name();
  remove.set_request_id("once");
  ASSERT_TRUE(Delete(remove).ok());
  EXPECT_TRUE(Delete(remove).ok()) << "the same call again";
  remove.set_request_id("twice");
  EXPECT_EQ(Reason(Delete(remove)), "PUBLICATION_UNKNOWN");
  EXPECT_EQ(Reason(Get(created.name(), &found)), "PUBLICATION_UNKNOWN");
}

TEST_F(RulesServiceTest, CreatesWhatIsMissingOnlyWhereAllowed) {
  v1::RulesDocument stored;
  v1::UpdateRulesRequest update;
  *update.mutable_rules() = Rules("one");
  EXPECT_EQ(Reason(Update(update, &stored)), "ETAG_MISMATCH");
  update.set_allow_missing(true);
  update.set_etag("e1");
  EXPECT_EQ(Reason(Update(update, &stored)), "ETAG_MISMATCH");
  update.clear_etag();
  update.set_request_id("r1");
  ASSERT_TRUE(Update(update, &stored).ok());

  const std::string etag = stored.etag();
  EXPECT_EQ(Reason(Create(Rules("two"), &stored)), "ETAG_MISMATCH");
  ASSERT_TRUE(Update(update, &stored).ok());
  EXPECT_EQ(stored.etag(), etag);
  update.mutable_rules()->mutable_document()->set_text("other");
  EXPECT_EQ(Reason(Update(update, &stored)), "REQUEST_ID_REUSED");
}

TEST_F(RulesServiceTest, ChecksNamesAndKinds) {
  v1::RulesDocument stored;
  EXPECT_EQ(Reason(Create(Rules("one", "a/b"), &stored)), "INVALID_FIELD name");
  EXPECT_EQ(Reason(Create(Rules("one", std::string(65, 'a')), &stored)), "INVALID_FIELD name");
  EXPECT_TRUE(Create(Rules("one", std::string(60, 'a') + "-._~"), &stored).ok());
  EXPECT_EQ(Reason(Create(Rules("one", "", "alice@example.org"), &stored)), "USER_UNKNOWN");
  EXPECT_EQ(Reason(Create(Rules(""), &stored)), "INVALID_FIELD document.body");
  v1::RulesDocument other = Rules("one");
  other.mutable_name()->set_kind(v1::RULES_KIND_UNSPECIFIED);
  EXPECT_EQ(Reason(Create(other, &stored)), "INVALID_FIELD kind");
  for (const v1::RulesKind kind : {v1::RULES_KIND_PRES_RULES, v1::RULES_KIND_RESOURCE_LISTS}) {
    other.mutable_name()->set_kind(kind);
    EXPECT_EQ(Reason(Create(other, &stored)), "NOT_SERVED_YET");
    EXPECT_EQ(Reason(Get(other.name(), &stored)), "NOT_SERVED_YET");
    v1::ListRulesRequest list;
    list.set_kind(kind);
    v1::ListRulesResponse listed;
    EXPECT_EQ(Reason(List(list, &listed)), "NOT_SERVED_YET");
  }
  grpc::ClientContext context;
  v1::TestRulesResponse tested;
  EXPECT_EQ(Reason(stub_->TestRules(&context, {}, &tested)), "NOT_SERVED_YET");
}

TEST_F(RulesServiceTest, ListsPageByPage) {
  v1::RulesDocument stored;
  for (const char* owner : {"bob@example.com", "alice@example.com"}) {
    for (const char* name : {"b", "a"}) ASSERT_TRUE(Create(Rules(name, name, owner), &stored).ok());
  }
  v1::ListRulesRequest request;
  request.set_page_size(3);
  v1::ListRulesResponse page;
  std::vector<std::string> names;
  const auto read = [&] {
    ASSERT_TRUE(List(request, &page).ok());
    for (const auto& rules : page.rules()) {
      names.push_back(rules.name().owner().substr(0, 1) + rules.name().name());
      EXPECT_EQ(rules.has_document(), request.with_content());
    }
    request.set_page_token(page.next_page_token());
  };
  read();
  ASSERT_FALSE(page.next_page_token().empty());
  read();

  EXPECT_THAT(names, ElementsAre("aa", "ab", "ba", "bb"));
  EXPECT_EQ(page.next_page_token(), "");
  names.clear();
  request.set_with_content(true);
  request.set_owner("sip:bob@example.com");
  request.set_page_token("");
  read();
  EXPECT_THAT(names, ElementsAre("ba", "bb"));
  request.set_page_token("mine");
  EXPECT_EQ(Reason(List(request, &page)), "BAD_TOKEN page_token");
}

TEST_F(RulesServiceTest, ValidatesWithoutStoring) {
  v1::ValidateRulesRequest request;
  request.set_kind(v1::RULES_KIND_HARD_STATE);
  *request.mutable_document() = Rules("bad").document();
  v1::ValidateRulesResponse response;
  grpc::ClientContext first;
  ASSERT_TRUE(stub_->ValidateRules(&first, request, &response).ok());
  EXPECT_FALSE(response.valid());
  ASSERT_EQ(response.findings_size(), 1);
  EXPECT_EQ(response.findings(0).code(), "bad-document");
  EXPECT_EQ(response.findings(0).severity(), v1::RulesFinding::SEVERITY_ERROR);
  EXPECT_EQ(response.findings(0).line(), 1u);
  EXPECT_EQ(response.findings(0).column(), 1u);

  *request.mutable_document() = Rules("good").document();
  grpc::ClientContext second;
  ASSERT_TRUE(stub_->ValidateRules(&second, request, &response).ok());
  EXPECT_TRUE(response.valid());
  v1::ListRulesResponse listed;
  ASSERT_TRUE(List({}, &listed).ok());
  EXPECT_EQ(listed.rules_size(), 0);
}

// O02
TEST_F(RulesServiceTest, ARefreshNeedsBothNamesOfTheDocument) {
  v1::RefreshWatchersRequest request;
  request.set_presentity("alice@example.com");
  request.set_event("presence");
  request.set_kind(v1::RefreshWatchersRequest::KIND_HARD_STATE);
  EXPECT_EQ(Reason(Refresh(request)), "INVALID_FIELD file_uri");
  request.set_file_uri("http://xcap.example.com/index");
  EXPECT_EQ(Reason(Refresh(request)), "INVALID_FIELD filename");
  request.set_filename("a/b");
  EXPECT_EQ(Reason(Refresh(request)), "INVALID_FIELD filename");
  request.set_filename("index");
  EXPECT_TRUE(Refresh(request).ok()) << "one that is not there is no error";

  v1::RulesDocument stored;
  ASSERT_TRUE(Create(Rules("one"), &stored).ok());
  EXPECT_TRUE(Refresh(request).ok());
  ASSERT_TRUE(Get(stored.name(), &stored).ok());
  EXPECT_EQ(stored.file_uri(), "http://xcap.example.com/index");
  request.set_event("presense");
  EXPECT_EQ(Reason(Refresh(request)), "UNKNOWN_EVENT");
  request.set_event("");
  EXPECT_EQ(Reason(Refresh(request)), "INVALID_FIELD event");
}

}  // namespace
}  // namespace presence
