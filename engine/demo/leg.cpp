// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/demo/leg.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>

#include "engine/demo/host.hpp"
#include "engine/demo/message_source.hpp"
#include "engine/engine.hpp"
#include "pmd_glue/clock.hpp"
#include "pmd_glue/ring_wire.hpp"

namespace penstock::engine {
namespace {

using flows::Error;
using flows::Result;
using pmd_glue::Packet;
using pmd_glue::RingEnd;

constexpr uint16_t kStreams = 16;
constexpr uint64_t kSeed = 6951;
constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kMillisecond = 1'000'000;
constexpr uint64_t kPatience = 10 * kSecond;   // without a message, the leg is over
constexpr uint32_t kCapturedPackets = 20'000;  // a leg; a capture to look at, not to archive
constexpr uint32_t kSourceTurn = 64;           // messages sent between two looks at the network

/// The addresses of one side, west (1) or east (2).
struct Side {
  int number;
  bool ipv6;

  std::string network() const {
    return ipv6 ? fmt::format("2001:db8:{}::/64", number) : fmt::format("10.{}.0.0/24", number);
  }
  std::string gateway() const {
    return ipv6 ? fmt::format("2001:db8:{}::1", number) : fmt::format("10.{}.0.1", number);
  }
  std::string host() const {
    return ipv6 ? fmt::format("2001:db8:{}::7", number) : fmt::format("10.{}.0.7", number);
  }
  std::string tunnel_end() const {
    return ipv6 ? fmt::format("2001:db8:ff::{}", number) : fmt::format("192.0.2.{}", number);
  }
  int length() const { return ipv6 ? 64 : 24; }
};

/// What a tunnel of this kind is told beside name, kind and port.
std::string tunnel_keys(const LegPlan& plan, const Side& near, const Side& far) {
  if (plan.encapsulation == "ip-udp")
    return fmt::format("peer = \"{}\"", to_string(PeerConfig{*flows::parse_ip(far.tunnel_end()),
                                                             flows::kIpUdpPort}));
  return fmt::format("hosts = [\"{}\"]\nsources = [\"{}\"]", near.network(), far.network());
}

// The wire between the gateways is wide enough for a full packet and its coat.
std::string configuration(const LegPlan& plan, const Side& near, const Side& far) {
  return fmt::format(R"([[port]]
name = "access"
device = "net_demo{0}a"
address = ["{1}/{2}"]
[[port]]
name = "wan"
device = "net_demo{0}w"
address = ["{3}/{2}"]
mtu = 1600
[[route]]
to = "{4}"
next-hop = "{5}"
[[tunnel]]
name = "far-side"
via = "{6}"
port = "wan"
{7}
[[rule]]
name = "to-far-side"
from = "access"
to = "{4}"
tunnel = ["far-side"]
)",
                     near.number, near.gateway(), near.length(), near.tunnel_end(), far.network(),
                     far.tunnel_end(), plan.encapsulation, tunnel_keys(plan, near, far));
}

/// A gateway with the free ends of its wires.
struct Gateway {
  Gateway() = default;
  Gateway(Gateway&&) = default;
  Gateway& operator=(Gateway&&) = default;
  // What the engine has put on the wires is of its pools: it goes first, then the engine with its
  // ports, then the wires.
  ~Gateway() {
    for (RingEnd* end : {access.get(), wan.get()}) {
      Packet packet;
      while (end != nullptr && end->receive(&packet, 1) == 1) pmd_glue::free_packet(packet);
    }
    engine.reset();
  }

  std::unique_ptr<RingEnd> access, wan;
  std::unique_ptr<Engine> engine;
};

Result<std::unique_ptr<RingEnd>> make_end(const std::string& device) {
  auto end = RingEnd::create(device, 1);
  if (!end) return end.error();
  return std::make_unique<RingEnd>(std::move(*end));
}

Result<Gateway> make_gateway(const LegPlan& plan, const Side& near, const Side& far, uint64_t now) {
  const std::string text = configuration(plan, near, far);
  auto parsed = parse_config(text, "demo.toml");
  if (const auto* errors = std::get_if<ConfigErrors>(&parsed))
    return Error{fmt::format("{}", fmt::join(errors->lines, "\n"))};
  const Config& config = std::get<Config>(parsed);
  Gateway gateway;
  auto access = make_end(config.ports[0].device);
  if (!access) return access.error();
  gateway.access = std::move(*access);
  auto wan = make_end(config.ports[1].device);
  if (!wan) return wan.error();
  gateway.wan = std::move(*wan);
  EngineOptions options;
  options.pool_prefix =
      fmt::format("demo{}{}{}", near.number, near.ipv6 ? "v6" : "v4", plan.encapsulation);
  options.now_ns = now;
  auto engine = Engine::create(config, options);
  if (!engine) return engine.error();
  gateway.engine = std::move(*engine);
  return gateway;
}

Result<std::unique_ptr<Host>> make_host(UsrsctpStack& stack, const Side& near, const Side& far) {
  HostOptions host;
  host.mac = {{0x02, 0, 0, 0, 0, static_cast<uint8_t>(near.number)}};
  host.address = *flows::parse_prefix(fmt::format("{}/{}", near.host(), near.length()));
  host.gateway = *flows::parse_ip(near.gateway());
  host.peer = *flows::parse_ip(far.host());
  AssociationOptions association;
  association.local_port = {3868};
  association.remote_port = {3868};
  association.outbound_streams = kStreams;
  return Host::create(stack, host, association);
}

class Leg {
 public:
  Leg(const LegPlan& plan, LegTools& tools, std::array<Gateway, 2> gateways,
      std::array<std::unique_ptr<Host>, 2> hosts)
      : plan_(plan),
        tools_(tools),
        gateways_(std::move(gateways)),
        hosts_(std::move(hosts)),
        source_(kSeed, kStreams, plan.messages),
        check_(kStreams, plan.messages) {
    interface_ = tools.capture.add_interface(
        fmt::format("tunnel {} {}", plan.encapsulation, plan.ipv6 ? "IPv6" : "IPv4"));
  }

  Result<LegResult> run() {
    if (auto r = hosts_[1]->association().listen(); !r) return r.error();
    now_ = last_progress_ = pmd_glue::now_ns();
    wait_for_tunnels();
    if (auto r = hosts_[0]->association().connect(); !r) return r.error();
    const uint64_t begin = pmd_glue::now_ns();
    now_ = last_progress_ = begin;
    while (!check_.complete() && now_ - last_progress_ < kPatience && !told_to_end_) turn();
    result_.seconds = static_cast<double>(now_ - begin) / 1e9;
    result_.counts = check_.counts();
    end_association();
    report();
    return result_;
  }

 private:
  // Gateways first find each other: what came before would be dropped.
  void wait_for_tunnels() {
    const uint64_t until = now_ + 2 * kSecond;
    const auto up = [&](const Gateway& g) {
      return g.engine->report(now_).tunnels.front().state == "up";
    };
    while (!(up(gateways_[0]) && up(gateways_[1])) && now_ < until) {
      last_progress_ = now_;
      turn();
    }
  }

  void turn() {
    now_ = std::max(pmd_glue::now_ns(), last_progress_);
    if (now_ - advanced_ >= kMillisecond) {
      advanced_ = now_;
      tools_.stack.advance(now_);
      for (auto& host : hosts_) host->advance(now_);
      if (now_ - tended_ >= kSecond / 10) {
        tended_ = now_;
        for (Gateway& g : gateways_) g.engine->tend(now_);
        tools_.progress(source_.sent());
        told_to_end_ = told_to_end_ || tools_.told_to_end();
      }
    }
    send_messages();
    for (size_t i = 0; i < 2; ++i) {
      host_to_wire(*hosts_[i], *gateways_[i].access, pending_[i]);
      gateways_[i].engine->step(now_);
      wire_to_host(*gateways_[i].access, *hosts_[i]);
      across(*gateways_[i].wan, *gateways_[1 - i].wan);
    }
    take_events();
  }

  void send_messages() {
    Association& west = hosts_[0]->association();
    for (uint32_t i = 0; i < kSourceTurn && west.is_up() && !source_.done(); ++i) {
      const SourceMessage& m = source_.current();
      if (west.send(m.stream, m.ppid, false, m.bytes) != SendStatus::sent) return;
      source_.advance();
    }
  }

  void host_to_wire(Host& host, RingEnd& end, std::optional<std::vector<uint8_t>>& pending) {
    for (;;) {
      if (!pending) pending = host.next_frame();
      if (!pending) return;
      Packet packet = tools_.pool.allocate();
      if (!packet) return;
      packet.set_length(static_cast<uint16_t>(pending->size()));
      std::copy(pending->begin(), pending->end(), packet.data());
      if (!end.send(packet)) return pmd_glue::free_packet(packet);  // full: the same one later
      pending.reset();
    }
  }

  void wire_to_host(RingEnd& end, Host& host) {
    Packet packet;
    while (end.receive(&packet, 1) == 1) {
      host.receive(packet.bytes(), now_);
      pmd_glue::free_packet(packet);
    }
  }

  void across(RingEnd& from, RingEnd& to) {
    Packet packet;
    while (from.receive(&packet, 1) == 1) {
      if (result_.tunnel_packets++ < kCapturedPackets)
        tools_.capture.write(interface_, wall_clock_ns(), packet.bytes());
      // A copy, as on any wire: no buffer of one gateway ever belongs to the other.
      const Packet copy = pmd_glue::copy_packet(packet, tools_.pool);
      pmd_glue::free_packet(packet);
      if (copy && !to.send(copy)) pmd_glue::free_packet(copy);
    }
  }

  void take_events() {
    for (size_t i = 0; i < 2; ++i)
      while (auto event = hosts_[i]->association().poll()) {
        if (const auto* message = std::get_if<MessageReceived>(&*event)) {
          last_progress_ = now_;
          if (i == 1) check_.take(message->stream, message->ppid, message->bytes);
        } else if (const auto* down = std::get_if<AssociationDown>(&*event)) {
          ended_[i] = true;
          graceful_[i] = down->reason == DownReason::shutdown;
        }
      }
  }

  void end_association() {
    if (told_to_end_) return hosts_[0]->association().abort();
    hosts_[0]->association().shutdown();
    const uint64_t until = now_ + 2 * kSecond;
    while (!(ended_[0] && ended_[1]) && now_ < until) {
      last_progress_ = now_;
      turn();
    }
    result_.graceful = graceful_[0] && graceful_[1];
  }

  void report() {
    result_.balanced = true;
    for (Gateway& g : gateways_) {
      const Report r = g.engine->report(now_);
      for (const PortReport& p : r.ports) result_.balanced &= p.counters.balance() == 0;
      for (const DropReport& d : r.drops) result_.drops[d.reason] += d.packets;
    }
  }

  static uint64_t wall_clock_ns() {
    return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                     std::chrono::system_clock::now().time_since_epoch())
                                     .count());
  }

  const LegPlan& plan_;
  LegTools& tools_;
  std::array<Gateway, 2> gateways_;
  std::array<std::unique_ptr<Host>, 2> hosts_;
  std::array<std::optional<std::vector<uint8_t>>, 2> pending_;
  MessageSource source_;
  MessageCheck check_;
  LegResult result_;
  uint32_t interface_ = 0;
  bool told_to_end_ = false;
  std::array<bool, 2> ended_{}, graceful_{};
  uint64_t now_ = 0, advanced_ = 0, tended_ = 0, last_progress_ = 0;
};

}  // namespace

Result<LegResult> run_leg(const LegPlan& plan, LegTools& tools) {
  const std::array<Side, 2> sides{Side{1, plan.ipv6}, Side{2, plan.ipv6}};
  std::array<Gateway, 2> gateways;
  std::array<std::unique_ptr<Host>, 2> hosts;
  for (size_t i = 0; i < 2; ++i) {
    auto gateway = make_gateway(plan, sides[i], sides[1 - i], pmd_glue::now_ns());
    if (!gateway) return gateway.error();
    gateways[i] = std::move(*gateway);
    auto host = make_host(tools.stack, sides[i], sides[1 - i]);
    if (!host) return host.error();
    hosts[i] = std::move(*host);
  }
  Leg leg(plan, tools, std::move(gateways), std::move(hosts));
  return leg.run();
}

}  // namespace penstock::engine
