// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// What is legal and hardly meant, and mistakes that only two tables together show.

#include "tests/unit/config_cases.hpp"

namespace penstock::engine {
namespace {

class ConfigWarning : public testing::TestWithParam<Case> {};

TEST_P(ConfigWarning, IsGivenInExactlyTheseLines) {
  EXPECT_EQ(warnings(GetParam().text), GetParam().lines);
}

class ConfigReach : public testing::TestWithParam<Case> {};

TEST_P(ConfigReach, IsReportedInExactlyTheseLines) {
  EXPECT_EQ(mistakes(GetParam().text), GetParam().lines);
}

/// A tunnel via ip-udp on wan0, lines 14 to 18.
const std::string kFar = kBase +
                         "[[tunnel]]\nname = \"b\"\nvia = \"ip-udp\"\nport = \"wan0\"\npeer = "
                         "\"198.51.100.1:6080\"\n";
std::string way(const std::string& to, const std::string& next_hop) {
  return kFar + "[[route]]\nto = \"" + to + "\"\nnext-hop = " + next_hop + "\n";
}
std::string then(const std::string& keys, const std::string& name = "s") {
  return "[[rule]]\nname = \"" + name + "\"\n" + keys + "\n";
}
/// A wire of east and west, and a tunnel on west; lines 1 to 13. A rule's keys begin on line 16.
std::string wire(const std::string& keys, const std::string& tunnel) {
  return "[[port]]\nname = \"east\"\ndevice = \"net_null0\"\n"
         "[[port]]\nname = \"west\"\ndevice = \"net_null1\"\n"
         "[[wire]]\nports = [\"east\", \"west\"]\n"
         "[[tunnel]]\nname = \"gw\"\nport = \"west\"\n" +
         tunnel + "\n" + keys;
}
const std::string kSctpUdp = "via = \"sctp-udp\"\nhosts = \"10.10.0.0/24\"";

const Case kWarnings[] = {
    {"none", kBase, {}},
    {"no_route",
     kFar,
     {"p.toml:18:8: warning: tunnel \"b\": no route to peer 198.51.100.1, so the tunnel stays "
      "down; "
      "add a [[route]] by port wan0"}},
    {"no_route_of_that_length",
     way("198.51.100.0/32", "\"203.0.113.14\""),
     {"p.toml:18:8: warning: tunnel \"b\": no route to peer 198.51.100.1, so the tunnel stays "
      "down; "
      "add a [[route]] by port wan0"}},
    {"route", way("198.51.100.0/24", "\"203.0.113.14\""), {}},
    {"one_next_hop_by_the_port", way("0.0.0.0/0", "[\"10.10.0.9\", \"203.0.113.14\"]"), {}},
    {"source_outside_hosts",
     rule("source = [\"10.10.0.128/25\", \"10.11.0.0/24\", \"10.0.0.0/8\"]\ntunnel = \"gw\""),
     {"p.toml:16:29: warning: rule \"r\": source 10.11.0.0/24 is not within the hosts of tunnel "
      "\"gw\", so answers would reach it as UDP; add it there, or narrow it here",
      "p.toml:16:45: warning: rule \"r\": source 10.0.0.0/8 is not within the hosts of tunnel "
      "\"gw\", so answers would reach it as UDP; add it there, or narrow it here"}},
    {"kernel_of_af_packet",
     kBase + "[[port]]\nname = \"x\"\ndevice = \"net_af_packet0,iface=eth1\"\n"
             "address = \"192.0.2.1/24\"\nkernel = \"pst0\"\n",
     {"p.toml:18:10: warning: port \"x\": kernel, and device \"net_af_packet0,iface=eth1\" is an "
      "interface that the host has anyway: it hears everything twice; remove kernel, or give it "
      "another device"}},
    {"shadowed",
     rule("to = \"10.20.0.0/16\"\naction = \"drop\"") +
         then("to = \"10.20.1.0/24\"\nsctp-port = 5000\naction = \"bypass\""),
     {"p.toml:18:1: warning: rule \"s\": nothing reaches it: rule \"r\" of line 14 decides about "
      "all that it matches; put it in front, or remove it"}},
    {"shadowed_by_everything",
     rule("action = \"bypass\"") + then("from = \"core0\"\ntunnel = \"gw\""),
     {"p.toml:17:1: warning: rule \"s\": nothing reaches it: rule \"r\" of line 14 decides about "
      "all that it matches; put it in front, or remove it"}},
    {"shadowed_but_for_tunnels",
     rule("to = \"10.20.0.0/16\"\ntunnel = \"gw\"") +
         then("to = \"10.20.1.0/24\"\naction = \"drop\""),
     {"p.toml:18:1: warning: rule \"s\": nothing but what comes out of a tunnel reaches it: rule "
      "\"r\" of line 14 decides about all that it matches; put it in front, or remove it"}},
    {"shadowed_by_ports",
     rule("sctp-port = [5000, 5001]\naction = \"drop\"") +
         then("sctp-port = 5001\naction = \"bypass\""),
     {"p.toml:18:1: warning: rule \"s\": nothing reaches it: rule \"r\" of line 14 decides about "
      "all that it matches; put it in front, or remove it"}},
    {"not_shadowed_wider",
     rule("to = \"10.20.1.0/24\"\naction = \"drop\"") +
         then("to = \"10.20.0.0/16\"\naction = \"bypass\""),
     {}},
    {"not_shadowed_ports",
     rule("sctp-port = 5000\naction = \"drop\"") + then("action = \"bypass\""),
     {}},
    {"not_shadowed_family",
     rule("to = \"0.0.0.0/0\"\naction = \"drop\"") + then("action = \"bypass\""),
     {}},
    {"not_shadowed_from",
     rule("from = \"core0\"\naction = \"drop\"") + then("from = \"wan0\"\naction = \"drop\""),
     {}},
    {"not_shadowed_from_tunnel",
     rule("tunnel = \"gw\"") + then("from = \"gw\"\naction = \"drop\""),
     {}},
    {"not_shadowed_source",
     rule("source = \"10.10.0.0/25\"\naction = \"drop\"") + then("action = \"bypass\""),
     {}},
    {"wire",
     wire(then("from = \"east\"\ntunnel = \"gw\"") + then("tunnel = \"gw\"", "t"), kSctpUdp),
     {}},
};
INSTANTIATE_TEST_SUITE_P(All, ConfigWarning, testing::ValuesIn(kWarnings), case_name);

const Case kReach[] = {
    {"route_by_another_port",
     way("198.51.100.0/24", "\"10.10.0.9\""),
     {"p.toml:18:8: tunnel \"b\": the route to peer 198.51.100.1 leaves by port core0, and the "
      "tunnel is on port wan0; correct the [[route]], or the port"}},
    {"peer_in_another_network",
     kBase + "[[tunnel]]\nname = \"b\"\nvia = \"ip-udp\"\nport = \"wan0\"\npeer = "
             "\"10.10.0.9:6080\"\n",
     {"p.toml:18:8: tunnel \"b\": the route to peer 10.10.0.9 leaves by port core0, and the tunnel "
      "is on port wan0; correct the [[route]], or the port"}},
    {"wire_back_into_the_tunnel",
     wire(then("from = \"west\"\ntunnel = \"gw\""), kSctpUdp),
     {"p.toml:16:8: rule \"s\": what comes in by port west does not leave by port west, where "
      "tunnel "
      "\"gw\" is; give from = \"east\", the other end of the wire"}},
    {"wire_with_ip_udp",
     wire("", "via = \"ip-udp\"\npeer = \"198.51.100.1:6080\""),
     {"p.toml:11:8: tunnel \"gw\": port west is the end of a wire and has no address to send from; "
      "give via = \"sctp-udp\", or a port that is none"}},
    {"member_of_a_bond",
     kBase + "[[port]]\nname = \"x\"\ndevice = \"net_bonding0,mode=4,member=3B:00.1,member="
             "0000:af:00.1\"\naddress = \"192.0.2.1/24\"\n",
     {"p.toml:16:10: port \"x\": device \"net_bonding0,mode=4,member=3B:00.1,member=0000:af:00.1\" "
      "is already that of port \"wan0\"; give another"}},
    {"member_of_two_bonds",
     "[[port]]\nname = \"x\"\ndevice = \"net_bonding0,member=(net_tap0,iface=a)\"\n"
     "address = \"192.0.2.1/24\"\n"
     "[[port]]\nname = \"y\"\ndevice = "
     "\"net_bonding1,mode=1,member=(net_tap1,iface=a),primary=0\"\n"
     "address = \"192.0.3.1/24\"\n",
     {"p.toml:7:10: port \"y\": device \"net_bonding1,mode=1,member=(net_tap1,iface=a),primary=0\" "
      "is "
      "already that of port \"x\"; give another"}},
};
INSTANTIATE_TEST_SUITE_P(All, ConfigReach, testing::ValuesIn(kReach), case_name);

}  // namespace
}  // namespace penstock::engine
