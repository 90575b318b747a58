// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/demo/demo.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "engine/demo/leg.hpp"
#include "engine/signals.hpp"
#include "pmd_glue/eal.hpp"

namespace penstock::engine {
namespace {

constexpr int kFailed = 1;
constexpr int kCannotStart = 2;
constexpr uint32_t kMemoryMb = 128;
constexpr uint32_t kHostPackets = 8191;
constexpr uint16_t kHostDataRoom = 2048;

struct Done {
  LegPlan plan;
  LegResult result;

  bool good() const {
    const MessageCounts& c = result.counts;
    return c.messages == plan.messages && c.lost == 0 && c.out_of_order == 0 && c.corrupt == 0 &&
           c.duplicates == 0 && result.graceful && result.balanced;
  }
  double rate() const {
    return result.seconds > 0 ? static_cast<double>(result.counts.messages) / result.seconds : 0;
  }
  const char* family() const { return plan.ipv6 ? "IPv6" : "IPv4"; }
};

void print_json(const std::vector<Done>& legs) {
  nlohmann::json out{{"legs", nlohmann::json::array()}, {"drops", nlohmann::json::object()}};
  std::map<std::string, uint64_t> drops;
  for (const Done& leg : legs) {
    const MessageCounts& c = leg.result.counts;
    out["legs"].push_back({{"encapsulation", leg.plan.encapsulation},
                           {"ip", leg.plan.ipv6 ? 6 : 4},
                           {"messages", c.messages},
                           {"bytes", c.bytes},
                           {"lost", c.lost},
                           {"out_of_order", c.out_of_order},
                           {"corrupt", c.corrupt},
                           {"duplicates", c.duplicates},
                           {"messages_per_second", leg.rate()},
                           {"tunnel_packets", leg.result.tunnel_packets},
                           {"graceful_shutdown", leg.result.graceful},
                           {"balanced", leg.result.balanced}});
    for (const auto& [reason, n] : leg.result.drops) drops[reason] += n;
  }
  for (const auto& [reason, n] : drops) out["drops"][reason] = n;
  fmt::print("{}\n", out.dump());
}

std::string drops_text(const LegResult& result) {
  std::string text;
  for (const auto& [reason, n] : result.drops)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", n, reason);
  return text.empty() ? "none" : text;
}

void print_table(const std::vector<Done>& legs, const DemoOptions& options) {
  fmt::print("\n{:<15}{:>9}{:>10}{:>6}{:>14}{:>9}{:>12}{:>10}  {}\n", "ENCAPSULATION", "",
             "MESSAGES", "LOST", "OUT OF ORDER", "CORRUPT", "MESSAGES/S", "MB", "GATEWAY DROPS");
  for (const Done& leg : legs) {
    const MessageCounts& c = leg.result.counts;
    fmt::print("{:<15}{:>9}{:>10}{:>6}{:>14}{:>9}{:>12.0f}{:>10.1f}  {}\n", leg.plan.encapsulation,
               leg.family(), c.messages, c.lost, c.out_of_order, c.corrupt, leg.rate(),
               static_cast<double>(c.bytes) / 1e6, drops_text(leg.result));
    if (!leg.result.graceful) fmt::print("  the association did not end by SHUTDOWN\n");
    if (!leg.result.balanced) fmt::print("  the gateways' counters do not balance\n");
  }
  fmt::print(
      "\nEverything ran in this process on virtual wires: the rate is one core's, shared by both\n"
      "hosts and both gateways.\n"
      "\nWhat crossed between the gateways is in {0}. Next:\n"
      "  tshark -r {0} -d udp.port==6080,ip | less\n"
      "                                  SCTP, carried by UDP port 9899, and in IP by UDP port "
      "6080\n"
      "  docs/penstock.toml              a configuration for two NICs\n"
      "  build/engine/penstock run -c …  the same engine on your own ports\n",
      options.capture_file);
}

int fail(const flows::Error& error) {
  fmt::print(stderr, "penstock demo: {}\n", error.message);
  return kCannotStart;
}

}  // namespace

int run_demo(const DemoOptions& wanted) {
  const Signals signals;
  DemoOptions options = wanted;
  pmd_glue::EalOptions eal_options;
  eal_options.memory_kind = pmd_glue::EalOptions::Memory::none;
  eal_options.memory_mb = kMemoryMb;
  eal_options.file_prefix = fmt::format("penstock_demo{}", getpid());
  auto eal = pmd_glue::Eal::start(eal_options);
  if (!eal) return fail(eal.error());
  auto pool = pmd_glue::PacketPool::create("demo_hosts", kHostPackets, kHostDataRoom, -1);
  if (!pool) return fail(pool.error());
  auto capture = PcapngWriter::open(options.capture_file);
  if (!capture && options.capture_file == DemoOptions{}.capture_file) {
    options.capture_file = "/tmp/" + options.capture_file;  // a folder that is not ours to write
    capture = PcapngWriter::open(options.capture_file);
  }
  if (!capture) return fail(capture.error());
  auto stack = UsrsctpStack::create();
  if (!stack) return fail(stack.error());

  const bool terminal = isatty(STDERR_FILENO);
  bool ended = false;
  std::vector<Done> done;
  for (const auto& [encapsulation, ipv6] :
       {std::pair{"sctp-udp", false}, {"sctp-udp", true}, {"ip-udp", false}, {"ip-udp", true}}) {
    if (ended) break;
    Done leg{{encapsulation, ipv6, options.messages}, {}};
    const std::string title = fmt::format("{} over {}", leg.plan.encapsulation, leg.family());
    if (!terminal) fmt::print(stderr, "{}: {} messages\n", title, options.messages);
    LegTools tools{**stack, *pool, *capture,
                   [&](uint32_t messages) {
                     if (terminal)
                       fmt::print(stderr, "\r{}: {} of {} messages sent ", title, messages,
                                  options.messages);
                   },
                   [&] { return ended = ended || signals.asked_to_end(); }};
    auto result = run_leg(leg.plan, tools);
    if (terminal) fmt::print(stderr, "\r{:60}\r", "");
    if (!result) return fail(result.error());
    leg.result = std::move(*result);
    done.push_back(std::move(leg));
  }
  if (!capture->close())
    fmt::print(stderr, "penstock demo: the capture is incomplete: disk full?\n");

  if (options.json)
    print_json(done);
  else
    print_table(done, options);
  const bool good = std::all_of(done.begin(), done.end(), [](const Done& d) { return d.good(); });
  return good && !ended ? 0 : kFailed;
}

}  // namespace penstock::engine
