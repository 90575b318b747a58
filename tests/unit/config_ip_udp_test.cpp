// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// Tunnels of whole IP packets, and rules with standby tunnels: what is understood, and mistakes.

#include "tests/support/hex.hpp"
#include "tests/unit/config_cases.hpp"

namespace penstock::engine {
namespace {

/// A tunnel via ip-udp; its keys begin on line 18.
std::string far(const std::string& keys, const std::string& name = "b") {
  return "[[tunnel]]\nname = \"" + name + "\"\nvia = \"ip-udp\"\nport = \"wan0\"\n" + keys + "\n";
}
const std::string kPeer = "peer = \"198.51.100.1:6080\"";
const std::string kPeer6 = "peer = \"[2001:db8:2::1]:6080\"";

Config good(const std::string& text) {
  auto parsed = parse_config(text, "p.toml");
  if (auto* config = std::get_if<Config>(&parsed)) return std::move(*config);
  for (const std::string& line : std::get<ConfigErrors>(parsed).lines) ADD_FAILURE() << line;
  return {};
}

TEST(ConfigIpUdp, WhatIsLeftOutHasItsDefault) {
  const Config c = good(kBase + far(kPeer));
  ASSERT_EQ(c.tunnels.size(), 2u);
  const TunnelConfig& t = c.tunnels[1];
  EXPECT_EQ(t.via, Via::ip_udp);
  EXPECT_EQ(t.interface, 1);
  EXPECT_EQ(t.listen, flows::UdpPort{6080});
  EXPECT_EQ(t.peers, (std::vector<PeerConfig>{{test::v4("198.51.100.1"), {6080}}}));
  EXPECT_EQ(t.ours, flows::IpAddress(test::v4("203.0.113.1")));
  EXPECT_EQ(t.mtu, 0);
  EXPECT_EQ(t.ttl, 64);
  EXPECT_EQ(t.liveness, Liveness::probe);
  EXPECT_TRUE(t.hosts.empty());
  EXPECT_TRUE(t.sources.empty());
}

TEST(ConfigIpUdp, EveryKeyIsUnderstood) {
  const Config c = good(kBase + far(kPeer6 + "\nlisten = 7000\nmtu = 1400\nttl = 255\n"
                                             "liveness = \"none\""));
  ASSERT_EQ(c.tunnels.size(), 2u);
  const TunnelConfig& t = c.tunnels[1];
  EXPECT_EQ(t.listen, flows::UdpPort{7000});
  EXPECT_EQ(t.ours, flows::IpAddress(test::v6("2001:db8:1::1")));
  EXPECT_EQ(t.mtu, 1400);
  EXPECT_EQ(t.ttl, 255);
  EXPECT_EQ(t.liveness, Liveness::none);
}

TEST(ConfigIpUdp, TheAddressInThePeersNetworkIsOurs) {
  const std::string text = R"([[port]]
name = "wan0"
device = "0000:3b:00.0"
address = ["203.0.113.1/28", "192.0.2.1/24", "2001:db8:1::1/64"]
)";
  EXPECT_EQ(good(text + far("peer = \"192.0.2.77:6080\"")).tunnels[0].ours,
            flows::IpAddress(test::v4("192.0.2.1")));
  EXPECT_EQ(good(text + far(kPeer)).tunnels[0].ours, flows::IpAddress(test::v4("203.0.113.1")));
}

TEST(ConfigIpUdp, SeveralFarGatewaysShareAPort) {
  const Config c =
      good(kBase + far(kPeer) + far("peer = \"198.51.100.2:6080\"", "c") + far(kPeer6, "d"));
  EXPECT_EQ(c.tunnels.size(), 4u);
}

TEST(ConfigIpUdp, RulesMayHaveStandbyTunnels) {
  const std::string tunnels = kBase + far(kPeer) + far("peer = \"198.51.100.2:6080\"", "c");
  Config c = good(tunnels + "[[rule]]\nname = \"r\"\ntunnel = [\"c\", \"b\", \"gw\"]\n");
  ASSERT_EQ(c.rules.size(), 1u);
  EXPECT_EQ(c.rules[0].tunnels, (std::vector<uint16_t>{2, 1, 0}));
  EXPECT_EQ(c.rules[0].revert, Revert::all);
  c = good(tunnels + "[[rule]]\nname = \"r\"\ntunnel = [\"b\", \"c\"]\nrevert = \"never\"\n");
  ASSERT_EQ(c.rules.size(), 1u);
  EXPECT_EQ(c.rules[0].revert, Revert::never);
}

const Case kIpUdp[] = {
    {"empty",
     kBase + "[[tunnel]]\nname = \"b\"\nvia = \"ip-udp\"\n",
     {"p.toml:14:1: tunnel \"b\": no port; give the name of the [[port]] where its UDP packets are",
      "p.toml:14:1: tunnel \"b\": no peer; give the far gateway's address and UDP port: "
      "\"198.51.100.1:6080\""}},
    {"peer_learn",
     kBase + far("peer = \"learn\""),
     {"p.toml:18:8: tunnel \"b\": peer = \"learn\": the far gateway of ip-udp is named by its "
      "address; give \"address:port\""}},
    {"peer_two",
     kBase + far("peer = [\"198.51.100.1:6080\", \"198.51.100.2:6080\"]"),
     {"p.toml:18:30: tunnel \"b\": peer has 2 values, and ip-udp has one far gateway; make a "
      "tunnel for each"}},
    {"peer_bare",
     kBase + far("peer = \"198.51.100.1\""),
     {"p.toml:18:8: tunnel \"b\": peer \"198.51.100.1\" lacks the UDP port; write "
      "\"198.51.100.1:6080\""}},
    {"peer_own",
     kBase + far("peer = \"10.10.0.1:6080\""),
     {"p.toml:18:8: tunnel \"b\": peer 10.10.0.1 is port \"core0\"'s own address; give the far "
      "gateway's"}},
    {"peer_family",
     "[[port]]\nname = \"wan0\"\ndevice = \"0000:3b:00.1\"\naddress = \"203.0.113.1/28\"\n" +
         far(kPeer6),
     {"p.toml:9:8: tunnel \"b\": peer 2001:db8:2::1 is IPv6, and port wan0 has no such address to "
      "send from; add one to it"}},
    {"keys_of_the_other_kind",
     kBase + far(kPeer + "\nhosts = \"10.10.0.0/24\"\nsources = \"198.51.100.0/24\"\n"
                         "default-port = 9899"),
     {"p.toml:19:9: tunnel \"b\": hosts: what comes out of ip-udp goes where the routes say; "
      "remove it",
      "p.toml:20:11: tunnel \"b\": sources: ip-udp takes packets from its peer alone; remove it",
      "p.toml:21:16: tunnel \"b\": default-port: ip-udp has the one UDP port that peer says; "
      "remove it"}},
    {"ttl_of_the_other_kind",
     tunnel(kHosts + "ttl = 64"),
     {"p.toml:20:7: tunnel \"b\": ttl: sctp-udp leaves the hosts' own IP header in place; remove "
      "it"}},
    {"liveness_of_the_other_kind",
     tunnel(kHosts + "liveness = \"none\""),
     {"p.toml:20:12: tunnel \"b\": liveness: the far ends of sctp-udp are hosts, of which none is "
      "asked; remove it"}},
    {"liveness_word",
     kBase + far(kPeer + "\nliveness = \"icmp\""),
     {"p.toml:19:12: tunnel \"b\": liveness \"icmp\" is unknown; give \"probe\" or \"none\""}},
    {"ttl",
     kBase + far(kPeer + "\nttl = 0"),
     {"p.toml:19:7: tunnel \"b\": ttl 0 is out of range; give 1 to 255"}},
    {"mtu_high",
     kBase + far(kPeer + "\nmtu = 99999"),
     {"p.toml:19:7: tunnel \"b\": mtu 99999 is above port wan0's 1500; lower it, or raise that"}},
    {"mtu_low",
     kBase + far(kPeer + "\nmtu = 575"),
     {"p.toml:19:7: tunnel \"b\": mtu 575 is below 576, the least there is; raise it"}},
    {"mtu_low6",
     kBase + far(kPeer6 + "\nmtu = 1279"),
     {"p.toml:19:7: tunnel \"b\": mtu 1279 is below 1280, IPv6's least; raise it"}},
    {"listen_of_the_other_kind",
     kBase + far(kPeer + "\nlisten = 9899"),
     {"p.toml:19:10: tunnel \"b\": UDP port 9899 of port wan0 is already that of tunnel \"gw\"; "
      "give another as listen"}},
    {"peer_twice",
     kBase + far(kPeer) + far("peer = \"198.51.100.1:7000\"", "c"),
     {"p.toml:19:1: tunnel \"c\": UDP port 6080 of port wan0 is already that of tunnel \"b\"; give "
      "another as listen"}},
    {"standby_twice",
     kBase + far(kPeer) + "[[rule]]\nname = \"r\"\ntunnel = [\"b\", \"b\"]\n",
     {"p.toml:21:16: rule \"r\": tunnel \"b\" is given twice; remove one"}},
    {"standby_behind_what_is_not_probed",
     kBase + far(kPeer) + "[[rule]]\nname = \"r\"\ntunnel = [\"gw\", \"b\"]\n",
     {"p.toml:21:11: rule \"r\": whether tunnel \"gw\" works is not found out, as it is sctp-udp, "
      "so nothing behind it would ever be used; make it the last"}},
    {"standby_unknown",
     kBase + far(kPeer) + "[[rule]]\nname = \"r\"\ntunnel = [\"b\", \"c\"]\n",
     {"p.toml:21:16: rule \"r\": tunnel \"c\" is no [[tunnel]]'s name; there are: gw, b"}},
    {"revert_new",
     kBase + far(kPeer) + "[[rule]]\nname = \"r\"\ntunnel = [\"b\", \"gw\"]\nrevert = \"new\"\n",
     {"p.toml:22:10: rule \"r\": revert = \"new\": this version does not do tracking of "
      "associations; give \"all\" or \"never\""}},
    {"revert_word",
     kBase + far(kPeer) + "[[rule]]\nname = \"r\"\ntunnel = [\"b\", \"gw\"]\nrevert = \"some\"\n",
     {"p.toml:22:10: rule \"r\": revert \"some\" is unknown; give \"all\" or \"never\""}},
    {"revert_of_one",
     kBase + far(kPeer) + "[[rule]]\nname = \"r\"\ntunnel = \"b\"\nrevert = \"all\"\n",
     {"p.toml:22:10: rule \"r\": revert is about standby tunnels, and there is none; give a second "
      "tunnel, or remove it"}},
};
INSTANTIATE_TEST_SUITE_P(IpUdp, ConfigMistake, testing::ValuesIn(kIpUdp), case_name);

}  // namespace
}  // namespace penstock::engine
