#include "sip-gateway/transaction/answer_cache.h"

namespace presence::sip {

AnswerCache::AnswerCache(absl::Time start, absl::Duration lifetime, size_t max_answers)
    : start_(start),
      lifetime_(lifetime),
      max_answers_(max_answers),
      index_(0, PlaceHash{this}, PlaceEqual{this}) {}

size_t AnswerCache::PlaceHash::operator()(uint32_t place) const {
  return (*this)(cache->At(place).key);
}

size_t AnswerCache::PlaceHash::operator()(const TransactionKey& key) const {
  return static_cast<size_t>(key.low);  // a hash already
}

bool AnswerCache::PlaceEqual::operator()(uint32_t place, const TransactionKey& key) const {
  return cache->At(place).key == key;
}

bool AnswerCache::PlaceEqual::operator()(const TransactionKey& key, uint32_t place) const {
  return cache->At(place).key == key;
}

uint32_t AnswerCache::Millis(absl::Time t) const {
  return static_cast<uint32_t>(absl::ToInt64Milliseconds(t - start_));
}

void AnswerCache::Put(const TransactionKey& key, const StoredAnswer& answer, absl::Time now) {
  if (max_answers_ == 0 || index_.contains(key)) return;
  if (entries_.size() >= max_answers_) {
    DropOldest();
    ++evicted_;
  }
  entries_.push_back({.key = key, .answer = answer, .millis = Millis(now)});
  index_.insert(first_place_ + static_cast<uint32_t>(entries_.size() - 1));
}

const StoredAnswer* AnswerCache::Find(const TransactionKey& key) const {
  const auto it = index_.find(key);
  return it == index_.end() ? nullptr : &At(*it).answer;
}

void AnswerCache::DropOldest() {
  index_.erase(first_place_);
  entries_.pop_front();
  ++first_place_;
}

absl::Time AnswerCache::Expire(absl::Time now) {
  const auto lifetime = static_cast<uint32_t>(absl::ToInt64Milliseconds(lifetime_));
  const uint32_t millis = Millis(now);
  while (!entries_.empty() && millis - entries_.front().millis >= lifetime) DropOldest();
  if (entries_.empty()) return absl::InfiniteFuture();
  const uint32_t age = millis - entries_.front().millis;
  return now + lifetime_ - absl::Milliseconds(age);
}

}  // namespace presence::sip
