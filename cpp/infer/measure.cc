#include "infer/measure.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "base/error.h"
#include "infer/json.h"
#include "infer/present.h"

namespace slipway::infer {

namespace {

/// The nearest-rank percentile of sorted values.
double percentile(const std::vector<double>& sorted, double share) {
  const double rank = std::ceil(share * static_cast<double>(sorted.size()));
  return sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

std::vector<double> microseconds_of(const Engine& engine, const std::vector<Tensor>& inputs,
                                    const Arguments& arguments) {
  using Clock = std::chrono::steady_clock;
  for (int i = 0; i < arguments.warmup; ++i) (void)engine.run(inputs);
  std::vector<double> times;
  times.reserve(static_cast<std::size_t>(arguments.iterations));
  for (int i = 0; i < arguments.iterations; ++i) {
    const Clock::time_point begin = Clock::now();
    (void)engine.run(inputs);
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
  }
  std::sort(times.begin(), times.end());
  return times;
}

}  // namespace

void measure(const Engine& engine, const std::vector<Tensor>& inputs, int64_t batch, const Arguments& arguments) {
  const std::vector<double> times = microseconds_of(engine, inputs, arguments);
  const double mean = std::accumulate(times.begin(), times.end(), 0.0) / static_cast<double>(times.size());
  const double p50 = percentile(times, 0.50);
  const double p90 = percentile(times, 0.90);
  const double p99 = percentile(times, 0.99);
  const double throughput = static_cast<double>(std::max<int64_t>(batch, 1)) * 1e6 / mean;
  if (!arguments.json) {
    char text[400];
    std::snprintf(text, sizeof text,
                  "latency of %d runs, batch %lld, threads %d: p50 %.1f us, p90 %.1f us, p99 %.1f us, mean %.1f us, "
                  "smallest %.1f us, largest %.1f us, %.1f per second\n",
                  arguments.iterations, static_cast<long long>(std::max<int64_t>(batch, 1)), arguments.engine.threads,
                  p50, p90, p99, mean, times.front(), times.back(), throughput);
    return print(text);
  }
  std::string text = "{\"bundle\": ";
  append_json(text, arguments.model);
  text += concat(", \"runtime\": \"", engine.runtime(), "\", \"device\": \"", arguments.engine.device,
                 "\", \"batch\": ", std::max<int64_t>(batch, 1), ", \"threads\": ", arguments.engine.threads);
  const std::pair<const char*, double> numbers[] = {
      {"p50_us", p50}, {"p90_us", p90}, {"p99_us", p99}, {"mean_us", mean}, {"throughput_per_s", throughput}};
  for (const auto& [name, number] : numbers) text += concat(", \"", name, "\": ", number_text(number));
  print(text + concat(", \"samples\": ", times.size(),
                      ", \"transfers_included\": ", arguments.engine.device == "cpu" ? "false" : "true", "}\n"));
}

}  // namespace slipway::infer
