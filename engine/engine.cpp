// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <utility>

#include "engine/buffers.hpp"
#include "engine/plan.hpp"
#include "flows/icmp_translate.hpp"
#include "pmd_glue/cpu_topology.hpp"

namespace penstock::engine {
namespace {

using flows::Error;
using flows::Result;

/// Slots of tunnel counters: as many as a configuration may have tunnels.
constexpr size_t kTunnelSlots = limits::kTunnels;

uint64_t random_secret() {
  std::random_device random;
  return uint64_t{random()} << 32 | random();
}

bool is_end_of_wire(const Config& config, const PortConfig& port) {
  return std::any_of(config.wires.begin(), config.wires.end(), [&](const WireConfig& w) {
    return &config.ports[w.ports[0]] == &port || &config.ports[w.ports[1]] == &port;
  });
}

/// A slot of `most` for each of `tables`: the one it had by its name, or a free one, cleared.
/// Workers may still use the slot of what goes, so a new one gets another, if there is one.
template <class T, class Clear>
std::vector<uint16_t> assign_slots(const std::vector<T>& tables,
                                   std::map<std::string, uint16_t>& by_name, size_t most,
                                   Clear&& clear) {
  std::set<uint16_t> used, resting;
  for (const auto& [name, slot] : by_name) resting.insert(slot);
  std::erase_if(by_name, [&](const auto& entry) {
    return std::none_of(tables.begin(), tables.end(),
                        [&](const T& table) { return table.name == entry.first; });
  });
  for (const auto& [name, slot] : by_name) used.insert(slot);
  const auto free_slot = [&] {
    uint16_t slot = 0;
    while (slot < most && (used.contains(slot) || resting.contains(slot))) ++slot;
    if (slot == most)
      for (slot = 0; used.contains(slot);) ++slot;
    return slot;
  };
  std::vector<uint16_t> slots;
  for (const T& table : tables) {
    const auto [entry, added] = by_name.try_emplace(table.name, uint16_t{0});
    if (added) {
      entry->second = free_slot();
      used.insert(entry->second);
      clear(entry->second);
    }
    slots.push_back(entry->second);
  }
  return slots;
}

std::vector<PortFacts> facts_of(const std::vector<pmd_glue::Port>& ports) {
  std::vector<PortFacts> facts;
  for (const pmd_glue::Port& p : ports) facts.push_back({p.mac(), p.offload(), p.spec().mtu});
  return facts;
}

}  // namespace

Engine::Engine(const Config& config, const EngineOptions& options)
    : config_(config),
      options_(options),
      shared_(std::make_unique<Shared>(options.workers, config.engine.neighbors,
                                       options.secret ? *options.secret : random_secret())),
      started_ns_(options.now_ns) {}

Engine::~Engine() {
  collector_.reset();
  workers_.clear();  // their buffers go back before the ports and pools go
  shared_.reset();
  kernel_sides_.clear();  // behind the ports that stand on them
}

Result<std::unique_ptr<Engine>> Engine::create(const Config& config, const EngineOptions& options) {
  std::unique_ptr<Engine> engine(new Engine(config, options));
  if (auto r = engine->open_ports(); !r) return r.error();
  if (auto r = engine->make_inboxes(); !r) return r.error();
  engine->make_workers();
  engine->publish_pings();
  engine->publish(config);
  if (auto r = engine->start_ports(); !r) return r.error();
  return engine;
}

size_t Engine::configured(size_t port) const {
  return port < config_.ports.size() ? port : kernel_of_[port - config_.ports.size()];
}

const std::string& Engine::port_name(size_t port) const {
  return port < config_.ports.size() ? config_.ports[port].name
                                     : config_.ports[configured(port)].kernel;
}

Error Engine::port_error(size_t i, const Error& e) const {
  const PortConfig& p = config_.ports[configured(i)];
  return Error{fmt::format("{}port \"{}\": {}", where(config_, p.device_at), p.name, e.message)};
}

// What the devices can do comes first; from it follow the pools, and with them the ports are made.
Result<void> Engine::open_ports() {
  std::vector<pmd_glue::PortRings> rings;
  for (size_t i = 0; i < config_.ports.size(); ++i) {
    const PortConfig& p = config_.ports[i];
    pmd_glue::PortSpec spec;
    spec.name = p.name;
    spec.device = p.device;
    spec.mtu = p.mtu;
    spec.queues = static_cast<uint16_t>(options_.workers);
    spec.mac = p.mac;
    spec.promiscuous = is_end_of_wire(config_, p);
    spec.rx_descriptors = kDescriptors;
    spec.tx_descriptors = kDescriptors;
    auto port = pmd_glue::Port::probe(spec);
    if (!port) return port_error(i, port.error());
    rings.push_back(rings_of(port->plan(), port->capabilities(), p.mtu));
    shared_->ports.push_back(std::move(*port));
  }
  for (size_t i = 0; i < config_.ports.size(); ++i) {
    if (config_.ports[i].kernel.empty()) continue;
    const auto queued = static_cast<uint32_t>(options_.workers * kKernelDepth);
    rings.push_back({rings[i].numa, config_.ports[i].mtu, kKernelDepth, queued});
  }
  const pmd_glue::PoolsPlan plan = plan_pools(rings, worker_holds());
  if (auto r = make_pools(plan); !r) return r;
  // With one pool, whatever leaves by a port came out of it.
  const bool one_pool = pools_.size() == 1;
  for (size_t i = 0; i < shared_->ports.size(); ++i)
    if (auto r = shared_->ports[i].set_up(pools_[plan.of_port[i]], one_pool); !r)
      return port_error(i, r.error());
  for (size_t i = 0; i < config_.ports.size(); ++i) {
    if (config_.ports[i].kernel.empty()) continue;
    if (auto r = open_kernel_side(i, pools_[plan.of_port[i]]); !r) return port_error(i, r.error());
  }
  return {};
}

std::vector<pmd_glue::WorkerHold> Engine::worker_holds() const {
  const auto topology = pmd_glue::read_cpu_topology();
  std::vector<pmd_glue::WorkerHold> holds;
  for (size_t i = 0; i < options_.workers; ++i) {
    const pmd_glue::Cpu* cpu = topology && i < options_.worker_cpus.size()
                                   ? topology->find(options_.worker_cpus[i])
                                   : nullptr;
    holds.push_back({cpu == nullptr ? -1 : cpu->numa, packets_in_hand(config_, options_.workers)});
  }
  return holds;
}

Result<void> Engine::make_pools(const pmd_glue::PoolsPlan& plan) {
  for (const pmd_glue::PoolPlan& p : plan.pools) {
    auto pool = pmd_glue::PacketPool::create(
        fmt::format("{}{}", options_.pool_prefix, pools_.size()), p.packets, p.data_room, p.numa);
    if (!pool) return pool.error();
    pools_.push_back(std::move(*pool));
  }
  worker_pools_ = plan.of_worker;
  return {};
}

Result<void> Engine::make_inboxes() {
  if (config_.engine.spread == SpreadBy::nic || options_.workers == 1) return {};
  std::vector<int> nodes;
  for (const pmd_glue::WorkerHold& hold : worker_holds()) nodes.push_back(hold.numa);
  auto made = pmd_glue::Handoff::create(options_.pool_prefix, nodes, inbox_depth(options_.workers));
  if (!made) return made.error();
  shared_->handoff.emplace(std::move(*made));
  return {};
}

void Engine::make_workers() {
  const size_t ports = shared_->ports.size();
  shared_->announcements = std::vector<std::atomic<uint32_t>>(ports);
  shared_->link_losses = std::vector<std::atomic<uint32_t>>(ports);
  shared_->link_up = std::vector<std::atomic<bool>>(ports);
  links_.resize(ports);
  wire_links_.resize(config_.wires.size());
  const EngineConfig& e = config_.engine;
  const flows::ReassemblyLimits limits = reassembly_limits(
      e.fragment_memory_mb, e.fragment_timeout_s, options_.workers, pools_.front().buffer_bytes());
  for (size_t i = 0; i < options_.workers; ++i)
    workers_.push_back(std::make_unique<Worker>(*shared_, pools_[worker_pools_[i]],
                                                static_cast<uint16_t>(i), kTunnelSlots, limits,
                                                random_secret()));
  collector_ = std::make_unique<Collector>(workers_, ports, kTunnelSlots);
}

Result<void> Engine::start_ports() {
  for (size_t i = 0; i < shared_->ports.size(); ++i) {
    if (auto r = shared_->ports[i].start(); !r) return port_error(i, r.error());
  }
  tend(started_ns_);
  give_kernel_addresses({});
  return {};
}

std::vector<uint16_t> Engine::assign_tunnel_slots(const Config& config) {
  return assign_slots(config.tunnels, tunnel_slots_, kTunnelSlots,
                      [this](uint16_t slot) { collector_->clear_tunnel(slot); });
}

std::vector<uint16_t> Engine::assign_rule_slots(const Config& config) {
  return assign_slots(config.rules, rule_slots_, limits::kRules,
                      [this](uint16_t slot) { collector_->clear_rule(slot); });
}

void Engine::assign_tunnel_paths(const Snapshot& snapshot) {
  for (const TunnelView& t : snapshot.tunnels) {
    if (t.via != Via::ip_udp) continue;
    const uint16_t least = t.coat.ipv6() ? flows::kIpv6MinimumMtu : flows::kTrustedMtu4;
    shared_->tunnel_states.assign(t.slot, {.ours = t.ours,
                                           .peer = t.peer,
                                           .listen = t.listen,
                                           .peer_port = t.far_port,
                                           .sizes = {.least = least,
                                                     .most = t.mtu,
                                                     .coat = t.coat.overhead(),
                                                     .search = t.search_mtu},
                                           .probed = t.probed});
  }
}

void Engine::clear_tunnel_paths(const Snapshot& snapshot) {
  std::set<uint16_t> without;
  for (uint16_t slot = 0; slot < kTunnelSlots; ++slot) without.insert(slot);
  for (const TunnelView& t : snapshot.tunnels)
    if (t.via == Via::ip_udp) without.erase(t.slot);
  for (const uint16_t slot : without) shared_->tunnel_states.clear(slot);
}

// One store publishes; what was before is freed when no worker can still look at it. A worker that
// stalls keeps it alive until a later change finds it gone.
bool Engine::publish(const Config& config) {
  const uint64_t generation = snapshot_ == nullptr ? 1 : snapshot_->generation + 1;
  auto next = std::make_unique<const Snapshot>(
      make_snapshot(config, facts_of(shared_->ports), assign_tunnel_slots(config), generation,
                    assign_rule_slots(config)));
  assign_tunnel_paths(*next);
  if (snapshot_ != nullptr) keep_choices(*next, *snapshot_);
  choose_tunnels(*next, shared_->tunnel_states);
  shared_->snapshot.store(next.get(), std::memory_order_release);
  if (snapshot_ != nullptr) unreclaimed_.push_back(std::move(snapshot_));
  snapshot_ = std::move(next);
  config_ = config;
  const bool quiet = shared_->quiesce.synchronize();
  if (quiet) {
    unreclaimed_.clear();
    clear_tunnel_paths(*snapshot_);
  }
  return quiet;
}

Result<std::vector<std::string>> Engine::reload(const Config& config) {
  const Plan plan = make_plan(config_, config);
  std::vector<std::string> lines = plan.lines();
  if (plan.needs_restart())
    return Error{fmt::format("needs a restart, nothing changed:\n{}", fmt::join(lines, "\n"))};
  if (plan.empty()) return std::vector<std::string>{"nothing to change"};
  const std::vector<InterfaceConfig> before = config_.interfaces;
  publish(config);
  end_pings_without_way();
  give_kernel_addresses(before);
  announce_changes(before);
  lines.push_back(fmt::format("applied, generation {}", snapshot_->generation));
  return lines;
}

void Engine::announce_changes(const std::vector<InterfaceConfig>& before) {
  std::set<uint16_t> ports;
  for (const InterfaceConfig& now : config_.interfaces) {
    const auto same = [&](const InterfaceConfig& i) {
      return i.name == now.name && i.addresses == now.addresses;
    };
    if (std::none_of(before.begin(), before.end(), same)) ports.insert(now.port);
  }
  for (const uint16_t port : ports) announce(port);
}

bool Engine::step(uint64_t now_ns) {
  bool moved = false;
  for (auto& worker : workers_) moved |= worker->step(now_ns);
  return moved;
}

void Engine::announce(size_t port) {
  shared_->announcements[port].fetch_add(1, std::memory_order_relaxed);
}

void Engine::tend(uint64_t now_ns) {
  for (size_t i = 0; i < links_.size(); ++i) {
    const pmd_glue::LinkState link = shared_->ports[i].link();
    const pmd_glue::LinkState before = std::exchange(links_[i], link);
    // A bond's other member has other neighbours, and switches that look for us elsewhere.
    if (link.up && before.up && link.way != before.way) announce(i);
    if (link.up == before.up) continue;
    if (options_.log && now_ns != started_ns_)
      options_.log(fmt::format("port {}: link {}", port_name(i), link.up ? "up" : "down"));
    shared_->link_up[i].store(link.up, std::memory_order_relaxed);
    if (link.up)
      announce(i);
    else
      shared_->link_losses[i].fetch_add(1, std::memory_order_relaxed);
  }
  pass_on_links_to_kernel();
  pass_on_link_losses(now_ns);
  tell_of_tunnels();
  tell_conflicts(now_ns);
  collector_->sample(now_ns);
  tend_pings(now_ns);
}

void Engine::tell_conflicts(uint64_t now_ns) {
  std::set<std::string> lines;
  for (const AddressConflict& c : shared_->conflicts.current(now_ns)) {
    const uint16_t interface = snapshot_->interface_of_link(c.link);
    if (interface == kNoInterface) continue;
    lines.insert(fmt::format("{}: {} is also the address of {}; give one of them another",
                             config_.interfaces[interface].name, to_string(c.address),
                             to_string(c.mac)));
  }
  if (options_.log)
    for (const std::string& line : lines)
      if (!told_conflicts_.contains(line)) options_.log(line);
  told_conflicts_ = std::move(lines);
}

void Engine::tell_of_tunnels() {
  for (size_t i = 0; i < config_.tunnels.size(); ++i) {
    if (config_.tunnels[i].via != Via::ip_udp) continue;
    const TunnelView& tunnel = snapshot_->tunnels[i];
    TunnelTold& told = tunnels_told_[tunnel.slot];
    const TunnelTold now{tunnel.reachable() && shared_->tunnel_states.up(tunnel.slot),
                         tunnel.no_way};
    if (now == std::exchange(told, now) || !options_.log) continue;
    const std::string why = why_down(i);
    options_.log(fmt::format("tunnel {}: {}{}", config_.tunnels[i].name,
                             why.empty() ? "up" : "down, ", why));
  }
  tell_of_choices();
}

void Engine::tell_of_choices() {
  std::map<std::string, std::string> choices;
  size_t choice = 0;
  for (const RuleConfig& rule : config_.rules) {
    if (rule.action != RuleAction::tunnel) continue;
    const uint16_t chosen = snapshot_->chosen[choice++].load(std::memory_order_relaxed);
    if (rule.tunnels.size() < 2) continue;
    const std::string& tunnel = choices[rule.name] = config_.tunnels[chosen].name;
    const auto told = told_choices_.find(rule.name);
    if (options_.log && told != told_choices_.end() && told->second != tunnel)
      options_.log(
          fmt::format("rule {}: by tunnel {}, no longer {}", rule.name, tunnel, told->second));
  }
  told_choices_ = std::move(choices);
}

void Engine::pass_on_link_losses(uint64_t now_ns) {
  for (size_t i = 0; i < config_.wires.size(); ++i) {
    const auto& ports = config_.wires[i].ports;
    const std::array<bool, 2> held =
        wire_links_[i].hold_down({links_[ports[0]].up, links_[ports[1]].up}, now_ns);
    for (size_t end = 0; end < held.size(); ++end) {
      pmd_glue::Port& port = shared_->ports[ports[end]];
      if (port.link_is_held_down() == held[end]) continue;
      const auto done = port.hold_link_down(held[end]);
      if (!done && options_.log) options_.log(done.error().message);
    }
  }
}

void Engine::clear_counters() {
  collector_->clear();
}

}  // namespace penstock::engine
