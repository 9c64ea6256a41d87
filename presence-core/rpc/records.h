#ifndef PRESENCE_CORE_RPC_RECORDS_H_
#define PRESENCE_CORE_RPC_RECORDS_H_

#include "absl/status/statusor.h"
#include "google/protobuf/timestamp.pb.h"
#include "presence-core/rpc/convert.h"
#include "presence/v1/records.pb.h"

namespace presence {

// Between the records of an export or import and the values of the engine. Safe to call from any
// thread.
class Records {
 public:
  Records(const Engine& engine, const Clock& clock)
      : clock_(clock), convert_(engine, clock), subscribe_grace_(engine.config().subscribe_grace) {}

  // What a record asks for, without the options of its import. Errors: INVALID_URI, USER_UNKNOWN,
  // UNKNOWN_EVENT, INVALID_FIELD, NOT_SERVED_YET.
  absl::StatusOr<ImportCommand> ToImport(const v1::Record& record) const;

  // Addresses are URIs in them, so that any user part can be read back.
  v1::Record ToRecord(const PublicationView& view) const;
  v1::Record ToRecord(const SubscriptionView& view) const;
  v1::Record ToRecord(const WatcherRecordView& view) const;
  v1::Record ToRecord(const DocumentView& view) const;

 private:
  absl::StatusOr<ImportCommand> ToImport(const v1::Publication& record) const;
  absl::StatusOr<ImportCommand> ToImport(const v1::SubscriptionRecord& record) const;
  absl::StatusOr<ImportCommand> ToImport(const v1::WatcherRecord& record) const;
  absl::StatusOr<ImportCommand> ToImport(const v1::RulesDocument& record) const;
  // Of Clock::Now(), which may be far from the wall's. Errors: INVALID_FIELD.
  absl::StatusOr<absl::Time> ToSteady(bool has, const google::protobuf::Timestamp& wall,
                                      std::string_view field) const;

  const Clock& clock_;
  const Converter convert_;
  const absl::Duration subscribe_grace_;
};

}  // namespace presence

#endif  // PRESENCE_CORE_RPC_RECORDS_H_
