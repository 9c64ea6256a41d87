#include "sip-gateway/transaction/client_transactions.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "sip-gateway/sofia/printer.h"
#include "sip-gateway/transaction/branch.h"

namespace presence::sip {
namespace {

// Far above what Timer K and Timer F leave behind at the rates we aim at; 16 bytes each.
constexpr size_t kMaxEndedBranches = 1 << 18;
constexpr size_t kMaxTcpRefusals = 1 << 14;
// A tag names the attempt too, so that a late failure of one hop is not blamed on the next.
constexpr int kAttemptBits = 8;

ClientOutcome TransportError(SendFailure why) {
  // RFC 3261 §8.1.3.1: a transport error is treated as a 503.
  return {.kind = ClientOutcome::Kind::kTransportError, .status = 503, .failure = why};
}

std::string_view WithoutBrackets(std::string_view host) {
  return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
}

bool IsSameHost(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return absl::ascii_tolower(static_cast<unsigned char>(x)) ==
           absl::ascii_tolower(static_cast<unsigned char>(y));
  });
}

// RFC 3261 §18.1.2: a response whose top Via is not what we send is discarded; §8.1.3.3: so is one
// with another below.
bool IsOwnVia(const ResponseFacts& facts, const Listener& listener) {
  return facts.via_count == 1 && facts.via_port == listener.advertised_port &&
         IsSameHost(facts.via_host, WithoutBrackets(listener.advertised_host));
}

}  // namespace

struct ClientTransactions::Transaction {
  ClientRequest request;
  size_t hop_index = 0;
  NextHop hop;  // the present one, its protocol as used
  const Listener* listener = nullptr;
  Branch branch;
  std::string bytes;  // for retransmission; empty over a reliable transport
  FlowId flow = kNoFlow;
  uint8_t attempt = 0;
  bool is_proceeding = false;
  bool is_switched_to_tcp = false;
  bool is_udp_despite_length = false;
  absl::Duration interval;  // of Timer E
  absl::Time timer_e = absl::InfiniteFuture();
  absl::Time timer_f;
  TimerId timer = kNoTimer;
  std::optional<ClientOutcome> unsendable;  // found in Start(), to be told by the timer

  SendTag tag(ClientTransactionId id) const { return id << kAttemptBits | attempt; }
};

ClientTransactions::ClientTransactions(const Clock& clock, Random& random, Transport& transport,
                                       const ClientTransactionConfig& config, HopObserver* observer)
    : clock_(clock),
      random_(random),
      transport_(transport),
      config_(config),
      observer_(observer),
      wheel_(clock.Now()),
      completed_(config.t4, kMaxEndedBranches),
      stopped_(64 * config.t1, kMaxEndedBranches),
      tcp_refusals_(config.tcp_refusal_memory, kMaxTcpRefusals) {}

ClientTransactions::~ClientTransactions() = default;

ClientTransactions::Transaction* ClientTransactions::Find(ClientTransactionId id) {
  const auto it = transactions_.find(id);
  return it == transactions_.end() ? nullptr : it->second.get();
}

ClientTransactionId ClientTransactions::Start(ClientRequest request) {
  const ClientTransactionId id = next_id_++;
  auto owned = std::make_unique<Transaction>();
  Transaction& transaction = *owned;
  transaction.request = std::move(request);
  transaction.timer_f = clock_.Now();
  transactions_.emplace(id, std::move(owned));
  ++stats_.started;
  transaction.unsendable = Attempt(id, transaction);
  if (transaction.unsendable) ArmTimer(id, transaction);
  return id;
}

std::optional<ClientOutcome> ClientTransactions::Attempt(ClientTransactionId id,
                                                         Transaction& transaction) {
  if (transaction.hop_index >= transaction.request.hops.size()) {
    return TransportError(SendFailure::kUnreachable);
  }
  transaction.hop = transaction.request.hops[transaction.hop_index];
  transaction.is_switched_to_tcp = false;
  const Listener* listener = transport_.ListenerFor(transaction.hop);
  if (listener == nullptr) return TransportError(SendFailure::kNoListener);
  absl::StatusOr<std::string> bytes = Render(transaction, *listener);
  if (bytes.ok() && bytes->size() > config_.max_datagram_request &&
      SwitchToTcp(transaction, listener)) {
    bytes = Render(transaction, *listener);
  }
  if (!bytes.ok()) return ClientOutcome{.kind = ClientOutcome::Kind::kUnsendable, .status = 500};
  transaction.listener = listener;
  transaction.bytes = *std::move(bytes);
  by_branch_.emplace(transaction.branch.key(), id);
  const absl::Time now = clock_.Now();
  transaction.is_proceeding = false;
  transaction.interval = config_.t1;
  transaction.timer_f = now + 64 * config_.t1;
  transaction.timer_e =
      IsReliable(transaction.hop.protocol) ? absl::InfiniteFuture() : now + config_.t1;
  ++transaction.attempt;
  Transmit(id, transaction);
  if (IsReliable(transaction.hop.protocol)) transaction.bytes = std::string();
  ArmTimer(id, transaction);
  return std::nullopt;
}

absl::StatusOr<std::string> ClientTransactions::Render(Transaction& transaction,
                                                       const Listener& listener) {
  transaction.branch = Branch::New(random_);
  const bool is_udp = transaction.hop.protocol == Protocol::kUdp;
  // RFC 3581 §3: rport, so that the response finds the way back through a NAT of ours.
  return transaction.request.render(FormatVia({.transport = ProtocolToken(transaction.hop.protocol),
                                               .host = listener.advertised_host,
                                               .port = listener.advertised_port,
                                               .branch = transaction.branch.ToString(),
                                               .asks_rport = is_udp}));
}

// RFC 3261 §18.1.1, if the hop is UDP, TCP has not failed there, and we have an address to open a
// connection from.
bool ClientTransactions::SwitchToTcp(Transaction& transaction, const Listener*& listener) {
  NextHop hop = transaction.hop;
  if (hop.protocol != Protocol::kUdp || transaction.is_udp_despite_length) return false;
  hop.protocol = Protocol::kTcp;
  const Listener* const tcp_listener = transport_.ListenerFor(hop);
  if (tcp_listener == nullptr || tcp_refusals_.Contains(hop.remote, clock_.Now())) return false;
  listener = tcp_listener;
  transaction.hop = hop;
  transaction.is_switched_to_tcp = true;
  ++stats_.switched_to_tcp;
  return true;
}

void ClientTransactions::Transmit(ClientTransactionId id, Transaction& transaction) {
  transaction.flow = transport_.Send(transaction.hop, transaction.bytes, transaction.tag(id));
  if (transaction.flow != kNoFlow) by_flow_[transaction.flow].insert(id);
}

void ClientTransactions::ArmTimer(ClientTransactionId id, Transaction& transaction) {
  wheel_.Cancel(transaction.timer);
  transaction.timer = wheel_.Set(std::min(transaction.timer_e, transaction.timer_f), id);
}

void ClientTransactions::OnTimer(ClientTransactionId id, absl::Time now) {
  Transaction* const transaction = Find(id);
  if (transaction == nullptr) return;
  transaction->timer = kNoTimer;
  if (transaction->unsendable) {
    OnHopFailure(id, *std::exchange(transaction->unsendable, std::nullopt));
    return;
  }
  if (now >= transaction->timer_f) {
    OnHopFailure(id, {.kind = ClientOutcome::Kind::kTimedOut, .status = 408});
    return;
  }
  // RFC 3261 §17.1.2.2: doubled up to T2 in Trying, T2 at once in Proceeding.
  transaction->interval =
      transaction->is_proceeding ? config_.t2 : std::min(2 * transaction->interval, config_.t2);
  transaction->timer_e = now + transaction->interval;
  ++stats_.retransmissions;
  Transmit(id, *transaction);
  ArmTimer(id, *transaction);
}

void ClientTransactions::OnResponse(const Message& response) {
  const Via& via = response.top_via();
  OnResponse({.branch = via.branch,
              .via_host = via.host,
              .via_port = via.port,
              .via_count = response.via_count(),
              .cseq_method = response.cseq_method(),
              .status = response.status(),
              .retry_after_seconds = response.retry_after()},
             &response);
}

void ClientTransactions::OnResponse(const ResponseFacts& facts, const Message* response) {
  const std::optional<Branch> branch = Branch::Parse(facts.branch);
  const auto it = branch ? by_branch_.find(branch->key()) : by_branch_.end();
  if (it == by_branch_.end()) {
    const bool is_late =
        branch && (completed_.Contains(branch->key()) || stopped_.Contains(branch->key()));
    ++(is_late ? stats_.absorbed_responses : stats_.stray_responses);
    return;
  }
  const ClientTransactionId id = it->second;
  Transaction& transaction = *Find(id);
  // RFC 3261 §17.1.3: the branch and the CSeq method.
  if (transaction.branch != *branch || facts.cseq_method != transaction.request.method) {
    ++stats_.stray_responses;
    return;
  }
  if (!IsOwnVia(facts, *transaction.listener)) {
    ++stats_.foreign_responses;
    return;
  }
  if (facts.status < 200) {
    transaction.is_proceeding = true;  // Timer E runs on as it is, and is T2 from its next firing
    return;
  }
  ClientOutcome outcome{.kind = ClientOutcome::Kind::kAnswered,
                        .status = facts.status,
                        .response = response,
                        .retry_after_seconds = facts.retry_after_seconds};
  if (facts.status == 503) {
    OnHopFailure(id, outcome);
    return;
  }
  Observe(transaction, outcome);
  EndAttempt(id, transaction, completed_);
  Finish(id, outcome);
}

void ClientTransactions::OnSendFailed(SendTag tag, SendFailure why) {
  const ClientTransactionId id = tag >> kAttemptBits;
  const Transaction* const transaction = Find(id);
  if (transaction != nullptr && transaction->tag(id) == tag) OnTransportFailure(id, why);
}

void ClientTransactions::OnFlowClosed(FlowId flow, SendFailure why) {
  const auto it = by_flow_.find(flow);
  if (it == by_flow_.end()) return;
  // In the order they were started in, and not in that of a hash table, which is another in every
  // process: who goes on to the next hop is sent again as it was sent before.
  std::vector<ClientTransactionId> ids(it->second.begin(), it->second.end());
  std::sort(ids.begin(), ids.end());
  by_flow_.erase(it);
  for (const ClientTransactionId id : ids) {
    const Transaction* const transaction = Find(id);
    if (transaction != nullptr && transaction->flow == flow) OnTransportFailure(id, why);
  }
}

void ClientTransactions::OnIcmpError(const SocketAddress& remote, std::string_view quoted,
                                     SendFailure why) {
  const std::optional<Branch> branch = Branch::FindIn(quoted);
  const auto it = branch ? by_branch_.find(branch->key()) : by_branch_.end();
  if (it == by_branch_.end()) return;
  const ClientTransactionId id = it->second;
  const Transaction& transaction = *Find(id);
  if (transaction.branch == *branch && transaction.hop.remote == remote) {
    OnTransportFailure(id, why);
  }
}

void ClientTransactions::OnTransportFailure(ClientTransactionId id, SendFailure why) {
  Transaction& transaction = *Find(id);
  if (!transaction.is_switched_to_tcp) {
    OnHopFailure(id, TransportError(why));
    return;
  }
  // RFC 3261 §18.1.1: back to UDP, whole. Not only for a refusal: a peer that lets nothing through,
  // or hangs up, has no more use of TCP than one that says no. What never became a connection is
  // remembered.
  if (why == SendFailure::kRefused || why == SendFailure::kUnreachable ||
      why == SendFailure::kTimedOut) {
    tcp_refusals_.Remember(transaction.hop.remote, clock_.Now());
  }
  ++stats_.fell_back_to_udp;
  EndAttempt(id, transaction, completed_);
  transaction.is_udp_despite_length = true;
  if (const auto outcome = Attempt(id, transaction)) OnHopFailure(id, *outcome);
}

void ClientTransactions::OnHopFailure(ClientTransactionId id, ClientOutcome outcome) {
  Transaction& transaction = *Find(id);
  for (;;) {
    Observe(transaction, outcome);
    EndAttempt(id, transaction, completed_);
    // What cannot be printed for one hop cannot for the others.
    const bool is_last = outcome.kind == ClientOutcome::Kind::kUnsendable ||
                         transaction.hop_index + 1 >= transaction.request.hops.size();
    if (is_last) {
      Finish(id, outcome);
      return;
    }
    ++transaction.hop_index;
    transaction.is_udp_despite_length = false;
    ++stats_.failovers;
    const std::optional<ClientOutcome> obstacle = Attempt(id, transaction);
    if (!obstacle) return;
    outcome = *obstacle;
  }
}

void ClientTransactions::Observe(const Transaction& transaction, const ClientOutcome& outcome) {
  // A flow that is lost says nothing about its address.
  if (observer_ == nullptr || transaction.hop.flow != kNoFlow) return;
  if (outcome.kind == ClientOutcome::Kind::kUnsendable) return;
  if (outcome.kind == ClientOutcome::Kind::kAnswered && outcome.status != 503) {
    observer_->OnHopAnswered(transaction.hop);
  } else {
    observer_->OnHopFailed(transaction.hop, outcome.retry_after_seconds);
  }
}

void ClientTransactions::EndAttempt(ClientTransactionId id, Transaction& transaction,
                                    BranchMemory& memory) {
  wheel_.Cancel(std::exchange(transaction.timer, kNoTimer));
  const auto branch = by_branch_.find(transaction.branch.key());
  if (branch != by_branch_.end() && branch->second == id) {
    by_branch_.erase(branch);
    memory.Add(transaction.branch.key(), clock_.Now());
  }
  const auto flow = by_flow_.find(std::exchange(transaction.flow, kNoFlow));
  if (flow == by_flow_.end()) return;
  flow->second.erase(id);
  if (flow->second.empty()) by_flow_.erase(flow);
}

void ClientTransactions::Finish(ClientTransactionId id, ClientOutcome outcome) {
  const auto it = transactions_.find(id);
  // Its callback may start another; this one is gone by then.
  const std::unique_ptr<Transaction> transaction = std::move(it->second);
  transactions_.erase(it);
  switch (outcome.kind) {
    case ClientOutcome::Kind::kAnswered:
      ++stats_.answered;
      break;
    case ClientOutcome::Kind::kTimedOut:
      ++stats_.timed_out;
      break;
    case ClientOutcome::Kind::kTransportError:
    case ClientOutcome::Kind::kUnsendable:
      ++stats_.transport_errors;
      break;
  }
  outcome.hop = transaction->hop;
  transaction->request.on_outcome(outcome);
}

void ClientTransactions::Stop(ClientTransactionId id) {
  Transaction* const transaction = Find(id);
  if (transaction == nullptr) return;
  ++stats_.stopped;
  EndAttempt(id, *transaction, stopped_);
  transactions_.erase(id);
}

void ClientTransactions::StopAll() {
  std::vector<ClientTransactionId> ids;
  ids.reserve(transactions_.size());
  for (const auto& [id, transaction] : transactions_) ids.push_back(id);
  for (const ClientTransactionId id : ids) Stop(id);
}

absl::Time ClientTransactions::Advance(absl::Time now) {
  completed_.Expire(now);
  stopped_.Expire(now);
  due_.clear();
  wheel_.Advance(now, due_);
  for (const ClientTransactionId id : due_) OnTimer(id, now);
  return NextDue();
}

ClientTransactionStats ClientTransactions::stats() const {
  ClientTransactionStats stats = stats_;
  stats.active = transactions_.size();
  return stats;
}

}  // namespace presence::sip
