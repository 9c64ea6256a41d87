#ifndef PRESENCE_TESTS_SIMULATION_PHONE_H_
#define PRESENCE_TESTS_SIMULATION_PHONE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/network.h"
#include "tests/simulation/surroundings.h"

namespace presence::simulation {

struct PhoneSpec {
  std::string name;                   // user part of its address
  std::string address;                // "192.0.2.10:5060"
  std::vector<std::string> gateways;  // the same of those it may use
  std::string presentity;
  std::string event;  // "presence" or "presence.winfo"; empty: it publishes
  bool uses_tcp = false;
  bool is_behind_nat = false;
  bool uses_xml = false;
};

// A phone that publishes its user's state, or watches somebody's, over real SIP messages. It
// repeats requests until they are answered, gives up after 32 s and starts anew; answers NOTIFYs as
// its mood is; and forgets everything when it is rebooted.
class Phone final : public Station {
 public:
  enum class Mood { kFine, kMute };

  Phone(Surroundings& surroundings, Network& network, PhoneSpec spec);

  const PhoneSpec& spec() const { return spec_; }
  bool is_watcher() const { return !spec_.event.empty(); }
  void SetMood(Mood mood) { mood_ = mood; }

  // Does something a phone does: whatever the dice say.
  void ActAtRandom();
  // Does what must be done to stay where it is: subscribes, refreshes what ends soon.
  void KeepUp();
  void Reboot();

  void OnMessage(const std::string& bytes, const Origin& origin) override;
  void OnFlowClosed(const std::string& gateway) override;
  bool AcceptsConnections() const override { return !spec_.is_behind_nat; }

 private:
  struct Pending {
    std::string method;
    uint32_t cseq = 0;
    std::string call_id;
    std::string bytes;
    absl::Time deadline;
    bool is_removal = false;
  };
  class Text;

  void Publish(bool with_body, absl::Duration expires);
  void Subscribe(absl::Duration expires);
  void Send(Pending request);
  void Repeat(uint64_t number, absl::Duration interval);
  void Transmit(const std::string& bytes);
  void ChooseGateway();
  void NewCall();
  void ForgetCall();

  void OnAnswer(const Text& answer);
  void OnPublishAnswer(const Text& answer, const Pending& request);
  void OnSubscribeAnswer(const Text& answer, const Pending& request);
  void OnNotify(const Text& notify, const Origin& origin);
  int Take(const Text& notify);

  std::string Head(std::string_view method, const std::string& uri);

  Surroundings& around_;
  Network& network_;
  const PhoneSpec spec_;
  Mood mood_ = Mood::kFine;

  std::string gateway_;  // it sends its requests to
  // The connection its dialog came over is lost: only a new SUBSCRIBE over another binds the dialog
  // to that; one that is repeated there is answered and nothing more.
  bool is_cut_off_ = false;
  std::string call_id_;
  std::string from_tag_;
  std::string tag_;     // the other side's, in a dialog
  std::string target_;  // its Contact
  std::string etag_;
  uint32_t cseq_ = 0;
  uint64_t calls_ = 0;
  uint64_t branches_ = 0;
  uint64_t texts_ = 0;
  absl::Time ends_at_ = absl::InfinitePast();  // of the publication or subscription
  absl::Time not_before_ = absl::InfinitePast();

  std::optional<Pending> pending_;
  uint64_t pending_number_ = 0;
  std::set<std::string> fetches_;  // Call-IDs
  uint32_t notify_cseq_ = 0;
  std::map<std::string, std::string> answers_;  // to NOTIFYs, by branch
  std::map<uint32_t, int> status_by_cseq_;
};

}  // namespace presence::simulation

#endif  // PRESENCE_TESTS_SIMULATION_PHONE_H_
