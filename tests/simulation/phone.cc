#include "tests/simulation/phone.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "tests/simulation/database.h"
#include "tests/simulation/documents.h"

namespace presence::simulation {
namespace {

constexpr absl::Duration kT1 = absl::Milliseconds(500);
constexpr absl::Duration kT2 = absl::Seconds(4);

uint32_t Number(std::string_view text) {
  uint32_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

// A message as a phone reads it: the gateway prints every header by its long name, once a line.
class Phone::Text {
 public:
  explicit Text(std::string_view bytes) : bytes_(bytes) {}

  bool is_answer() const { return bytes_.starts_with("SIP/2.0 "); }
  int status() const { return static_cast<int>(Number(bytes_.substr(8, 3))); }
  std::string_view body() const { return bytes_.substr(bytes_.find("\r\n\r\n") + 4); }

  std::string_view Header(std::string_view name) const {
    const std::string start = fmt::format("\r\n{}: ", name);
    size_t at = bytes_.find(start);
    if (at == std::string_view::npos) return {};
    at += start.size();
    return bytes_.substr(at, bytes_.find("\r\n", at) - at);
  }
  std::string_view Parameter(std::string_view header, std::string_view name) const {
    const std::string_view value = Header(header);
    const std::string start = fmt::format(";{}=", name);
    size_t at = value.find(start);
    if (at == std::string_view::npos) return {};
    at += start.size();
    return value.substr(at, value.find_first_of(";,>", at) - at);
  }
  std::string Uri(std::string_view header) const {
    const std::string_view value = Header(header);
    const size_t begin = value.find('<') + 1;
    return std::string(value.substr(begin, value.find('>') - begin));
  }
  uint32_t cseq() const { return Number(Header("CSeq")); }
  std::string_view method() const {
    const std::string_view value = Header("CSeq");
    return value.substr(value.find(' ') + 1);
  }

 private:
  const std::string_view bytes_;
};

Phone::Phone(Surroundings& surroundings, Network& network, PhoneSpec spec)
    : around_(surroundings), network_(network), spec_(std::move(spec)) {
  network_.AddStation(spec_.address, *this);
  ChooseGateway();
  NewCall();
}

void Phone::NewCall() {
  ++calls_;
  call_id_ = fmt::format("{}-{}", spec_.name, calls_);
  from_tag_ = fmt::format("{}{:08x}", spec_.name, around_.dice.Next64() & 0xFFFFFFFF);
  tag_.clear();
  target_.clear();
  etag_.clear();
  cseq_ = 0;
  notify_cseq_ = 0;
  status_by_cseq_.clear();
  ends_at_ = absl::InfinitePast();
}

void Phone::ForgetCall() {
  around_.Record(Forgotten{call_id_});
  NewCall();
}

void Phone::Reboot() {
  around_.Record(Note{spec_.name + " is rebooted"});
  pending_.reset();
  answers_.clear();
  not_before_ = absl::InfinitePast();
  network_.Cut(spec_.address);
  ForgetCall();
}

// ---- what it does ----

void Phone::ActAtRandom() {
  const absl::Time now = around_.clock.Now();
  if (pending_.has_value() || now < not_before_) return;
  const absl::Duration expires = absl::Seconds(20 + around_.dice.Below(300));
  const bool is_on = ends_at_ > now;
  const uint64_t roll = around_.dice.Below(100);
  if (!is_watcher()) {
    if (!is_on || roll < 70) return Publish(true, expires);
    if (roll < 90) return Publish(false, expires);
    return Publish(false, absl::ZeroDuration());
  }
  if (!is_on) return Subscribe(roll < 5 ? absl::ZeroDuration() : expires);
  if (roll < 15) return Subscribe(expires);
  if (roll < 25) return Subscribe(absl::ZeroDuration());
  if (roll < 30) Reboot();
}

void Phone::KeepUp() {
  const absl::Time now = around_.clock.Now();
  if (pending_.has_value() || now < not_before_) return;
  if (ends_at_ > now + absl::Seconds(10) && !is_cut_off_) return;
  if (is_watcher()) {
    Subscribe(absl::Seconds(600));
  } else {
    Publish(ends_at_ <= now, absl::Seconds(600));
  }
}

std::string Phone::Head(std::string_view method, const std::string& uri) {
  const std::string transport = spec_.uses_tcp ? "TCP" : "UDP";
  // Devices, and the list of watchers, are the presentity's own.
  const bool is_stranger = spec_.event == "presence";
  const std::string& self = is_stranger ? spec_.name : spec_.presentity;
  std::string to = fmt::format("<sip:{}@example.com>", spec_.presentity);
  if (!tag_.empty()) to += ";tag=" + tag_;
  return fmt::format(
      "{} {} SIP/2.0\r\nVia: SIP/2.0/{} {};branch=z9hG4bK{}-{};rport\r\nMax-Forwards: 70\r\n"
      "From: <sip:{}@example.com>;tag={}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {} {}\r\n",
      method, uri, transport, spec_.address, spec_.name, ++branches_, self, from_tag_, to, call_id_,
      ++cseq_, method);
}

void Phone::Publish(bool with_body, absl::Duration expires) {
  if (etag_.empty() && !with_body) return;
  Pending request;
  request.method = "PUBLISH";
  request.call_id = call_id_;
  request.bytes = Head(request.method, fmt::format("sip:{}@example.com", spec_.presentity));
  request.cseq = cseq_;
  request.is_removal = expires == absl::ZeroDuration();
  request.bytes += fmt::format("Event: presence\r\nExpires: {}\r\n", absl::ToInt64Seconds(expires));
  if (!etag_.empty()) request.bytes += fmt::format("SIP-If-Match: {}\r\n", etag_);
  // Every text is one of its kind, so that a request carried out twice is seen.
  std::string body = with_body ? fmt::format("{}.{}", spec_.name, ++texts_) : "";
  if (with_body && around_.dice.Chance(around_.faults.refused)) body += kRefusedText;
  if (with_body && spec_.uses_xml) body = PidfOf(spec_.presentity, body);
  if (with_body) {
    request.bytes +=
        fmt::format("Content-Type: {}\r\n", spec_.uses_xml ? "application/pidf+xml" : "text/plain");
  }
  request.bytes += fmt::format("Content-Length: {}\r\n\r\n{}", body.size(), body);
  Send(std::move(request));
}

void Phone::Subscribe(absl::Duration expires) {
  is_cut_off_ = false;
  const bool is_in_dialog = ends_at_ > around_.clock.Now() && !tag_.empty();
  // What was never answered, or has ended, is begun anew.
  if (!is_in_dialog && cseq_ > 0) ForgetCall();
  Pending request;
  request.method = "SUBSCRIBE";
  request.call_id = call_id_;
  request.bytes = Head(
      request.method, is_in_dialog ? target_ : fmt::format("sip:{}@example.com", spec_.presentity));
  request.cseq = cseq_;
  request.is_removal = expires == absl::ZeroDuration();
  if (request.is_removal && !is_in_dialog) fetches_.insert(call_id_);
  request.bytes +=
      fmt::format("Event: {}\r\nExpires: {}\r\nContact: <sip:{}@{}{}>\r\nContent-Length: 0\r\n\r\n",
                  spec_.event, absl::ToInt64Seconds(expires), spec_.name, spec_.address,
                  spec_.uses_tcp ? ";transport=tcp" : "");
  Send(std::move(request));
}

// ---- its client transaction: RFC 3261 §17.1.2 ----

void Phone::Send(Pending request) {
  // A connection is used for as long as it lasts.
  if (!spec_.uses_tcp || !network_.HasFlow(spec_.address, gateway_)) ChooseGateway();
  around_.Record(Asked{spec_.name, request.method, request.call_id, request.cseq});
  request.deadline = around_.clock.Now() + 64 * kT1;
  pending_ = std::move(request);
  Repeat(++pending_number_, kT1);
}

void Phone::Repeat(uint64_t number, absl::Duration interval) {
  if (!pending_.has_value() || number != pending_number_) return;
  if (around_.clock.Now() >= pending_->deadline) {
    around_.Record(Note{spec_.name + " gives up waiting"});
    // What a SUBSCRIBE has done is not known: that dialog is left for a new one.
    const bool starts_anew = pending_->method == "SUBSCRIBE";
    pending_.reset();
    if (starts_anew) ForgetCall();
    return;
  }
  if (!spec_.uses_tcp || interval == kT1) Transmit(pending_->bytes);
  around_.After(interval,
                [this, number, interval] { Repeat(number, std::min(interval * 2, kT2)); });
}

void Phone::Transmit(const std::string& bytes) {
  if (spec_.uses_tcp) {
    network_.SendOverFlow(spec_.address, gateway_, bytes);
  } else {
    network_.SendDatagram(spec_.address, gateway_, bytes);
  }
}

void Phone::ChooseGateway() {
  gateway_ = spec_.gateways[around_.dice.Below(spec_.gateways.size())];
}

void Phone::OnFlowClosed(const std::string& gateway) {
  if (gateway != gateway_ || network_.HasFlow(spec_.address, gateway_)) return;
  ChooseGateway();
  is_cut_off_ = is_watcher() && spec_.uses_tcp;
  if (!pending_.has_value()) return;
  // RFC 3261 §17.1.4: the answer will not come here any more; the same request goes once more.
  around_.After(absl::Milliseconds(200), [this, number = pending_number_] {
    if (pending_.has_value() && number == pending_number_) Transmit(pending_->bytes);
  });
}

// ---- what comes in ----

void Phone::OnMessage(const std::string& bytes, const Origin& origin) {
  const Text text(bytes);
  if (text.is_answer()) return OnAnswer(text);
  if (bytes.starts_with("NOTIFY ")) OnNotify(text, origin);
}

void Phone::OnAnswer(const Text& answer) {
  Answered record;
  record.phone = spec_.name;
  record.method = answer.method();
  record.call_id = answer.Header("Call-ID");
  record.cseq = answer.cseq();
  record.status = answer.status();
  record.tag = record.method == "SUBSCRIBE" ? answer.Parameter("To", "tag") : "";
  record.etag = answer.Header("SIP-ETag");
  record.expires = absl::Seconds(Number(answer.Header("Expires")));
  // What a fetch is answered is not stored anywhere: it is no promise.
  if (!fetches_.contains(record.call_id)) around_.Record(record);
  if (!pending_.has_value() || pending_->call_id != record.call_id ||
      pending_->cseq != record.cseq) {
    return;
  }
  const Pending request = *std::exchange(pending_, std::nullopt);
  if (record.status == 503) {
    not_before_ = around_.clock.Now() +
                  absl::Seconds(std::max<uint32_t>(1, Number(answer.Header("Retry-After"))));
    // The request may have been carried out all the same.
    if (request.method == "SUBSCRIBE") ForgetCall();
    return;
  }
  if (request.method == "PUBLISH") {
    OnPublishAnswer(answer, request);
  } else {
    OnSubscribeAnswer(answer, request);
  }
}

void Phone::OnPublishAnswer(const Text& answer, const Pending& request) {
  const bool is_on = answer.status() == 200 && !request.is_removal;
  etag_ = is_on ? answer.Header("SIP-ETag") : "";
  ends_at_ = is_on ? around_.clock.Now() + absl::Seconds(Number(answer.Header("Expires")))
                   : absl::InfinitePast();
}

void Phone::OnSubscribeAnswer(const Text& answer, const Pending& request) {
  if (answer.status() != 200) {
    // A blocked watcher asks again, but not at once.
    not_before_ = around_.clock.Now() + absl::Seconds(answer.status() == 403 ? 30 : 1);
    return ForgetCall();
  }
  if (request.is_removal) {
    // The last NOTIFY is still to come; the dialog is known until then.
    ends_at_ = absl::InfinitePast();
    return;
  }
  tag_ = answer.Parameter("To", "tag");
  target_ = answer.Uri("Contact");
  ends_at_ = around_.clock.Now() + absl::Seconds(Number(answer.Header("Expires")));
}

// ---- NOTIFYs ----

void Phone::OnNotify(const Text& notify, const Origin& origin) {
  if (mood_ == Mood::kMute) return;
  const std::string branch(notify.Parameter("Via", "branch"));
  std::string& answer = answers_[branch];
  if (answer.empty()) {
    const int status = Take(notify);
    answer = fmt::format(
        "SIP/2.0 {} Answer\r\nVia: {}\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {}\r\n{}"
        "Content-Length: 0\r\n\r\n",
        status, notify.Header("Via"), notify.Header("From"), notify.Header("To"),
        notify.Header("Call-ID"), notify.Header("CSeq"),
        status == 503 ? fmt::format("Retry-After: {}\r\n", 1 + around_.dice.Below(5)) : "");
  }
  network_.Reply(spec_.address, origin, answer);
}

int Phone::Take(const Text& notify) {
  const std::string tag(notify.Parameter("From", "tag"));
  const bool is_mine = notify.Header("Call-ID") == call_id_ &&
                       notify.Parameter("To", "tag") == from_tag_ && (tag_.empty() || tag == tag_);
  if (!is_mine) return 481;
  const uint32_t cseq = notify.cseq();
  Shown shown;
  shown.phone = spec_.name;
  shown.call_id = call_id_;
  shown.tag = tag;
  shown.cseq = cseq;
  shown.event = notify.Header("Event");
  shown.state = notify.Header("Subscription-State");
  shown.state = shown.state.substr(0, shown.state.find(';'));
  shown.body = notify.body();
  const auto before = status_by_cseq_.find(cseq);
  if (before != status_by_cseq_.end()) {
    shown.status = before->second;
  } else if (cseq < notify_cseq_) {
    shown.status = 500;  // RFC 3261 §12.2.2: out of order
  } else {
    shown.status = around_.dice.Chance(around_.faults.busy) ? 503 : 200;
  }
  status_by_cseq_[cseq] = shown.status;
  notify_cseq_ = std::max(notify_cseq_, cseq);
  const bool is_news = before == status_by_cseq_.end() && shown.status == 200;
  around_.Record(shown);
  if (!is_news) return shown.status;
  if (tag_.empty()) {  // RFC 6665 §4.1.2.4: the NOTIFY may come before the 200
    tag_ = tag;
    target_ = notify.Uri("Contact");
  }
  if (shown.state == "terminated") ends_at_ = absl::InfinitePast();
  return shown.status;
}

}  // namespace presence::simulation
