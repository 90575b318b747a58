// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
// The host's interfaces beside ports: made with the engine, with the ports' MAC and IP addresses,
// and a carrier that is the port's link.

#include <fmt/format.h>

#include <algorithm>

#include "engine/buffers.hpp"
#include "engine/engine.hpp"
#include "pmd_glue/interface_address.hpp"

namespace penstock::engine {

using flows::Prefix;
using flows::Result;

Result<void> Engine::open_kernel_side(size_t i, pmd_glue::PacketPool& pool) {
  const PortConfig& p = config_.ports[i];
  const auto workers = static_cast<uint16_t>(options_.workers);
  pmd_glue::PortSpec spec;
  spec.name = p.kernel;
  spec.device = fmt::format("{}-k{}", options_.pool_prefix, i);
  spec.mtu = p.mtu;
  spec.queues = workers;
  spec.mac = shared_->ports[i].mac();
  auto side = pmd_glue::KernelSide::create(
      {p.kernel, spec.device, *spec.mac, p.mtu, workers, kKernelDepth}, pool);
  if (!side) return side.error();
  kernel_sides_.push_back(std::move(*side));
  auto port = pmd_glue::Port::open(spec, pool);
  if (!port) return port.error();
  port->attach(*kernel_sides_.back());
  shared_->ports.push_back(std::move(*port));
  kernel_of_.push_back(i);
  return {};
}

void Engine::pass_on_links_to_kernel() {
  for (size_t k = 0; k < kernel_sides_.size(); ++k)
    kernel_sides_[k]->set_carrier(links_[kernel_of_[k]].up);
}

// Those of the untagged network: whoever wants the host in a VLAN too puts an interface of that
// VLAN on top. `before`: the interfaces until now, none at the start. What the host does not take
// (IPv6, where it is switched off) is said and left at that: forwarding does not depend on it.
void Engine::give_kernel_addresses(const std::vector<InterfaceConfig>& before) {
  const auto tell = [&](const std::string& interface, const Result<void>& done) {
    if (!done && options_.log)
      options_.log(fmt::format("kernel interface {}: {}", interface, done.error().message));
  };
  const auto lacks = [](const std::vector<Prefix>& list, const Prefix& p) {
    return std::find(list.begin(), list.end(), p) == list.end();
  };
  for (size_t k = 0; k < kernel_sides_.size(); ++k) {
    const size_t port = kernel_of_[k];
    const pmd_glue::KernelSide& side = *kernel_sides_[k];
    const std::vector<Prefix> old = before.empty() ? std::vector<Prefix>{} : before[port].addresses;
    const std::vector<Prefix>& now = config_.interfaces[port].addresses;
    for (const Prefix& p : old)
      if (lacks(now, p))
        tell(side.interface(), pmd_glue::remove_interface_address(side.index(), p));
    for (const Prefix& p : now)
      if (lacks(old, p)) tell(side.interface(), pmd_glue::add_interface_address(side.index(), p));
  }
}

}  // namespace penstock::engine
