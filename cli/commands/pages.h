#ifndef PRESENCE_CLI_COMMANDS_PAGES_H_
#define PRESENCE_CLI_COMMANDS_PAGES_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include "cli/connection/session.h"
#include "presence/v1/presence.grpc.pb.h"

namespace presence::cli {

// Reads a list page by page and hands each page to `take`, until `limit` elements were asked for
// (0: no limit) or the list ends. Returns what the failing call returned.
template <typename Request, typename Response, typename Stub>
grpc::Status ReadPages(Session& session, Stub& stub,
                       grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                    Response*),
                       Request request, int32_t limit, const std::function<void(Response&)>& take) {
  constexpr int32_t kPage = 1000;  // the most that the contract gives at once
  int32_t left = limit;
  do {
    request.set_page_size(limit > 0 ? std::min(left, kPage) : kPage);
    Response page;
    grpc::Status status = session.Call(stub, method, request, &page);
    if (!status.ok()) return status;
    request.set_page_token(page.next_page_token());
    take(page);
    left -= request.page_size();
  } while (!request.page_token().empty() && (limit == 0 || left > 0));
  return grpc::Status::OK;
}

template <typename Request, typename Response>
grpc::Status ReadPages(Session& session,
                       grpc::Status (v1::PresenceService::StubInterface::*method)(
                           grpc::ClientContext*, const Request&, Response*),
                       Request request, int32_t limit, const std::function<void(Response&)>& take) {
  return ReadPages<Request, Response>(session, session.presence(), method, std::move(request),
                                      limit, take);
}

}  // namespace presence::cli

#endif  // PRESENCE_CLI_COMMANDS_PAGES_H_
