// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// What an engine tells about itself, as plain values: copied out by the engine, rendered by the
// control socket, compared by tests. No pointer into the engine survives in here.

#include <cstdint>
#include <string>
#include <vector>

namespace penstock::engine {

/// Packet counts of one port. Always balanced (see balance()).
struct PortCounters {
  uint64_t rx = 0, rx_bytes = 0;
  uint64_t tx = 0, tx_bytes = 0;
  uint64_t originated = 0;  ///< made here: ARP, ND, ICMP
  uint64_t consumed = 0;    ///< taken in here: ARP, ND, ICMP for our own addresses
  uint64_t handed_in = 0;   ///< came in by another port, leaves by this one
  uint64_t handed_out = 0;  ///< came in by this port, leaves by another one
  uint64_t held = 0;        ///< waiting just now: for a neighbour, for the rest of its fragments,
                            ///< for another worker
  uint64_t split = 0;       ///< additional packets made by fragmenting
  uint64_t merged = 0;      ///< fragments that became part of another packet
  uint64_t dropped = 0;
  uint64_t spread_out = 0;  ///< of rx: handed by the worker that received it to another one

  /// 0 when every packet is accounted for.
  int64_t balance() const {
    return static_cast<int64_t>(rx + originated + split + handed_in) -
           static_cast<int64_t>(tx + consumed + merged + held + handed_out + dropped);
  }
};

struct PortReport {
  std::string name, device, driver, mac;
  std::string kernel_of;  ///< the port beside which this is the kernel's interface; empty: none
  std::vector<std::string> addresses;  ///< of all its interfaces
  uint16_t mtu = 0;
  bool link_up = false;
  uint32_t speed_mbps = 0;  ///< 0: unknown
  uint16_t rx_queues = 0, tx_queues = 0;
  std::string spread;       ///< by what received SCTP is shared out over the queues
  std::string spread_note;  ///< why not better; empty: best there is
  std::vector<std::string> offloads;
  PortCounters counters;
  uint64_t rx_missed = 0, rx_errors = 0, rx_no_buffer = 0;  ///< lost before a worker saw them
  uint64_t kernel_refused = 0;  ///< a kernel's side: the host did not take them
};

struct InterfaceReport {
  std::string name, port;
  uint16_t vlan = 0;  ///< 0: untagged
  std::vector<std::string> addresses;
  bool link_up = false;
  std::vector<std::string> conflicts;  ///< "10.0.0.1 02:00:…": other stations with our addresses
};

struct TunnelReport {
  std::string name, via, port, peer, state;  ///< port: or its VLAN, "wan0.40"
  std::string why;                           ///< it is down; empty: it is up
  std::vector<std::string> used_by;          ///< rules that send packets into it now
  uint16_t listen = 0, mtu = 0;
  int64_t rtt_us = -1;  ///< to the far end and back; -1: not measured
  uint64_t rx = 0, rx_bytes = 0, tx = 0, tx_bytes = 0, dropped = 0;
};

/// In their order; an empty list or name stands for all.
struct RuleReport {
  std::string name, from;
  std::vector<std::string> source, to;
  std::vector<uint16_t> sctp_ports;
  std::string action;                ///< "tunnel", "bypass", "drop"
  std::vector<std::string> tunnels;  ///< of action tunnel: the best one first
  std::string chosen;                ///< the one of them that is used now
  uint64_t packets = 0;              ///< that it decided about
};

struct WorkerReport {
  std::string name;
  uint32_t cpu = 0;
  int numa = -1;
  uint64_t turns = 0, idle_turns = 0, naps = 0;
  uint64_t packets = 0;                    ///< received and kept, or handed over by others
  uint64_t spread_out = 0, spread_in = 0;  ///< packets handed to other workers, and by others
  double busy = 0;  ///< share of cycles spent on turns that moved packets, since start
};

struct DropReport {
  std::string reason, port, tunnel;  ///< tunnel empty: none involved
  std::string meaning, hint;
  uint64_t packets = 0;
  double rate = 0;            ///< a second, over the last whole second
  int64_t last_seen_ms = -1;  ///< ago; -1: never
};

struct RouteReport {
  std::string to, next_hop, port;  ///< next_hop empty: connected; port: or its VLAN, "wan0.40"
  std::string state;               ///< of the next hop as a neighbour; empty: nobody asked for it
  bool in_use = true;              ///< the one of several next hops that packets go to
};

struct NeighborReport {
  std::string address, mac, port, state;  ///< port: or its VLAN, "wan0.40"
  int64_t age_ms = -1;                    ///< since it was confirmed; -1: never
};

struct Report {
  uint64_t generation = 0;  ///< of the configuration
  int64_t uptime_ms = 0;
  std::vector<PortReport> ports;
  std::vector<InterfaceReport> interfaces;
  std::vector<TunnelReport> tunnels;
  std::vector<RuleReport> rules;
  std::vector<WorkerReport> workers;
  std::vector<DropReport> drops;  ///< those that happened
  std::vector<RouteReport> routes;
  std::vector<NeighborReport> neighbors;
};

}  // namespace penstock::engine
