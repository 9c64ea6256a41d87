#include "telemetry/metrics_page.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <string_view>

namespace presence {

void MetricsPage::Counter(const MetricName& name, uint64_t value, Labels labels) {
  Add(name, true, {static_cast<double>(value), std::move(labels)});
}

void MetricsPage::Gauge(const MetricName& name, double value, Labels labels) {
  Add(name, false, {value, std::move(labels)});
}

void MetricsPage::Add(const MetricName& name, bool is_counter, Sample sample) {
  const auto family = std::find_if(families_.begin(), families_.end(), [&name](const Family& f) {
    return std::string_view(f.name.name) == name.name;
  });
  if (family != families_.end()) {
    family->samples.push_back(std::move(sample));
  } else {
    families_.push_back({name, is_counter, {std::move(sample)}});
  }
}

std::string MetricsPage::Text() const {
  std::vector<prometheus::MetricFamily> families;
  for (const Family& family : families_) {
    prometheus::MetricFamily& out = families.emplace_back();
    out.name = family.name.name;
    out.help = family.name.help;
    out.type = family.is_counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
    for (const Sample& sample : family.samples) {
      prometheus::ClientMetric& metric = out.metric.emplace_back();
      for (const auto& [name, value] : sample.labels) {
        prometheus::ClientMetric::Label& label = metric.label.emplace_back();
        label.name = name;
        label.value = value;
      }
      (family.is_counter ? metric.counter.value : metric.gauge.value) = sample.value;
    }
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace presence
