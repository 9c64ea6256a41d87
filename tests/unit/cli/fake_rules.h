#ifndef PRESENCE_TESTS_UNIT_CLI_FAKE_RULES_H_
#define PRESENCE_TESTS_UNIT_CLI_FAKE_RULES_H_

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "presence/v1/rules.grpc.pb.h"
#include "runtime/clock.h"

namespace presence::cli {

// The documents of a fake server. A document "<bad/>" is one that nobody takes. Calls may come from
// any thread.
class FakeRules final : public v1::RulesService::Service {
 public:
  // `enter` is asked before each call; what it fails with is the answer.
  FakeRules(const Clock& clock, std::function<grpc::Status()> enter);

  // Puts a document there before a command runs.
  void Add(v1::RulesDocument document);

 private:
  using Context = grpc::ServerContext;
  grpc::Status CreateRules(Context*, const v1::CreateRulesRequest* request,
                           v1::RulesDocument* response) override;
  grpc::Status GetRules(Context*, const v1::GetRulesRequest* request,
                        v1::RulesDocument* response) override;
  grpc::Status UpdateRules(Context*, const v1::UpdateRulesRequest* request,
                           v1::RulesDocument* response) override;
  grpc::Status DeleteRules(Context*, const v1::DeleteRulesRequest* request,
                           v1::DeleteRulesResponse* response) override;
  grpc::Status ListRules(Context*, const v1::ListRulesRequest* request,
                         v1::ListRulesResponse* response) override;
  grpc::Status ValidateRules(Context*, const v1::ValidateRulesRequest* request,
                             v1::ValidateRulesResponse* response) override;

  v1::RulesDocument* Find(const v1::RulesName& name);
  grpc::Status Store(const v1::RulesDocument& rules, v1::RulesDocument& response);

  const Clock& clock_;
  const std::function<grpc::Status()> enter_;
  std::mutex mu_;
  std::vector<v1::RulesDocument> documents_;
  int etags_ = 0;
};

}  // namespace presence::cli

#endif  // PRESENCE_TESTS_UNIT_CLI_FAKE_RULES_H_
