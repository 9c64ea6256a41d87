#include <google/protobuf/util/message_differencer.h>
#include <google/protobuf/util/time_util.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence-core/engine/decide.h"
#include "presence-core/rpc/rpc_server.h"
#include "presence-core/storage/memory/memory_journal.h"
#include "presence/v1/admin.grpc.pb.h"
#include "runtime/worker.h"
#include "tests/fakes/text_package.h"

namespace presence {
namespace {

using google::protobuf::util::TimeUtil;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// A whole core over gRPC, with threads as in production.
class Core {
 public:
  explicit Core(const EngineConfig& config = {})
      : engine_(config, *registry_, std::make_shared<PolicySnapshot>(PolicySnapshot::Defaults{}),
                journal_, *worker_, clock_, random_, 3) {
    EXPECT_TRUE(engine_.Start().ok());
    RpcServer::Options options;
    options.listen = {"127.0.0.1:0"};
    options.is_owner = [this] { return is_owner.load(); };
    server_ = *RpcServer::Start(engine_, *worker_, clock_, random_, options);
    admin_ = v1::AdminService::NewStub(
        grpc::CreateChannel(server_->addresses()[0], grpc::InsecureChannelCredentials()));
  }
  ~Core() {
    server_->Stop(absl::Seconds(1));
    worker_.reset();
    server_.reset();
  }

  // Sends the records one by one, each with its place as checkpoint. The last answer.
  v1::ImportResponse Import(const std::vector<v1::Record>& records,
                            const v1::ImportOptions& options = {}, grpc::Status* status = nullptr) {
    grpc::ClientContext context;
    const auto stream = admin_->Import(&context);
    v1::ImportResponse last;
    for (size_t i = 0; i < records.size(); ++i) {
      v1::ImportRequest request;
      if (i == 0) *request.mutable_options() = options;
      *request.add_records() = records[i];
      request.set_checkpoint("after " + std::to_string(i));
      v1::ImportResponse response;
      if (!stream->Write(request) || !stream->Read(&response)) break;
      for (const auto& refusal : response.refusals()) refusals.push_back(refusal);
      last = response;
    }
    stream->WritesDone();
    const grpc::Status ended = stream->Finish();
    if (status != nullptr) *status = ended;
    return last;
  }

  std::vector<v1::ExportResponse> Export(const v1::ExportRequest& request,
                                         grpc::Status* status = nullptr) {
    grpc::ClientContext context;
    const auto stream = admin_->Export(&context, request);
    std::vector<v1::ExportResponse> pages;
    for (v1::ExportResponse page; stream->Read(&page);) pages.push_back(page);
    const grpc::Status ended = stream->Finish();
    if (status != nullptr) *status = ended;
    return pages;
  }
  std::vector<v1::Record> ExportAll(const v1::ExportRequest& request = {}) {
    std::vector<v1::Record> records;
    for (const auto& page : Export(request)) {
      records.insert(records.end(), page.records().begin(), page.records().end());
    }
    return records;
  }

  std::vector<v1::ImportRefusal> refusals;
  std::atomic<bool> is_owner = true;

 private:
  SystemClock clock_;
  SecureRandom random_;
  std::unique_ptr<EventRegistry> registry_ = MakeTextRegistry();
  MemoryJournal journal_;
  std::unique_ptr<Worker> worker_ = std::make_unique<Worker>(clock_, "core");
  Engine engine_;
  std::unique_ptr<RpcServer> server_;
  std::unique_ptr<v1::AdminService::Stub> admin_;
};

google::protobuf::Timestamp In(int seconds) {
  return TimeUtil::SecondsToTimestamp(absl::ToUnixSeconds(absl::Now()) + seconds);
}

v1::Record PublicationOf(const std::string& user, const std::string& text) {
  v1::Record record;
  v1::Publication& publication = *record.mutable_publication();
  publication.set_presentity("sip:" + user + "@example.com");
  publication.set_event("presence");
  publication.set_etag("etag-of-" + text);
  *publication.mutable_expire_time() = In(600);
  publication.set_priority(7);
  publication.set_sender("sip:desk@192.0.2.7");
  publication.mutable_document()->set_content_type("text/plain");
  publication.mutable_document()->set_body(text);
  return record;
}

v1::Record SubscriptionOf(const std::string& user, const std::string& watcher) {
  v1::Record record;
  v1::SubscriptionRecord& out = *record.mutable_subscription();
  v1::Subscription& subscription = *out.mutable_subscription();
  subscription.set_presentity("sip:" + user + "@example.com");
  subscription.set_event("presence");
  subscription.set_event_id("7");
  subscription.set_watcher("sip:" + watcher + "@example.com");
  subscription.set_state(v1::SUBSCRIPTION_STATE_ACTIVE);
  *subscription.mutable_expire_time() = In(600);
  subscription.set_local_cseq(41);
  v1::Dialog& dialog = *out.mutable_dialog();
  dialog.set_call_id("call-of-" + watcher);
  dialog.set_local_tag("a6a1c5f60faecf035a1ae5b6e96e979a-5d83");
  dialog.set_remote_tag("remote");
  dialog.set_local_uri("sip:" + user + "@example.com");
  dialog.set_remote_uri("sip:" + watcher + "@example.com");
  dialog.set_remote_target("sip:" + watcher + "@192.0.2.1:5060");
  dialog.add_route_set("<sip:192.0.2.9;lr>");
  dialog.set_gateway("edge");
  dialog.set_user_agent("Phone/1.0");
  out.set_remote_cseq(3);
  return record;
}

v1::Record DecisionOf(const std::string& user, const std::string& watcher) {
  v1::Record record;
  v1::WatcherRecord& out = *record.mutable_watcher();
  out.set_presentity("sip:" + user + "@example.com");
  out.mutable_watcher()->set_watcher("sip:" + watcher + "@example.com");
  out.mutable_watcher()->set_event("presence");
  out.mutable_watcher()->set_decision(v1::WATCHER_DECISION_ALLOW);
  return record;
}

v1::Record DocumentOf(const std::string& user, const std::string& text) {
  v1::Record record;
  v1::RulesDocument& out = *record.mutable_rules();
  out.mutable_name()->set_owner("sip:" + user + "@example.com");
  out.mutable_name()->set_kind(v1::RULES_KIND_HARD_STATE);
  out.mutable_name()->set_name("index");
  out.mutable_document()->set_content_type("text/plain");
  out.mutable_document()->set_body(text);
  out.set_etag("etag-of-" + text);
  *out.mutable_create_time() = In(-7200);
  *out.mutable_update_time() = In(-3600);
  out.set_file_uri("/xcap/index");
  return record;
}

// Everything there is to know of them, times to the second.
std::string Text(v1::Record record) {
  if (record.has_publication()) {
    record.mutable_publication()->clear_receive_time();
    record.mutable_publication()->clear_ruid();
    record.mutable_publication()->mutable_expire_time()->set_nanos(0);
  }
  if (record.has_subscription()) {
    record.mutable_subscription()->mutable_subscription()->clear_notified();
    // Each life goes on above what the one before may have used.
    record.mutable_subscription()->mutable_subscription()->clear_local_cseq();
    record.mutable_subscription()->mutable_subscription()->mutable_expire_time()->set_nanos(0);
  }
  if (record.has_rules()) {
    record.mutable_rules()->mutable_create_time()->set_nanos(0);
    record.mutable_rules()->mutable_update_time()->set_nanos(0);
  }
  return record.ShortDebugString();
}

TEST(ImportExportTest, WritesOutWhatAnotherCoreReadsIn) {
  Core first;
  const std::vector<v1::Record> records = {
      DecisionOf("alice", "bob"), PublicationOf("a%20lice", "open"), SubscriptionOf("alice", "bob"),
      DocumentOf("a%20lice", "away")};
  const v1::ImportResponse taken = first.Import(records);
  EXPECT_EQ(taken.imported(), 4u) << (first.refusals.empty() ? "" : first.refusals[0].message());
  EXPECT_EQ(taken.checkpoint(), "after 3");
  const std::vector<v1::Record> exported = first.ExportAll();
  ASSERT_THAT(exported, SizeIs(4));
  EXPECT_EQ(exported[1].rules().etag(), "etag-of-away");
  EXPECT_EQ(exported[1].rules().file_uri(), "/xcap/index");
  EXPECT_EQ(exported[1].rules().create_time().seconds(),
            records[3].rules().create_time().seconds());
  EXPECT_EQ(exported[2].publication().etag(), "etag-of-open");
  EXPECT_EQ(exported[2].publication().document().body(), "open");
  const v1::SubscriptionRecord& dialog = exported[3].subscription();
  EXPECT_EQ(dialog.dialog().adopted_tag(), records[2].subscription().dialog().local_tag());
  EXPECT_GE(dialog.subscription().local_cseq(), 41u);
  EXPECT_EQ(dialog.remote_cseq(), 3u);

  Core second;
  EXPECT_EQ(second.Import(exported).imported(), 4u);

  const std::vector<v1::Record> again = second.ExportAll();
  ASSERT_THAT(again, SizeIs(4));
  for (size_t i = 0; i < again.size(); ++i) EXPECT_EQ(Text(again[i]), Text(exported[i]));
}

// In db-only it may be another core that sends for the dialog, and this one knows only the limit.
TEST(ImportExportTest, WritesACseqThatNoNotifyIsAbove) {
  Core first, second;
  first.Import({SubscriptionOf("alice", "bob")});
  const v1::Record of_first = first.ExportAll().at(0);

  second.Import({of_first});

  EXPECT_GE(of_first.subscription().subscription().local_cseq(), 41u + kCseqBlock);
  EXPECT_GT(second.ExportAll().at(0).subscription().subscription().local_cseq(),
            of_first.subscription().subscription().local_cseq());
}

TEST(ImportExportTest, WritesTheLifetimeGrantedWithoutTheGrace) {
  EngineConfig config;
  config.subscribe_grace = absl::Seconds(40);
  Core first(config), second(config);
  const v1::Record record = SubscriptionOf("alice", "bob");
  first.Import({record});

  second.Import(first.ExportAll());

  const int64_t asked = record.subscription().subscription().expire_time().seconds();
  EXPECT_NEAR(static_cast<double>(
                  second.ExportAll().at(0).subscription().subscription().expire_time().seconds()),
              static_cast<double>(asked), 2);
}

TEST(ImportExportTest, KeepsTheGatewayThatHoldsTheConnection) {
  Core first, second;
  v1::Record record = SubscriptionOf("alice", "bob");
  record.mutable_subscription()->mutable_dialog()->set_flow("7f");
  record.mutable_subscription()->mutable_dialog()->set_flow_gateway("edge-2");
  first.Import({record});

  second.Import(first.ExportAll());

  EXPECT_EQ(second.ExportAll().at(0).subscription().dialog().flow(), "7f");
  EXPECT_EQ(second.ExportAll().at(0).subscription().dialog().flow_gateway(), "edge-2");
}

TEST(ImportExportTest, WritesNothingWhereAnotherCoreMayOwnTheState) {
  Core core;
  core.Import({PublicationOf("alice", "open")});
  core.is_owner = false;
  grpc::Status status;

  const auto pages = core.Export({}, &status);

  EXPECT_THAT(pages, IsEmpty());
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST(ImportExportTest, CountsApartWhatItTookBefore) {
  Core core;
  core.Import({PublicationOf("alice", "open"), SubscriptionOf("alice", "bob")});
  v1::Record expired = PublicationOf("alice", "closed");
  *expired.mutable_publication()->mutable_expire_time() = In(-1);

  const v1::ImportResponse again =
      core.Import({PublicationOf("alice", "open"), SubscriptionOf("alice", "bob"), expired});

  EXPECT_EQ(again.imported(), 0u);
  EXPECT_EQ(again.imported_before(), 2u);
  EXPECT_EQ(again.skipped(), 1u);
}

TEST(ImportExportTest, RefusesRecordsOneByOne) {
  Core core;
  v1::Record no_token = PublicationOf("alice", "open");
  no_token.mutable_publication()->set_etag("two words");
  v1::Record no_time = PublicationOf("alice", "open");
  no_time.mutable_publication()->mutable_expire_time()->set_seconds(INT64_MAX);
  v1::Record early = PublicationOf("alice", "open");
  early.mutable_publication()->mutable_receive_time()->set_seconds(-1);
  v1::Record two_lines = SubscriptionOf("alice", "bob");
  two_lines.mutable_subscription()->mutable_dialog()->set_remote_target("sip:bob\r\nVia: x");
  v1::Record rules = DocumentOf("alice", "<ruleset/>");
  rules.mutable_rules()->mutable_name()->set_kind(v1::RULES_KIND_PRES_RULES);
  const std::vector<v1::Record> records = {no_token,
                                           PublicationOf("alice", "bad"),
                                           v1::Record(),
                                           no_time,
                                           early,
                                           two_lines,
                                           rules,
                                           PublicationOf("nobody", "open"),
                                           PublicationOf("alice", "open")};

  const v1::ImportResponse taken = core.Import(records);

  EXPECT_EQ(taken.imported(), 2u);
  EXPECT_EQ(taken.refused(), 7u);
  std::vector<std::string> reasons;
  for (const auto& refusal : core.refusals) {
    reasons.push_back(std::to_string(refusal.position()) + " " + refusal.reason());
  }
  EXPECT_THAT(reasons,
              ElementsAre("0 INVALID_FIELD", "1 BAD_DOCUMENT", "2 INVALID_FIELD", "3 INVALID_FIELD",
                          "4 INVALID_FIELD", "5 INVALID_FIELD", "6 NOT_SERVED_YET"));
}

TEST(ImportExportTest, ChangesNothingInADryRun) {
  Core core;
  v1::ImportOptions options;
  options.set_dry_run(true);

  EXPECT_EQ(core.Import({PublicationOf("alice", "open")}, options).imported(), 1u);

  EXPECT_THAT(core.ExportAll(), IsEmpty());
}

TEST(ImportExportTest, RefusesOptionsThatItDoesNotKnow) {
  Core core;
  v1::ImportOptions options;
  options.set_on_conflict(static_cast<v1::ImportOptions::OnConflict>(9));
  grpc::Status status;

  core.Import({PublicationOf("alice", "open")}, options, &status);

  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(core.ExportAll(), IsEmpty());
}

TEST(ImportExportTest, GoesOnFromAnyCheckpoint) {
  Core core;
  std::vector<v1::Record> records;
  for (int i = 0; i < 300; ++i) {
    records.push_back(PublicationOf("user" + std::to_string(i), std::to_string(i)));
    records.push_back(DecisionOf("user" + std::to_string(i), "bob"));
    records.push_back(DocumentOf("user" + std::to_string(i), std::to_string(i)));
  }
  ASSERT_EQ(core.Import(records).imported(), 900u);
  const auto pages = core.Export({});
  ASSERT_GT(pages.size(), 5u);

  for (size_t i = 0; i < pages.size(); ++i) {
    v1::ExportRequest request;
    request.set_checkpoint(pages[i].checkpoint());
    size_t rest = 0;
    for (size_t j = i + 1; j < pages.size(); ++j) {
      rest += static_cast<size_t>(pages[j].records_size());
    }
    EXPECT_THAT(core.ExportAll(request), SizeIs(rest)) << "after page " << i;
  }
}

TEST(ImportExportTest, WritesOnlyTheKindsAndTheDomainAskedFor) {
  Core core;
  v1::Record elsewhere = PublicationOf("alice", "busy");
  elsewhere.mutable_publication()->set_presentity("sip:alice@example.org");
  v1::Record document_elsewhere = DocumentOf("alice", "busy");
  document_elsewhere.mutable_rules()->mutable_name()->set_owner("sip:alice@example.org");
  core.Import({PublicationOf("alice", "open"), elsewhere, DecisionOf("alice", "bob"),
               SubscriptionOf("alice", "bob"), DocumentOf("alice", "away"), document_elsewhere});
  v1::ExportRequest request;
  request.add_kinds(v1::RECORD_KIND_PUBLICATION);
  request.set_domain("example.com");

  const auto records = core.ExportAll(request);
  request.set_kinds(0, v1::RECORD_KIND_RULES);
  const auto documents = core.ExportAll(request);

  ASSERT_THAT(records, SizeIs(1));
  EXPECT_EQ(records[0].publication().document().body(), "open");
  ASSERT_THAT(documents, SizeIs(1));
  EXPECT_EQ(documents[0].rules().document().body(), "away");
}

TEST(ImportExportTest, RefusesACheckpointOfAnotherExport) {
  Core core;
  core.Import({PublicationOf("alice", "open")});
  v1::ExportRequest request;
  request.add_kinds(v1::RECORD_KIND_PUBLICATION);
  request.set_checkpoint(core.Export(request).at(0).checkpoint());
  request.set_domain("example.com");
  grpc::Status of_other_domain;
  core.Export(request, &of_other_domain);
  request.set_checkpoint("9.x");
  grpc::Status made_up;
  core.Export(request, &made_up);

  EXPECT_EQ(of_other_domain.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(made_up.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace presence
