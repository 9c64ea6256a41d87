#include "runtime/manual_executor.h"
#include "tests/conformance/row_store_suite.h"
#include "tests/fakes/fake_row_store.h"

namespace presence {
namespace {

// A fake that behaved otherwise than a database would show nothing about the journals.
class FakeSubject {
 public:
  RowStore& store() { return store_; }
  void Settle() { executor_.RunUntilIdle(); }
  std::string BadBody() { return FakeRowStore::kBadBody; }

 private:
  ManualClock clock_;
  ManualExecutor executor_{clock_};
  FakeRowStore store_{executor_};
};

INSTANTIATE_TYPED_TEST_SUITE_P(Fake, RowStoreSuite, FakeSubject);

}  // namespace
}  // namespace presence
