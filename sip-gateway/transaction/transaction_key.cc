#include "sip-gateway/transaction/transaction_key.h"

#include "sip-gateway/transaction/sip_hash.h"

namespace presence::sip {

TransactionKey KeyHasher::KeyOf(const Message& request, std::string_view method) const {
  const Via& via = request.top_via();
  SipHash128 hash(secret_high_, secret_low_);
  hash.Add(method);
  hash.Add(request.call_id());
  hash.Add(request.cseq());
  hash.Add(request.from().tag);
  if (via.has_magic_cookie()) {
    hash.Add(via.branch);
    // RFC 3261 §20.42: host names are compared without case; 0 is the port left out, which is not
    // 5060 written out.
    hash.AddLowerCase(via.host);
    hash.Add(via.port);
  } else {
    hash.Add(request.request_uri_text());
    hash.Add(request.to().tag);
    hash.Add(via.text);
  }
  return hash.Finish();
}

TransactionKey KeyHasher::MergeKeyOf(const Message& request) const {
  SipHash128 hash(secret_high_, secret_low_);
  hash.Add(request.method());
  hash.Add(request.call_id());
  hash.Add(request.cseq());
  hash.Add(request.from().tag);
  return hash.Finish();
}

}  // namespace presence::sip
