// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// One engine between two in-process rings, stepped by hand on a fake clock: core0 (10.10.0.0/24)
// and wan0 (203.0.113.0/24), with the one host that packet_builders.hpp knows on each.

#include <gtest/gtest.h>
#include <rte_mempool.h>

#include <string>
#include <variant>

#include "engine/engine.hpp"
#include "flows/arp.hpp"
#include "pmd_glue/ring_wire.hpp"
#include "tests/unit/glue_environment.hpp"
#include "tests/unit/packet_builders.hpp"

namespace penstock::engine {

using test::Bytes;

inline constexpr size_t kCore = 0, kWan = 1;
inline const flows::MacAddress kMacs[] = {test::mac("02:00:00:00:00:01"),
                                          test::mac("02:00:00:00:00:02")};
inline const flows::MacAddress kHostMacs[] = {test::mac("02:00:00:00:01:07"),
                                              test::mac("02:00:00:00:02:05")};
inline constexpr uint64_t kMs = 1'000'000;

inline Config parsed(const std::string& toml) {
  auto result = parse_config(toml, "test.toml");
  if (const auto* errors = std::get_if<ConfigErrors>(&result)) {
    for (const std::string& line : errors->lines) ADD_FAILURE() << line;
    return {};
  }
  return std::get<Config>(std::move(result));
}

/// The base network, and what a test adds.
inline Config config_with(const std::string& more, const std::string& engine_keys = "") {
  return parsed("[engine]\n" + engine_keys + R"(
[[port]]
name = "core0"
device = "net_ring0"
mac = "02:00:00:00:00:01"
address = ["10.10.0.1/24"]
[[port]]
name = "wan0"
device = "net_ring1"
mac = "02:00:00:00:00:02"
address = ["203.0.113.1/24"]
)" + more);
}

inline std::string tunnel_text(const std::string& name, int listen) {
  return "[[tunnel]]\nname = \"" + name +
         "\"\nvia = \"sctp-udp\"\nport = \"wan0\"\nlisten = " + std::to_string(listen) +
         "\nhosts = [\"10.10.0.0/24\"]\nsources = [\"203.0.113.0/24\"]\n";
}
inline std::string into_tunnel(const std::string& name) {
  return "[[rule]]\nname = \"to-" + name + "\"\nfrom = \"core0\"\ntunnel = [\"" + name + "\"]\n";
}

class RingGateway {
 public:
  explicit RingGateway(Config config, uint16_t queues = 1, uint32_t ring_size = 1024)
      : prefix_("eg" + std::to_string(++instances()) + "_") {
    for (size_t i = 0; i < config.ports.size(); ++i) {
      const std::string device = "net_" + prefix_ + std::to_string(i);
      auto end = pmd_glue::RingEnd::create(device, queues, ring_size);
      if (!end) ADD_FAILURE() << end.error().message;
      ends_.push_back(std::move(*end));
      config.ports[i].device = device;
    }
    EngineOptions options;
    options.workers = queues;
    options.pool_prefix = prefix_;
    options.now_ns = now_;
    auto created = Engine::create(config, options);
    if (!created) ADD_FAILURE() << created.error().message;
    engine_ = std::move(*created);
    advance(100);  // the engine announces itself
    drain(kCore);
    drain(kWan);
    engine_->clear_counters();
  }
  ~RingGateway() {
    for (size_t i = 0; i < ends_.size(); ++i) drain(i);
    engine_.reset();
  }

  Engine& engine() { return *engine_; }
  uint64_t now() const { return now_; }
  Report report() { return engine_->report(now_); }
  pmd_glue::RingEnd& end(size_t port) { return ends_[port]; }
  const std::string& device(size_t port) const { return engine_->config().ports[port].device; }

  /// The same ports under a configuration to reload.
  flows::Result<std::vector<std::string>> reload(Config config) {
    for (size_t i = 0; i < config.ports.size(); ++i) config.ports[i].device = device(i);
    return engine_->reload(config);
  }

  bool inject(pmd_glue::PacketPool& pool, size_t port, const Bytes& frame, uint16_t queue = 0) {
    pmd_glue::Packet packet = pool.allocate();
    if (!packet) return false;
    packet.set_length(static_cast<uint16_t>(frame.size()));
    std::copy(frame.begin(), frame.end(), packet.data());
    if (ends_[port].send(packet, queue)) return true;
    pmd_glue::free_packet(packet);
    return false;
  }

  void settle() {
    while (engine_->step(now_)) {
    }
  }
  void advance(uint64_t ms) {
    for (uint64_t i = 0; i < ms; i += 10) {
      now_ += 10 * kMs;
      settle();
    }
  }

  /// What the port sent; of all queues, or of one.
  std::vector<Bytes> drain(size_t port, int queue = -1) {
    std::vector<Bytes> frames;
    pmd_glue::Packet p;
    while ((queue < 0 ? ends_[port].receive(&p, 1)
                      : ends_[port].receive(static_cast<uint16_t>(queue), &p, 1)) == 1) {
      frames.emplace_back(p.data(), p.data() + p.length());
      pmd_glue::free_packet(p);
    }
    return frames;
  }

  /// Both hosts ask for the engine, which so learns them.
  void introduce_hosts(pmd_glue::PacketPool& pool) {
    Bytes frame(flows::kArpFrame);
    write_arp_request(frame, kHostMacs[kCore], test::v4("10.10.0.7"), test::v4("10.10.0.1"));
    inject(pool, kCore, frame);
    write_arp_request(frame, kHostMacs[kWan], test::v4("203.0.113.5"), test::v4("203.0.113.1"));
    inject(pool, kWan, frame);
    settle();
    EXPECT_EQ(drain(kCore).size(), 1u);
    EXPECT_EQ(drain(kWan).size(), 1u);
    engine_->clear_counters();
  }

  /// The hosts beside `port` are asked whether they are (still) there, and say so: on a slow
  /// machine that happens to workers on the real clock. Returns the other frames.
  std::vector<Bytes> drain_and_answer(pmd_glue::PacketPool& pool, size_t port) {
    std::vector<Bytes> others;
    for (Bytes& frame : drain(port)) {
      flows::ArpPacket asked;
      if (flows::ether_type(frame.data()) != flows::kEtherTypeArp) {
        others.push_back(std::move(frame));
      } else if (flows::parse_arp(flows::ByteView(frame).subspan(flows::kEthernetHeader), asked) ==
                     flows::DropReason::none &&
                 asked.operation == flows::ArpOperation::request && !asked.is_announcement()) {
        Bytes answer(flows::kArpFrame);
        write_arp_reply(answer, kHostMacs[port], asked);
        inject(pool, port, answer);
      }
    }
    return others;
  }

  rte_mempool* pool() const { return rte_mempool_lookup((prefix_ + "0").c_str()); }
  uint32_t pool_in_use() const { return rte_mempool_in_use_count(pool()); }

 private:
  static int& instances() {
    static int count = 0;
    return count;
  }

  std::string prefix_;
  std::vector<pmd_glue::RingEnd> ends_;
  std::unique_ptr<Engine> engine_;
  uint64_t now_ = 1000 * kMs;
};

/// An IP packet in a frame to the engine's `port`.
inline Bytes framed(size_t port, flows::ByteView packet) {
  Bytes header(flows::kEthernetHeader);
  flows::write_ethernet_header(header.data(), kMacs[port], kHostMacs[port], flows::kEtherTypeIpv4);
  return test::joined(header, packet);
}

/// SCTP from 10.10.0.7 to 203.0.113.5 with `size` bytes of user data, in a frame to core0.
inline Bytes sctp_frame(size_t size = 16, uint16_t fragment_word = 0x4000) {
  Bytes data(16 + flows::round_up4(size));
  test::put16(data, 2, 16 + size);
  return framed(kCore, test::ipv4_packet(132, test::sctp_packet(data), {}, fragment_word));
}

/// The same from somebody to somebody else on the networks.
inline Bytes readdressed(Bytes frame, const char* source, const char* destination) {
  Bytes packet(frame.begin() + flows::kEthernetHeader, frame.end());
  flows::store_raw(packet.data() + 12, test::v4(source));
  flows::store_raw(packet.data() + 16, test::v4(destination));
  test::set_ipv4_checksum(packet);
  std::copy(packet.begin(), packet.end(), frame.begin() + flows::kEthernetHeader);
  return frame;
}

inline uint64_t drops(const Report& report, const std::string& reason) {
  uint64_t n = 0;
  for (const DropReport& d : report.drops)
    if (d.reason == reason) n += d.packets;
  return n;
}

/// Every port is accounted for, and its drops have names.
inline void expect_balanced(const Report& report) {
  for (const PortReport& p : report.ports) {
    EXPECT_EQ(p.counters.balance(), 0) << p.name;
    uint64_t named = 0;
    for (const DropReport& d : report.drops)
      if (d.port == p.name) named += d.packets;
    EXPECT_EQ(named, p.counters.dropped) << p.name;
  }
}

}  // namespace penstock::engine
