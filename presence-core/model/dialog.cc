#include "presence-core/model/dialog.h"

namespace presence {

Dialog::Dialog(const DialogParts& parts) {
  const std::array<const std::string*, kFields> fields = {
      &parts.call_id,       &parts.remote_tag, &parts.local_uri,  &parts.remote_uri,
      &parts.remote_target, &parts.gateway,    &parts.flow,       &parts.flow_gateway,
      &parts.local_contact, &parts.user_agent, &parts.adopted_tag};
  size_t total = 0;
  for (const std::string* field : fields) total += field->size();
  for (const std::string& route : parts.route_set) total += route.size();
  packed_.reserve(total);
  for (int i = 0; i < kFields; ++i) {
    packed_ += *fields[i];
    ends_[i] = static_cast<uint32_t>(packed_.size());
  }
  route_ends_.reserve(parts.route_set.size());
  for (const std::string& route : parts.route_set) {
    packed_ += route;
    route_ends_.push_back(static_cast<uint32_t>(packed_.size()));
  }
}

std::string_view Dialog::Field(int i) const {
  const uint32_t begin = i == 0 ? 0 : ends_[i - 1];
  return std::string_view(packed_).substr(begin, ends_[i] - begin);
}

std::vector<std::string_view> Dialog::route_set() const {
  std::vector<std::string_view> routes;
  routes.reserve(route_ends_.size());
  uint32_t begin = ends_[kFields - 1];
  for (uint32_t end : route_ends_) {
    routes.push_back(std::string_view(packed_).substr(begin, end - begin));
    begin = end;
  }
  return routes;
}

DialogParts Dialog::Unpack() const {
  DialogParts parts;
  parts.call_id = call_id();
  parts.remote_tag = remote_tag();
  parts.local_uri = local_uri();
  parts.remote_uri = remote_uri();
  parts.remote_target = remote_target();
  parts.gateway = gateway();
  parts.flow = flow();
  parts.flow_gateway = flow_gateway();
  parts.local_contact = local_contact();
  parts.user_agent = user_agent();
  parts.adopted_tag = adopted_tag();
  for (std::string_view route : route_set()) parts.route_set.emplace_back(route);
  return parts;
}

Dialog Dialog::Refreshed(const DialogParts& by) const {
  DialogParts parts = Unpack();
  parts.remote_target = by.remote_target;
  parts.flow = by.flow;
  parts.flow_gateway = by.flow_gateway;
  if (!by.gateway.empty()) parts.gateway = by.gateway;
  if (!by.local_contact.empty()) parts.local_contact = by.local_contact;
  if (!by.user_agent.empty()) parts.user_agent = by.user_agent;
  return Dialog(parts);
}

}  // namespace presence
