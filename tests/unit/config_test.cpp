// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// What a good file means, and that no file at all ends the process.

#include <fstream>
#include <random>
#include <sstream>

#include "engine/config/values.hpp"
#include "tests/unit/config_cases.hpp"

#if !defined PENSTOCK_EXAMPLE || !defined PENSTOCK_README
#error "the build gives the paths of the files whose examples are read here"
#endif

namespace penstock::engine {
namespace {

using flows::parse_ip;
using flows::parse_prefix;
using flows::Prefix;
using flows::SctpPort;
using flows::UdpPort;

Config good(std::variant<Config, ConfigErrors> parsed) {
  if (auto* config = std::get_if<Config>(&parsed)) return std::move(*config);
  for (const auto& line : std::get<ConfigErrors>(parsed).lines) ADD_FAILURE() << line;
  return {};
}

std::vector<Prefix> prefixes(std::initializer_list<const char*> texts) {
  std::vector<Prefix> list;
  for (const char* text : texts) list.push_back(*parse_prefix(text));
  return list;
}

std::string content(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

TEST(Config, ExampleOfTheDocumentationIsUnderstood) {
  const Config c = good(load_config(PENSTOCK_EXAMPLE));
  EXPECT_EQ(c.file, PENSTOCK_EXAMPLE);
  EXPECT_EQ(c.engine.main_core, 0u);
  EXPECT_EQ(c.engine.worker_cores, std::vector<uint32_t>{1});
  EXPECT_EQ(c.engine.memory_mb, 512u);
  EXPECT_EQ(c.control.socket, "/run/penstock/control.sock");

  ASSERT_EQ(c.ports.size(), 2u);
  EXPECT_EQ(c.ports[0].name, "core0");
  EXPECT_EQ(c.ports[0].device, "0000:3b:00.0");
  EXPECT_EQ(c.interfaces[0].addresses, prefixes({"10.10.0.1/24", "2001:db8:a::1/64"}));
  EXPECT_EQ(c.ports[0].mtu, 1500);
  EXPECT_EQ(c.ports[0].mac, std::nullopt);
  EXPECT_EQ(c.ports[1].mtu, 1508);

  ASSERT_EQ(c.routes.size(), 2u);
  EXPECT_EQ(c.routes[1].to, *parse_prefix("::/0"));
  EXPECT_EQ(c.routes[1].next_hops[0].address, *parse_ip("2001:db8:1::e"));
  EXPECT_EQ(c.routes[1].next_hops[0].interface, 1);

  ASSERT_EQ(c.tunnels.size(), 3u);
  EXPECT_EQ(c.tunnels[1].via, Via::ip_udp);
  EXPECT_EQ(c.tunnels[1].ttl, 64);
  EXPECT_EQ(c.tunnels[2].ours, *parse_ip("2001:db8:1::1"));
  const TunnelConfig& t = c.tunnels[0];
  EXPECT_EQ(t.name, "partners");
  EXPECT_EQ(t.interface, 1);
  EXPECT_EQ(t.listen, UdpPort{9899});
  EXPECT_EQ(t.hosts, prefixes({"10.10.0.0/24", "2001:db8:a::/64"}));
  EXPECT_EQ(t.sources, prefixes({"198.51.100.0/24", "2001:db8:2::/64"}));
  const std::vector<PeerConfig> peers{{*parse_ip("198.51.100.1"), UdpPort{9899}},
                                      {*parse_ip("2001:db8:2::1"), UdpPort{9899}}};
  EXPECT_EQ(t.peers, peers);
  EXPECT_EQ(t.default_port, UdpPort{9899});
  EXPECT_EQ(t.mtu, 0);

  ASSERT_EQ(c.rules.size(), 4u);
  EXPECT_EQ(c.rules[0].from_interface, 0);
  EXPECT_EQ(c.rules[0].action, RuleAction::tunnel);
  EXPECT_EQ(c.rules[0].tunnels, std::vector<uint16_t>{0});
  EXPECT_EQ(c.rules[0].sctp_ports, (std::vector<SctpPort>{{3868}, {36412}}));
  EXPECT_EQ(c.rules[1].tunnels, (std::vector<uint16_t>{1, 2}));
  EXPECT_EQ(c.rules[2].action, RuleAction::drop);
  EXPECT_EQ(c.rules[3].action, RuleAction::bypass);
  EXPECT_EQ(c.rules[3].from_interface, std::nullopt);
}

TEST(Config, ExampleOfTheReadmeIsUnderstood) {
  const std::string text = content(PENSTOCK_README);
  const std::string fence = "```toml\n";
  const size_t begin = text.find(fence);
  ASSERT_NE(begin, std::string::npos);
  const size_t end = text.find("```", begin + fence.size());
  ASSERT_NE(end, std::string::npos);
  const Config c = good(
      parse_config(text.substr(begin + fence.size(), end - begin - fence.size()), "README.md"));
  EXPECT_EQ(c.ports.size(), 2u);
  EXPECT_EQ(c.tunnels.size(), 1u);
}

TEST(Config, KeysThatAreLeftOutHaveTheirDefaults) {
  const Config c = good(parse_config(kBase, "p.toml"));
  EXPECT_EQ(c.engine, EngineConfig{});
  EXPECT_EQ(c.control, ControlConfig{});
  EXPECT_EQ(c.verify, Verify::state);
  EXPECT_EQ(c.ports[0].mtu, 1500);
  EXPECT_EQ(c.tunnels[0].listen, flows::kSctpUdpPort);
  EXPECT_EQ(c.tunnels[0].sources, prefixes({"0.0.0.0/0", "::/0"}));
  EXPECT_EQ(c.tunnels[0].default_port, flows::kSctpUdpPort);
  EXPECT_TRUE(c.tunnels[0].peers.empty());
  EXPECT_TRUE(c.rules.empty());
}

TEST(Config, EngineKeysAreUnderstood) {
  const Config c = good(
      parse_config(engine("workers = 3\nidle = \"adaptive\"\nhugepages = \"require\"\nmemory = 64\n"
                          "neighbors = 16\nicmp-rate = 0\nfragment-memory = 256\nfragment-timeout "
                          "= 60\nverify = \"all\"\nmain-core = 1023\nspread = \"software\""),
                   "p.toml"));
  EXPECT_EQ(c.engine.worker_count, 3u);
  EXPECT_TRUE(c.engine.worker_cores.empty());
  EXPECT_EQ(c.engine.idle, Idle::adaptive);
  EXPECT_EQ(c.engine.spread, SpreadBy::software);
  EXPECT_EQ(c.engine.hugepages, Hugepages::require);
  EXPECT_EQ(c.engine.memory_mb, 64u);
  EXPECT_EQ(c.engine.neighbors, 16u);
  EXPECT_EQ(c.engine.icmp_rate, 0u);
  EXPECT_EQ(c.engine.fragment_memory_mb, 256u);
  EXPECT_EQ(c.engine.fragment_timeout_s, 60u);
  EXPECT_EQ(c.engine.main_core, 1023u);
  EXPECT_EQ(c.verify, Verify::all);
  EXPECT_EQ(good(parse_config(engine("workers = \"auto\""), "p.toml")).engine, EngineConfig{});
}

TEST(Config, NappingWorkerMayShareTheMainCore) {
  const Config c =
      good(parse_config(engine("main-core = 0\nworkers = [0]\nidle = \"adaptive\""), "p.toml"));
  EXPECT_EQ(c.engine.worker_cores, std::vector<uint32_t>{0});
}

TEST(Config, PeersTakeTheDefaultPortAwayUnlessItIsGiven) {
  const std::string peer = kHosts + "peer = \"198.51.100.1:22\"\n";
  EXPECT_EQ(good(parse_config(tunnel(peer), "p.toml")).tunnels[1].default_port, std::nullopt);
  EXPECT_EQ(good(parse_config(tunnel(peer + "default-port = 7"), "p.toml")).tunnels[1].default_port,
            UdpPort{7});
}

TEST(Config, TunnelMtuAtItsBoundsIsTaken) {
  EXPECT_EQ(good(parse_config(tunnel(kHosts + "mtu = 576"), "p.toml")).tunnels[1].mtu, 576);
  EXPECT_EQ(good(parse_config(tunnel(kHosts6 + "mtu = 1288"), "p.toml")).tunnels[1].mtu, 1288);
  EXPECT_EQ(good(parse_config(tunnel(kHosts + "mtu = 1500"), "p.toml")).tunnels[1].mtu, 1500);
  EXPECT_EQ(good(parse_config(tunnel(kHosts + "mtu = \"auto\""), "p.toml")).tunnels[1].mtu, 0);
}

TEST(Config, RuleNamesAPortOrATunnelAsItsOrigin) {
  const Config c = good(parse_config(rule("from = \"gw\"\nsctp-port = 7\naction = \"drop\""), "p"));
  EXPECT_EQ(c.rules[0].from_interface, std::nullopt);
  EXPECT_EQ(c.rules[0].from_tunnel, 0);
  EXPECT_EQ(c.rules[0].sctp_ports, std::vector<SctpPort>{{7}});
}

TEST(Config, NetworksOfTwoAndOfOneHaveHosts) {
  const Config c = good(
      parse_config(port("address = [\"192.0.2.0/31\", \"192.0.3.3/32\", \"2001:db8:9::/127\"]") +
                       "[[route]]\nto = \"10.0.0.0/8\"\nnext-hop = \"192.0.2.1\"\n",
                   "p.toml"));
  EXPECT_EQ(c.interfaces[2].addresses.size(), 3u);
  EXPECT_EQ(c.routes[0].next_hops[0].interface, 2);
}

TEST(Config, NextHopIsBehindThePortWithTheLongestPrefix) {
  const Config c = good(parse_config(port("address = \"10.0.0.1/8\"") +
                                         "[[route]]\nto = \"192.0.2.0/24\"\n"
                                         "next-hop = \"10.10.0.2\"\n[[route]]\n"
                                         "to = \"192.0.3.0/24\"\nnext-hop = \"10.11.0.2\"\n",
                                     "p.toml"));
  EXPECT_EQ(c.routes[0].next_hops[0].interface, 0);
  EXPECT_EQ(c.routes[1].next_hops[0].interface, 2);
}

TEST(Config, OneUdpPortServesOneTunnelOnEachPort) {
  good(parse_config(kBase + "[[tunnel]]\nname = \"b\"\nvia = \"sctp-udp\"\nport = \"core0\"\n"
                            "hosts = \"192.0.2.0/24\"\n",
                    "p.toml"));
}

TEST(Config, DevicesOfEveryKind) {
  for (const char* device :
       {"0000:3b:00.0", "3b:00.1", "0000:3B:00.0,mprq_en=1", "pci:0000:3b:00.0", "net_tap0,iface=a",
        "vdev:net_null0", "auxiliary:mlx5_core.sf.4"})
    EXPECT_TRUE(read_device(device).ok()) << device;
  for (const char* device : {"", "eth0", "net_", "3b:00", "3b:00.0 ", "dead:beef", ":00.0"})
    EXPECT_FALSE(read_device(device).ok()) << device;
  EXPECT_TRUE(same_device("3B:00.1", "pci:0000:3b:00.1,x=1"));
  EXPECT_TRUE(same_device("net_tap1,iface=a", "net_af_xdp0,start_queue=0,iface=a"));
  EXPECT_FALSE(same_device("net_tap1,iface=a", "net_tap2,iface=ab"));
  EXPECT_FALSE(same_device("net_tap1,iface=a", "net_null0,iface=a"));
}

TEST(Config, PeerIsWrittenAsItIsRead) {
  for (const char* text : {"198.51.100.1:1", "[2001:db8::1]:65535"})
    EXPECT_EQ(to_string(*read_peer(text)), text);
}

TEST(Config, FileThatCannotBeReadIsOneLine) {
  const auto lines = [](const std::string& file) {
    return std::get<ConfigErrors>(load_config(file)).lines;
  };
  EXPECT_EQ(lines("/nowhere/p.toml"),
            Lines{"/nowhere/p.toml: cannot be read: No such file or directory; name another file, "
                  "or correct this"});
  EXPECT_EQ(lines("/"),
            Lines{"/: cannot be read: Is a directory; name another file, or correct this"});
  EXPECT_EQ(lines("/dev/zero"),
            Lines{"/dev/zero:1:1: the file is larger than 1048576 bytes; is it a configuration?"});
}

/// One line each, printable, and the file's name and a position in front.
void expect_well_formed(const std::string& text) {
  const auto parsed = parse_config(text, "p.toml");
  const auto* errors = std::get_if<ConfigErrors>(&parsed);
  if (errors == nullptr) return;
  EXPECT_FALSE(errors->lines.empty());
  for (const std::string& line : errors->lines) {
    EXPECT_TRUE(line.starts_with("p.toml:")) << line;
    for (const char c : line) ASSERT_GE(static_cast<unsigned char>(c), 0x20) << text;
  }
}

TEST(ConfigRobustness, EveryPrefixOfAFileIsAnswered) {
  const std::string text = content(PENSTOCK_EXAMPLE);
  ASSERT_GT(text.size(), 1000u);
  for (size_t length = 0; length <= text.size(); ++length)
    expect_well_formed(text.substr(0, length));
}

TEST(ConfigRobustness, EveryByteMayBeAnother) {
  const std::string text = content(PENSTOCK_EXAMPLE);
  constexpr std::string_view kOthers("\0\n\"'[]{}=.,#\\-0\x7f\xff", 17);
  std::mt19937 random(20260101);
  for (size_t at = 0; at < text.size(); ++at) {
    std::string changed = text;
    changed[at] = kOthers[random() % kOthers.size()];
    expect_well_formed(changed);
    changed[at] = static_cast<char>(random());
    expect_well_formed(changed);
    changed.erase(at, 1 + random() % 40);
    expect_well_formed(changed);
  }
}

TEST(ConfigRobustness, LinesInAnyOrderAreAnswered) {
  std::vector<std::string> lines;
  std::istringstream in(content(PENSTOCK_EXAMPLE));
  for (std::string line; std::getline(in, line);) lines.push_back(line + "\n");
  std::mt19937 random(20260102);
  for (int round = 0; round < 1000; ++round) {
    std::string text;
    for (size_t i = 0; i < lines.size(); ++i) text += lines[random() % lines.size()];
    expect_well_formed(text);
  }
}

TEST(ConfigRobustness, DeepNestingIsRefused) {
  for (const std::string open : {"[", "{a=", "[{a="}) {
    std::string text = "x = ";
    for (int i = 0; i < 100000; ++i) text += open;
    expect_well_formed(text);
  }
  for (const std::string piece : {"a.", "a .", "\"\".", "'.'."}) {
    for (const std::string before : {"", "[", "[[", "x = {", "x = \"#\"\n"}) {
      std::string text = before;
      for (int i = 0; i < 200000; ++i) text += piece;
      expect_well_formed(text + "a = 1\n");
      expect_well_formed(text + "a]]\n");
    }
  }
}

}  // namespace
}  // namespace penstock::engine
