// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include <set>

#include "engine/config/limits.hpp"
#include "engine/config/resolve.hpp"

namespace penstock::engine {
namespace {

using flows::IpAddress;
using flows::Prefix;

/// One tunnel with what it stands on, while it is checked.
struct Subject {
  const Draft& draft;
  const TunnelDraft& tunnel;
  const InterfaceDraft* port;  ///< none when the name is unknown
  Mistakes& mistakes;

  int64_t port_mtu() const { return draft.ports[port->port].mtu.value; }
  void mistake(SourcePosition at, std::string_view text) const {
    mistakes.add(at, fmt::format("{}: {}", title_of("tunnel", tunnel), text));
  }
};

/// Outer addresses are the hosts' and the peers' own, so the port must speak their family.
/// Returns whether it does, or cannot be judged.
bool check_family(const Subject& s, std::string_view key, const std::string& shown, bool v4,
                  SourcePosition at) {
  if (s.port == nullptr || s.port->addresses.empty() || has_family(s.port->addresses, v4))
    return true;
  s.mistake(at, fmt::format("{} {} is {}, and port {} has no such address; add one to it", key,
                            shown, family(v4), s.port->name.value));
  return false;
}

void check_prefixes(const Subject& s, std::string_view key, const std::vector<Said<Prefix>>& list) {
  for (const auto& p : list)
    check_family(s, key, flows::to_string(p.value), p.value.address.is_v4(), p.at);
}

const Said<Prefix>* covering(const std::vector<Said<Prefix>>& list, const IpAddress& a) {
  for (const auto& p : list)
    if (p.value.contains(a)) return &p;
  return nullptr;
}

/// The interface that has `a` as its own address.
const InterfaceDraft* owner(const Draft& draft, const IpAddress& a) {
  for (const InterfaceDraft& interface : draft.interfaces)
    for (const auto& own : interface.addresses)
      if (own.value.address == a) return &interface;
  return nullptr;
}

void check_peers(const Subject& s) {
  std::set<IpAddress> seen;
  for (const auto& peer : s.tunnel.peers) {
    const IpAddress& a = peer.value.address;
    const std::string shown = flows::to_string(a);
    if (!seen.insert(a).second)
      s.mistake(peer.at, fmt::format("peer {} has two UDP ports; remove one", shown));
    if (const InterfaceDraft* own = owner(s.draft, a))
      s.mistake(peer.at, fmt::format("peer {} is {}'s own address; give the peer's", shown,
                                     title_of("port", *own)));
    if (const Said<Prefix>* hosts = covering(s.tunnel.hosts, a))
      s.mistake(peer.at, fmt::format("peer {} is inside hosts {}, where nobody encapsulates; "
                                     "remove it, or narrow hosts",
                                     shown, flows::to_string(hosts->value)));
    if (!s.tunnel.sources.empty() && covering(s.tunnel.sources, a) == nullptr)
      s.mistake(peer.at, fmt::format("peer {} is outside of sources, so its packets would be "
                                     "dropped; add it there",
                                     shown));
    if (!check_family(s, "peer", shown, a.is_v4(), peer.at)) continue;
    if (!s.tunnel.hosts.empty() && !has_family(s.tunnel.hosts, a.is_v4()))
      s.mistake(peer.at, fmt::format("peer {} is {}, and no prefix of hosts is; add one, or remove "
                                     "the peer",
                                     shown, family(a.is_v4())));
  }
}

/// The outer address on our side: as InterfaceView::source_for() chooses one.
IpAddress ours_for(const InterfaceDraft& port, const IpAddress& peer) {
  for (const auto& a : port.addresses)
    if (a.value.contains(peer)) return a.value.address;
  for (const auto& a : port.addresses)
    if (a.value.address.is_v4() == peer.is_v4()) return a.value.address;
  return {};
}

/// The far gateway must be reached by the tunnel's port. That there is no way to it is legal: the
/// tunnel is down.
void check_way(const Subject& s, const IpAddress& peer, SourcePosition at) {
  const std::vector<uint16_t> ways = ways_to(s.draft, peer);
  for (const uint16_t by : ways)
    if (&s.draft.interfaces[by] == s.port) return;
  const std::string shown = flows::to_string(peer);
  if (!ways.empty())
    return s.mistake(
        at, fmt::format("the route to peer {} leaves by port {}, and the tunnel is on "
                        "port {}; correct the [[route]], or the port",
                        shown, s.draft.interfaces[ways.front()].name.value, s.port->name.value));
  s.mistakes.warn(at, fmt::format("{}: no route to peer {}, so the tunnel stays down; add a "
                                  "[[route]] by port {}",
                                  title_of("tunnel", s.tunnel), shown, s.port->name.value));
}

void check_far_gateway(const Subject& s) {
  if (s.tunnel.peers.size() != 1) return;
  const auto& [peer, at] = s.tunnel.peers.front();
  const std::string shown = flows::to_string(peer.address);
  if (const InterfaceDraft* own = owner(s.draft, peer.address))
    s.mistake(at, fmt::format("peer {} is {}'s own address; give the far gateway's", shown,
                              title_of("port", *own)));
  else if (s.port == nullptr)
    return;
  else if (!other_end(s.draft, s.port->name.value).empty())
    s.mistake(s.tunnel.port.at,
              fmt::format("port {} is the end of a wire and has no address to send from; give via "
                          "= \"sctp-udp\", or a port that is none",
                          s.port->name.value));
  else if (ours_for(*s.port, peer.address).is_unspecified())
    s.mistake(at, fmt::format("peer {} is {}, and port {} has no such address to send from; add "
                              "one to it",
                              shown, family(peer.address.is_v4()), s.port->name.value));
  else
    check_way(s, peer.address, at);
}

/// The least outer packet with which hosts can live, and why.
std::pair<int64_t, std::string_view> least_mtu(const TunnelDraft& tunnel) {
  if (tunnel.via == Via::sctp_udp && has_family(tunnel.hosts, false))
    return {limits::kTunnelMtuIpv6, ", which IPv6 needs with UDP"};
  if (tunnel.via == Via::ip_udp && !tunnel.peers.empty() &&
      !tunnel.peers.front().value.address.is_v4())
    return {limits::kMtuIpv6, ", IPv6's least"};
  return {limits::kMtu.least, ", the least there is"};
}

/// Outer packets: neither larger than the port takes, nor so small that a host cannot obey.
void check_mtu(const Subject& s) {
  const auto [least, why] = least_mtu(s.tunnel);
  if (!s.tunnel.mtu) {
    if (s.port != nullptr && s.port_mtu() < least && s.port_mtu() >= limits::kMtuIpv6)
      s.mistake(s.tunnel.at, fmt::format("port {}'s mtu {} is below {}{}; raise that",
                                         s.port->name.value, s.port_mtu(), least, why));
    return;
  }
  const auto& [mtu, at] = *s.tunnel.mtu;
  const int64_t most = s.port != nullptr ? s.port_mtu() : limits::kMtu.most;
  if (mtu > most && s.port != nullptr)
    s.mistake(at, fmt::format("mtu {} is above port {}'s {}; lower it, or raise that", mtu,
                              s.port->name.value, most));
  else if (mtu > most)
    s.mistake(at, fmt::format("mtu {} is above {}, the most there is; lower it", mtu, most));
  else if (mtu < least)
    s.mistake(at, fmt::format("mtu {} is below {}{}; raise it", mtu, least, why));
}

/// Tunnels to several far gateways share a UDP port of ours: their peers tell them apart.
bool told_apart(const TunnelDraft& a, const TunnelDraft& b) {
  if (a.via != Via::ip_udp || b.via != Via::ip_udp) return false;
  for (const auto& p : a.peers)
    for (const auto& q : b.peers)
      if (p.value.address == q.value.address) return false;
  return true;
}

void check_listen(const Subject& s) {
  if (s.port == nullptr || s.tunnel.listen.value == flows::UdpPort{}) return;
  for (const TunnelDraft& other : s.draft.tunnels) {
    if (&other == &s.tunnel) return;
    if (other.port.value != s.tunnel.port.value || other.listen.value != s.tunnel.listen.value)
      continue;
    if (told_apart(s.tunnel, other)) continue;
    s.mistake(
        s.tunnel.listen.at.line != 0 ? s.tunnel.listen.at : s.tunnel.at,
        fmt::format("UDP port {} of port {} is already that of {}; give another as listen",
                    s.tunnel.listen.value.value, s.port->name.value, title_of("tunnel", other)));
    return;
  }
}

TunnelConfig made_of(const TunnelDraft& tunnel, uint16_t interface, const InterfaceDraft* port) {
  TunnelConfig made;
  made.name = tunnel.name.value;
  made.via = tunnel.via;
  made.interface = interface;
  made.listen = tunnel.listen.value;
  made.hosts = plain(tunnel.hosts);
  made.sources = plain(tunnel.sources);
  if (made.sources.empty()) made.sources = {{flows::Ipv4Address{}, 0}, {flows::Ipv6Address{}, 0}};
  made.peers = plain(tunnel.peers);
  made.default_port = tunnel.default_port;
  made.mtu = tunnel.mtu ? static_cast<uint16_t>(tunnel.mtu->value) : uint16_t{0};
  made.ttl = tunnel.ttl;
  made.liveness = tunnel.liveness;
  if (tunnel.via == Via::ip_udp) {
    made.sources.clear();
    if (port != nullptr && !made.peers.empty())
      made.ours = ours_for(*port, made.peers.front().address);
  }
  made.at = tunnel.at;
  return made;
}

}  // namespace

std::vector<TunnelConfig> resolve_tunnels(const Draft& draft, Mistakes& mistakes) {
  std::vector<TunnelConfig> tunnels;
  for (const TunnelDraft& tunnel : draft.tunnels) {
    const auto port = index_of(draft.interfaces, tunnel.port.value);
    const Subject subject{draft, tunnel, port ? &draft.interfaces[*port] : nullptr, mistakes};
    if (!port && !tunnel.port.value.empty())
      subject.mistake(tunnel.port.at,
                      fmt::format("port {} is no [[port]]'s name{}", quoted(tunnel.port.value),
                                  suggestion(tunnel.port.value, names_of(draft.interfaces))));
    check_listen(subject);
    if (tunnel.via == Via::ip_udp) {
      check_far_gateway(subject);
    } else {
      check_prefixes(subject, "hosts", tunnel.hosts);
      check_prefixes(subject, "sources", tunnel.sources);
      check_peers(subject);
    }
    check_mtu(subject);
    tunnels.push_back(made_of(tunnel, port.value_or(0), subject.port));
  }
  return tunnels;
}

}  // namespace penstock::engine
