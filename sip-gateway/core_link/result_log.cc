#include "sip-gateway/core_link/result_log.h"

namespace presence::sip {

void ResultLog::Add(v1::NotifyResult result) {
  if (waiting_.size() >= max_waiting_) {
    waiting_.pop_front();
    ++dropped_;
  }
  waiting_.push_back(std::move(result));
}

void ResultLog::MarkFrontWritten(absl::Time now) {
  ForgetOld(now);
  if (written_.size() >= kMaxWritten) written_.pop_front();
  written_.emplace_back(now, std::move(waiting_.front()));
  waiting_.pop_front();
}

void ResultLog::TakeBackWritten(absl::Time now) {
  ForgetOld(now);
  while (!written_.empty()) {
    waiting_.push_front(std::move(written_.back().second));
    written_.pop_back();
  }
  while (waiting_.size() > max_waiting_) {
    waiting_.pop_front();
    ++dropped_;
  }
}

void ResultLog::ForgetOld(absl::Time now) {
  while (!written_.empty() && now - written_.front().first > kWrittenFor) written_.pop_front();
}

}  // namespace presence::sip
