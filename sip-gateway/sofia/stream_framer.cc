#include <algorithm>

#include "sip-gateway/sofia/head_scan.h"
#include "sip-gateway/sofia/prescan.h"

namespace presence::sip {
namespace {

constexpr std::string_view kPing = "\r\n\r\n";
constexpr std::string_view kEndOfHead = "\r\n\r\n";
constexpr Fault kNoLength{400, "Missing Content-Length"};
constexpr Fault kTooLarge{513, "Message Too Large"};

// Whether `bytes` from `begin` on hold what no head may hold. A CR that is last may still get its
// LF.
bool HasStrayByte(std::string_view bytes, size_t begin) {
  for (size_t i = begin; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (c > '\r') continue;  // nearly all of them
    if (c == '\0') return true;
    if (c == '\n' && (i == 0 || bytes[i - 1] != '\r')) return true;
    if (c == '\r' && i + 1 < bytes.size() && bytes[i + 1] != '\n') return true;
  }
  return false;
}

}  // namespace

void StreamFramer::Feed(std::string_view bytes) {
  if (is_broken_) return;
  buffer_.erase(0, consumed_);
  consumed_ = 0;
  buffer_.append(bytes);
}

bool StreamFramer::has_partial_message() const {
  const std::string_view pending = std::string_view(buffer_).substr(consumed_);
  return !is_broken_ && !kPing.starts_with(pending);
}

StreamFramer::Event StreamFramer::Next() {
  if (is_broken_) return NeedMore{};
  const std::string_view pending = std::string_view(buffer_).substr(consumed_);
  if (kPing.starts_with(pending) && pending.size() < kPing.size()) return NeedMore{};
  if (pending.starts_with(kPing)) {
    consumed_ += kPing.size();
    return KeepAlive{true};
  }
  if (pending.starts_with("\r\n")) {
    // RFC 3261 7.5: a CRLF before the start line is ignored; RFC 5626 4.4.1: it may be a pong.
    consumed_ += 2;
    return KeepAlive{false};
  }
  return ScanBuffered();
}

StreamFramer::Event StreamFramer::ScanBuffered() {
  const std::string_view pending = std::string_view(buffer_).substr(consumed_);
  if (message_size_ > pending.size()) return NeedMore{};

  if (message_size_ == 0) {
    // Look at each byte once however small the pieces are: three bytes back, the end of head may
    // straddle.
    const size_t from = head_scanned_ < 3 ? 0 : head_scanned_ - 3;
    if (pending.find(kEndOfHead, from) == std::string_view::npos) {
      const bool is_hopeless = HasStrayByte(pending, head_scanned_ == 0 ? 0 : head_scanned_ - 1) ||
                               pending.size() >= limits_.max_head_bytes;
      head_scanned_ = pending.size();
      if (!is_hopeless) return NeedMore{};
    }
  }

  HeadScan scan = ScanHead(pending, limits_);
  if (scan.fault) return Break(RefusalOf(scan, *scan.fault));
  if (!scan.content_length) return Break(RefusalOf(scan, kNoLength));
  const size_t size = scan.head_size + size_t{*scan.content_length};
  if (size > limits_.max_message_bytes) return Break(RefusalOf(scan, kTooLarge));
  message_size_ = size;
  if (size > pending.size()) return NeedMore{};

  scan.message.bytes = pending.substr(0, size);
  scan.message.body = pending.substr(scan.head_size, size - scan.head_size);
  consumed_ += size;
  head_scanned_ = 0;
  message_size_ = 0;
  return std::move(scan.message);
}

Refusal StreamFramer::Break(Refusal refusal) {
  // The bytes stay: the refusal's views point into them.
  is_broken_ = true;
  return refusal;
}

}  // namespace presence::sip
