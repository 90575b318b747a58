// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// A packet engine: ports, workers, and the configuration that they run. An object without globals:
// a process may hold several. It needs a started EAL, and nobody's clock but the caller's.
//
// One control thread calls everything here but step_worker() and run_worker().

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/ping_board.hpp"
#include "engine/telemetry/collector.hpp"
#include "engine/wire_links.hpp"
#include "engine/worker.hpp"
#include "pmd_glue/pool_plan.hpp"

namespace penstock::engine {

struct EngineOptions {
  size_t workers = 1;
  std::vector<uint32_t> worker_cpus;  ///< for reports; may be empty
  std::string pool_prefix = "pst";    ///< unique in the process
  uint64_t now_ns = 1;                ///< when it starts, on the clock that steps it; above 0
  std::optional<uint64_t> secret;     ///< what nobody outside may know; none: a random one
  std::function<void(const std::string&)> log;  ///< a line for people; may be empty
};

class Engine {
 public:
  /// Opens and starts every port. Errors name the place in the file.
  static flows::Result<std::unique_ptr<Engine>> create(const Config& config,
                                                       const EngineOptions& options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  size_t workers() const { return workers_.size(); }

  /// One turn of one worker; whoever steps a worker is its only caller. True when a packet moved.
  bool step_worker(size_t i, uint64_t now_ns) { return workers_[i]->step(now_ns); }
  void run_worker(size_t i, const std::atomic<bool>& stop) { workers_[i]->run(stop); }
  /// Whether run_worker() is at work there.
  bool runs_worker(size_t i) const { return workers_[i]->runs(); }

  /// One turn of every worker, for programs that step all from one loop.
  bool step(uint64_t now_ns);

  /// Looks at links and takes the samples that rates are made of. Ten times a second is enough.
  void tend(uint64_t now_ns);

  /// Tells the link of a port who is here, as when it comes up.
  void announce(size_t port);

  /// Changes to another configuration without losing a packet. Lines that say what changed. Error:
  /// nothing changed; the lines say what stands against it.
  flows::Result<std::vector<std::string>> reload(const Config& config);

  void clear_counters();
  Report report(uint64_t now_ns);

  /// Begins to send echoes. Whoever asked looks at them again and again, and takes what is new; a
  /// ping that nobody looks at for some seconds ends. What has ended is gone once it was looked at.
  flows::Result<PingReport> start_ping(const PingRequest& request, uint64_t now_ns);
  flows::Result<PingReport> look_at_ping(uint64_t id, uint64_t now_ns);
  flows::Result<PingReport> stop_ping(uint64_t id, uint64_t now_ns);
  const Config& config() const { return config_; }

 private:
  Engine(const Config& config, const EngineOptions& options);
  flows::Result<void> open_ports();
  flows::Result<void> open_kernel_side(size_t port, pmd_glue::PacketPool& pool);
  /// The [[port]] that a port is, or is the kernel's side of.
  size_t configured(size_t port) const;
  const std::string& port_name(size_t port) const;
  flows::Result<void> make_pools(const pmd_glue::PoolsPlan& plan);
  std::vector<pmd_glue::WorkerHold> worker_holds() const;
  flows::Error port_error(size_t port, const flows::Error& error) const;
  flows::Result<void> make_inboxes();
  flows::Result<void> start_ports();
  void make_workers();
  bool publish(const Config& config);
  void report_route(const Route& route, Report& report) const;
  /// Empty when the tunnel is up.
  std::string why_down(size_t tunnel) const;
  void publish_pings();
  void tend_pings(uint64_t now_ns);
  void end_pings_without_way();
  std::string known_trouble(const PingOrder& order) const;
  flows::Result<void> find_ping_way(const PingRequest& request, PingOrder& order,
                                    PingReport& about) const;
  flows::Result<void> find_ping_tunnel(const std::string& name, PingOrder& order,
                                       PingReport& about) const;
  void assign_tunnel_paths(const Snapshot& snapshot);
  void clear_tunnel_paths(const Snapshot& snapshot);
  void pass_on_link_losses(uint64_t now_ns);
  void tell_of_tunnels();
  void tell_of_choices();
  void report_rules(const Totals& totals, Report& report) const;
  void pass_on_links_to_kernel();
  void give_kernel_addresses(const std::vector<InterfaceConfig>& before);
  void tell_conflicts(uint64_t now_ns);
  std::vector<uint16_t> assign_tunnel_slots(const Config& config);
  std::vector<uint16_t> assign_rule_slots(const Config& config);
  void announce_changes(const std::vector<InterfaceConfig>& before);

  Config config_;
  EngineOptions options_;
  std::vector<pmd_glue::PacketPool> pools_;  ///< per NUMA node; outlive ports and workers
  std::vector<size_t> worker_pools_;         ///< index into pools_
  std::vector<std::unique_ptr<pmd_glue::KernelSide>> kernel_sides_;
  std::vector<size_t> kernel_of_;   ///< of which port each of them is
  std::unique_ptr<Shared> shared_;  ///< its ports are config_.ports and then the kernel_sides_'
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<const Snapshot> snapshot_;
  std::vector<std::unique_ptr<const Snapshot>> unreclaimed_;  ///< a worker did not let go in time
  std::map<std::string, uint16_t> tunnel_slots_, rule_slots_;
  std::map<std::string, std::string> told_choices_;  ///< of rules with standby tunnels
  struct TunnelTold {
    bool up = false;
    flows::DropReason no_way = flows::DropReason::none;
    bool operator==(const TunnelTold&) const = default;
  };
  std::array<TunnelTold, limits::kTunnels> tunnels_told_{};  ///< per slot, what was last told
  std::vector<pmd_glue::LinkState> links_;
  std::set<std::string> told_conflicts_;  ///< lines, so that each is said once
  std::vector<WireLinks> wire_links_;     ///< one for each of config_.wires
  std::unique_ptr<Collector> collector_;
  PingBoard pings_;
  std::unique_ptr<const PingOrders> ping_orders_;
  std::vector<std::unique_ptr<const PingOrders>> old_ping_orders_;  ///< as unreclaimed_
  uint64_t started_ns_ = 0;
};

}  // namespace penstock::engine
