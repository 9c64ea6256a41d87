#ifndef PRESENCE_TELEMETRY_METRICS_PAGE_H_
#define PRESENCE_TELEMETRY_METRICS_PAGE_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace presence {

// A metric, with what it means when its value rises. No name has a user in it.
struct MetricName {
  const char* name;
  const char* help;
};

// What /metrics answers, as it is written. For one thread.
class MetricsPage {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  // A number that only rises, or one that is as it is now. Those of one name stand together, each
  // with labels of its own.
  void Counter(const MetricName& name, uint64_t value, Labels labels = {});
  void Gauge(const MetricName& name, double value, Labels labels = {});

  // In the text format of Prometheus.
  std::string Text() const;

 private:
  struct Sample {
    double value;
    Labels labels;
  };
  struct Family {
    MetricName name;
    bool is_counter;
    std::vector<Sample> samples;
  };

  void Add(const MetricName& name, bool is_counter, Sample sample);

  std::vector<Family> families_;
};

}  // namespace presence

#endif  // PRESENCE_TELEMETRY_METRICS_PAGE_H_
