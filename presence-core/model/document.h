#ifndef PRESENCE_CORE_MODEL_DOCUMENT_H_
#define PRESENCE_CORE_MODEL_DOCUMENT_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace presence {

// A typed body. Immutable: copies share the bytes, so one publication on its way to a thousand
// watchers is stored once. A value.
class Document {
 public:
  Document() = default;
  // `content_type` in lower case and without parameters.
  Document(std::string content_type, std::string body)
      : content_type_(std::make_shared<const std::string>(std::move(content_type))),
        body_(std::make_shared<const std::string>(std::move(body))) {}

  std::string_view content_type() const {
    return content_type_ ? std::string_view(*content_type_) : std::string_view();
  }
  std::string_view body() const { return body_ ? std::string_view(*body_) : std::string_view(); }
  bool empty() const { return body_ == nullptr || body_->empty(); }
  // The shared bytes, for those who send the same body to many and want to know it is the same.
  const std::shared_ptr<const std::string>& shared_body() const { return body_; }

  friend bool operator==(const Document& a, const Document& b) {
    return a.content_type() == b.content_type() && a.body() == b.body();
  }

 private:
  std::shared_ptr<const std::string> content_type_;
  std::shared_ptr<const std::string> body_;
};

}  // namespace presence

#endif  // PRESENCE_CORE_MODEL_DOCUMENT_H_
