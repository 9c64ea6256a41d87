#ifndef PRESENCE_CONFIGURATION_SCHEMA_H_
#define PRESENCE_CONFIGURATION_SCHEMA_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "google/protobuf/descriptor.h"
#include "presence/v1/config.pb.h"

namespace presence {

// One key that can be configured: a leaf field of the config protos and the way to it. A value;
// valid as long as the program, as descriptors are.
struct ConfigKey {
  // As people write it: "publish.max_expires", or for a key that can be set for one event package
  // "publish.packages.<event>.max_expires".
  std::string name;
  // Fields from the program's message down to the leaf; a map field stands for one entry of it.
  std::vector<const google::protobuf::FieldDescriptor*> path;
  presence::v1::Setting setting;

  const google::protobuf::FieldDescriptor& field() const { return *path.back(); }
  bool is_per_package() const;
  bool is_list() const { return field().is_repeated(); }
};

// A key as somebody wrote it.
struct ConfigTarget {
  const ConfigKey* key = nullptr;
  std::string event;  // for a key per package, which package

  // "publish.packages.presence.max_expires".
  std::string Name() const;
};

// All keys of one program, found by reflection over its message of the config protos. Constant
// after construction, so safe to call from any thread.
class ConfigSchema {
 public:
  // `program` is what users start, "presence-core"; `environment_prefix` is what the names of its
  // environment variables begin with, "PRESENCE_CORE_".
  ConfigSchema(const google::protobuf::Descriptor& root, std::string program,
               std::string environment_prefix);
  ConfigSchema(const ConfigSchema&) = delete;
  ConfigSchema& operator=(const ConfigSchema&) = delete;

  const google::protobuf::Descriptor& root() const { return root_; }
  const std::string& program() const { return program_; }
  const std::string& environment_prefix() const { return environment_prefix_; }

  // In the order of the config protos.
  absl::Span<const ConfigKey> keys() const { return keys_; }

  // The key of this name; none if there is no such key.
  std::optional<ConfigTarget> Find(absl::string_view name) const;

  // True for what has keys below it, such as "publish" or "publish.packages.presence".
  bool IsSection(absl::string_view name) const;

  // What to tell somebody who wrote an unknown key: `; did you mean "publish.max_expires"?`, the
  // key that replaces a module parameter of this name, or nothing where no key is near.
  std::string Hint(absl::string_view unknown) const;

  // The environment variable of a key, with <EVENT> in it where the key is per package.
  std::string EnvironmentName(const ConfigKey& key) const;

 private:
  void Collect(const google::protobuf::Descriptor& message, const std::string& prefix,
               std::vector<const google::protobuf::FieldDescriptor*>& path);

  const google::protobuf::Descriptor& root_;
  const std::string program_;
  const std::string environment_prefix_;
  std::vector<ConfigKey> keys_;
};

// The schemas of the two programs that the config protos describe.
const ConfigSchema& CoreConfigSchema();
const ConfigSchema& GatewayConfigSchema();

}  // namespace presence

#endif  // PRESENCE_CONFIGURATION_SCHEMA_H_
