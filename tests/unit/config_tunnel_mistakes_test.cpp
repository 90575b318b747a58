// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// Mistakes of [[route]], [[tunnel]] and [[rule]].

#include "tests/unit/config_cases.hpp"

namespace penstock::engine {
namespace {

const Case kRoute[] = {
    {"empty",
     kBase + "[[route]]\n",
     {"p.toml:14:1: [[route]]: no to; give a prefix; \"0.0.0.0/0\" is all of IPv4",
      "p.toml:14:1: [[route]]: no next-hop; give the address of a router in a port's network"}},
    {"to",
     route("0.0.0.0/33", "203.0.113.14"),
     {"p.toml:15:6: route \"0.0.0.0/33\": to \"0.0.0.0/33\" is not a prefix such as \"10.0.0.0/8\" "
      "or \"2001:db8::/32\""}},
    {"to_host_bits",
     route("10.0.0.1/8", "203.0.113.14"),
     {"p.toml:15:6: route \"10.0.0.1/8\": to \"10.0.0.1/8\" has bits set behind its length; write "
      "\"10.0.0.0/8\" or \"10.0.0.1\""}},
    {"to_connected",
     route("10.10.0.0/24", "203.0.113.14"),
     {"p.toml:15:6: route \"10.10.0.0/24\": this is port \"core0\"'s own network; remove the "
      "route"}},
    {"to_multicast",
     route("ff00::/8", "2001:db8:1::2"),
     {"p.toml:15:6: route \"ff00::/8\": multicast is not routed; remove the route"}},
    {"next_hop",
     route("10.0.0.0/8", "router"),
     {"p.toml:16:12: route \"10.0.0.0/8\": next-hop \"router\" is not an IPv4 or IPv6 address"}},
    {"next_hop_far",
     route("10.0.0.0/8", "198.51.100.1"),
     {"p.toml:16:12: route \"10.0.0.0/8\": next-hop 198.51.100.1 is in no port's network; give the "
      "address of a neighbour"}},
    {"next_hops_many",
     kBase + "[[route]]\nto = \"192.0.2.0/24\"\nnext-hop = [\"203.0.113.2\", \"203.0.113.3\", "
             "\"203.0.113.4\", \"203.0.113.5\", \"203.0.113.6\"]\n",
     {"p.toml:16:12: route \"192.0.2.0/24\": next-hop has 5 values, and 4 is the limit"}},
    {"next_hops_second",
     kBase + "[[route]]\nto = \"192.0.2.0/24\"\nnext-hop = [\"203.0.113.2\", \"192.0.2.9\"]\n",
     {"p.toml:16:28: route \"192.0.2.0/24\": next-hop 192.0.2.9 is in no port's network; give the "
      "address of a neighbour"}},
    {"next_hop_own",
     route("10.0.0.0/8", "203.0.113.1"),
     {"p.toml:16:12: route \"10.0.0.0/8\": next-hop 203.0.113.1 is port \"wan0\"'s own address; "
      "give the router's"}},
    {"next_hop_broadcast",
     route("10.0.0.0/8", "203.0.113.15"),
     {"p.toml:16:12: route \"10.0.0.0/8\": next-hop 203.0.113.15 is no host's address in "
      "203.0.113.0/28; give the router's"}},
    {"next_hop_family",
     route("10.0.0.0/8", "2001:db8:1::2"),
     {"p.toml:16:12: route \"10.0.0.0/8\": next-hop 2001:db8:1::2 is IPv6; give an IPv4 address"}},
    {"next_hop_link_local",
     route("::/0", "fe80::1"),
     {"p.toml:16:12: route \"::/0\": next-hop \"fe80::1\" is link-local, which this version does "
      "not take; give a unicast address"}},
    {"twice",
     route("10.0.0.0/8", "203.0.113.2") + "[[route]]\nto = \"10.0.0.0/8\"\n"
                                          "next-hop = \"203.0.113.3\"\n",
     {"p.toml:18:6: route \"10.0.0.0/8\": there is one already, of line 14; remove one"}},
};
INSTANTIATE_TEST_SUITE_P(Route, ConfigMistake, testing::ValuesIn(kRoute), case_name);

const Case kTunnel[] = {
    {"empty",
     kBase + "[[tunnel]]\n",
     {"p.toml:14:1: [[tunnel]]: no name; give it one: every other table refers to it by name",
      "p.toml:14:1: [[tunnel]]: no via; give \"sctp-udp\" or \"ip-udp\"",
      "p.toml:14:1: [[tunnel]]: no port; give the name of the [[port]] where its UDP packets are",
      "p.toml:14:1: [[tunnel]]: no hosts; give the native hosts' prefixes, whose packets are to be "
      "unwrapped"}},
    {"name_twice",
     kBase + "[[tunnel]]\nname = \"gw\"\nvia = \"sctp-udp\"\nport = \"core0\"\n" + kHosts,
     {"p.toml:15:8: tunnel \"gw\": the name is taken by a tunnel of line 9; give another"}},
    {"via",
     kBase + "[[tunnel]]\nname = \"b\"\nvia = \"gre\"\n",
     {"p.toml:16:7: tunnel \"b\": via \"gre\" is unknown; give \"sctp-udp\" or \"ip-udp\""}},
    {"via_not_yet",
     kBase + "[[tunnel]]\nname = \"b\"\nvia = \"tcp\"\nport = \"wan0\"\nrole = \"connect\"\n"
             "peer = \"198.51.100.9:9900\"\nstreams = 1\n",
     {"p.toml:16:7: tunnel \"b\": this version does not do via = \"tcp\"; give \"sctp-udp\" or "
      "\"ip-udp\"",
      "p.toml:18:1: tunnel \"b\": role: this version does not do tunnels over TCP; remove it",
      "p.toml:20:1: tunnel \"b\": streams: this version does not do tunnels over TCP; remove it"}},
    {"port",
     kBase + "[[tunnel]]\nname = \"b\"\nvia = \"sctp-udp\"\nport = \"wan1\"\n" + kHosts,
     {"p.toml:17:8: tunnel \"b\": port \"wan1\" is no [[port]]'s name; did you mean \"wan0\"?"}},
    {"port_far",
     kBase + "[[tunnel]]\nname = \"b\"\nvia = \"sctp-udp\"\nport = \"dmz\"\n" + kHosts,
     {"p.toml:17:8: tunnel \"b\": port \"dmz\" is no [[port]]'s name; there are: core0, wan0"}},
    {"listen_zero",
     tunnel("listen = 0\nhosts = \"10.10.0.0/24\""),
     {"p.toml:18:10: tunnel \"b\": listen 0 is out of range; give 1 to 65535"}},
    {"listen_high",
     tunnel("listen = 65536\nhosts = \"10.10.0.0/24\""),
     {"p.toml:18:10: tunnel \"b\": listen 65536 is out of range; give 1 to 65535"}},
    {"listen_twice",
     tunnel("listen = 9899\nhosts = \"10.10.0.0/24\""),
     {"p.toml:18:10: tunnel \"b\": UDP port 9899 of port wan0 is already that of tunnel \"gw\"; "
      "give another as listen"}},
    {"listen_twice_by_default",
     tunnel("hosts = \"10.10.0.0/24\""),
     {"p.toml:14:1: tunnel \"b\": UDP port 9899 of port wan0 is already that of tunnel \"gw\"; "
      "give "
      "another as listen"}},
    {"hosts_none",
     tunnel("listen = 9900\nhosts = []"),
     {"p.toml:19:9: tunnel \"b\": hosts is an empty list; give at least one value"}},
    {"hosts_twice",
     tunnel("listen = 9900\nhosts = [\"10.10.0.0/24\", \"10.10.0.0/24\"]"),
     {"p.toml:19:26: tunnel \"b\": hosts \"10.10.0.0/24\" is given twice; remove one"}},
    {"hosts_many",
     tunnel("listen = 9900\nhosts = [" + many(257, "\"10.#.0.0/24\",") + "]"),
     {"p.toml:19:9: tunnel \"b\": hosts has 257 values, and 256 is the limit"}},
    {"peer_learn",
     tunnel(kHosts + "peer = \"learn\""),
     {"p.toml:20:8: tunnel \"b\": peer = \"learn\": this version does not learn the peers' UDP "
      "ports; give \"address:port\", or leave peer out and give default-port"}},
    {"peer_bare",
     tunnel(kHosts + "peer = \"198.51.100.1\""),
     {"p.toml:20:8: tunnel \"b\": peer \"198.51.100.1\" lacks the UDP port; write "
      "\"198.51.100.1:9899\""}},
    {"peer_bare6",
     tunnel(kHosts6 + "peer = \"2001:db8:2::1\""),
     {"p.toml:20:8: tunnel \"b\": peer \"2001:db8:2::1\" lacks brackets and the UDP port; write "
      "\"[2001:db8:2::1]:9899\""}},
    {"peer_shape",
     tunnel(kHosts + "peer = [\"gw.example:9899\", \"[198.51.100.1]:9\"]"),
     {"p.toml:20:9: tunnel \"b\": peer \"gw.example:9899\" is not a peer; write "
      "\"198.51.100.1:9899\" or \"[2001:db8::1]:9899\"",
      "p.toml:20:28: tunnel \"b\": peer \"[198.51.100.1]:9\" is not a peer; write "
      "\"198.51.100.1:9899\" or \"[2001:db8::1]:9899\""}},
    {"peer_port",
     tunnel(kHosts + "peer = [\"198.51.100.1:0\", \"198.51.100.1:65536\"]"),
     {"p.toml:20:9: tunnel \"b\": peer \"198.51.100.1:0\" has no UDP port behind its address; give "
      "1 to 65535",
      "p.toml:20:27: tunnel \"b\": peer \"198.51.100.1:65536\" has no UDP port behind its address; "
      "give 1 to 65535"}},
    {"peer_multicast",
     tunnel(kHosts + "peer = \"224.0.0.1:9899\""),
     {"p.toml:20:8: tunnel \"b\": peer \"224.0.0.1:9899\" is multicast; give a unicast address"}},
    {"peer_own",
     tunnel(kHosts + "peer = \"203.0.113.1:9899\""),
     {"p.toml:20:8: tunnel \"b\": peer 203.0.113.1 is port \"wan0\"'s own address; give the "
      "peer's"}},
    {"peer_in_hosts",
     tunnel(kHosts + "peer = \"10.10.0.9:9899\""),
     {"p.toml:20:8: tunnel \"b\": peer 10.10.0.9 is inside hosts 10.10.0.0/24, where nobody "
      "encapsulates; remove it, or narrow hosts"}},
    {"peer_outside_sources",
     tunnel(kHosts + "sources = \"198.51.100.0/25\"\npeer = \"198.51.100.128:9899\""),
     {"p.toml:21:8: tunnel \"b\": peer 198.51.100.128 is outside of sources, so its packets would "
      "be dropped; add it there"}},
    {"peer_twice",
     tunnel(kHosts + "peer = [\"198.51.100.1:1\", \"198.51.100.1:2\"]"),
     {"p.toml:20:27: tunnel \"b\": peer 198.51.100.1 has two UDP ports; remove one"}},
    {"peer_family",
     tunnel(kHosts + "peer = \"[2001:db8:2::1]:9899\""),
     {"p.toml:20:8: tunnel \"b\": peer 2001:db8:2::1 is IPv6, and no prefix of hosts is; add one, "
      "or remove the peer"}},
    {"families_of_the_port",
     "[[port]]\nname = \"w\"\ndevice = \"net_null0\"\naddress = \"203.0.113.1/28\"\n[[tunnel]]\n"
     "name = \"b\"\nvia = \"sctp-udp\"\nport = \"w\"\nhosts = \"2001:db8:a::/64\"\n"
     "sources = \"2001:db8:2::/64\"\npeer = \"[2001:db8:2::1]:9\"\n",
     {"p.toml:9:9: tunnel \"b\": hosts 2001:db8:a::/64 is IPv6, and port w has no such address; "
      "add "
      "one to it",
      "p.toml:10:11: tunnel \"b\": sources 2001:db8:2::/64 is IPv6, and port w has no such "
      "address; "
      "add one to it",
      "p.toml:11:8: tunnel \"b\": peer 2001:db8:2::1 is IPv6, and port w has no such address; add "
      "one to it"}},
    {"default_port",
     tunnel(kHosts + "default-port = 65536"),
     {"p.toml:20:16: tunnel \"b\": default-port 65536 is out of range; give 1 to 65535"}},
    {"nobody_to_send_to",
     tunnel(kHosts + "default-port = \"none\""),
     {"p.toml:20:16: tunnel \"b\": default-port is \"none\" and there is no peer, so nothing could "
      "ever be sent; give either"}},
    {"mtu_above_port",
     tunnel(kHosts + "mtu = 99999"),
     {"p.toml:20:7: tunnel \"b\": mtu 99999 is above port wan0's 1500; lower it, or raise that"}},
    {"mtu_low",
     tunnel(kHosts + "mtu = 575"),
     {"p.toml:20:7: tunnel \"b\": mtu 575 is below 576, the least there is; raise it"}},
    {"mtu_negative",
     tunnel(kHosts + "mtu = -9223372036854775808"),
     {"p.toml:20:7: tunnel \"b\": mtu -9223372036854775808 is below 576, the least there is; raise "
      "it"}},
    {"mtu_low6",
     tunnel(kHosts6 + "mtu = 1287"),
     {"p.toml:20:7: tunnel \"b\": mtu 1287 is below 1288, which IPv6 needs with UDP; raise it"}},
    {"mtu_port_unknown",
     kBase + "[[tunnel]]\nname = \"b\"\nvia = \"sctp-udp\"\nport = \"wan1\"\n" + kHosts +
         "mtu = 9601\n",
     {"p.toml:17:8: tunnel \"b\": port \"wan1\" is no [[port]]'s name; did you mean \"wan0\"?",
      "p.toml:20:7: tunnel \"b\": mtu 9601 is above 9600, the most there is; lower it"}},
    {"mtu_auto6",
     "[[port]]\nname = \"w\"\ndevice = \"net_null0\"\naddress = \"2001:db8:1::1/64\"\nmtu = 1280\n"
     "[[tunnel]]\nname = \"b\"\nvia = \"sctp-udp\"\nport = \"w\"\nhosts = \"2001:db8:a::/64\"\n",
     {"p.toml:6:1: tunnel \"b\": port w's mtu 1280 is below 1288, which IPv6 needs with UDP; raise "
      "that"}},
    {"publish",
     tunnel(kHosts + "publish = [{ sctp-port = 38412, host = \"10.10.0.7\" }]"),
     {"p.toml:20:1: tunnel \"b\": publish: this version does not do published SCTP ports; remove "
      "it"}},
    {"unknown_key",
     tunnel(kHosts + "lisen = 9"),
     {"p.toml:20:1: tunnel \"b\": unknown key \"lisen\"; did you mean \"listen\"?"}},
    {"many",
     kBase + many(64,
                  "[[tunnel]]\nname = \"t#\"\nvia = \"sctp-udp\"\nport = \"wan0\"\n"
                  "listen = 1#\nhosts = \"10.10.0.0/24\"\n"),
     {"p.toml:392:1: 65 of [[tunnel]], and 64 is the limit"}},
};
INSTANTIATE_TEST_SUITE_P(Tunnel, ConfigMistake, testing::ValuesIn(kTunnel), case_name);

const Case kRule[] = {
    {"empty",
     kBase + "[[rule]]\n",
     {"p.toml:14:1: [[rule]]: no name; give it one: every other table refers to it by name",
      "p.toml:14:1: [[rule]]: neither tunnel nor action; give one of them"}},
    {"name_twice",
     rule("action = \"drop\"") + "[[rule]]\nname = \"r\"\naction = \"drop\"\n",
     {"p.toml:18:8: rule \"r\": the name is taken by a rule of line 14; give another"}},
    {"both",
     rule("tunnel = \"gw\"\naction = \"drop\""),
     {"p.toml:17:10: rule \"r\": both tunnel and action; give one of them"}},
    {"action",
     rule("action = \"permit\""),
     {"p.toml:16:10: rule \"r\": action \"permit\" is unknown; give \"bypass\" or \"drop\""}},
    {"from",
     rule("from = \"core1\"\naction = \"drop\""),
     {"p.toml:16:8: rule \"r\": from \"core1\" is neither a [[port]]'s nor a [[tunnel]]'s name; "
      "did "
      "you mean \"core0\"?"}},
    {"tunnel",
     rule("tunnel = \"gw-b\""),
     {"p.toml:16:10: rule \"r\": tunnel \"gw-b\" is no [[tunnel]]'s name; there is: gw"}},
    {"tunnel_far",
     rule("tunnel = [\"elsewhere\"]"),
     {"p.toml:16:11: rule \"r\": tunnel \"elsewhere\" is no [[tunnel]]'s name; there is: gw"}},
    {"tunnel_none",
     rule("tunnel = []"),
     {"p.toml:16:10: rule \"r\": tunnel is an empty list; give at least one value"}},
    {"into_itself",
     rule("from = \"gw\"\ntunnel = \"gw\""),
     {"p.toml:17:10: rule \"r\": what came out of tunnel \"gw\" would go back into it; give "
      "another "
      "tunnel, or action"}},
    {"to",
     rule("to = [\"10.0.0.0/8\", \"10.1/16\"]\naction = \"drop\""),
     {"p.toml:16:21: rule \"r\": to \"10.1/16\" is not a prefix such as \"10.0.0.0/8\" or "
      "\"2001:db8::/32\""}},
    {"to_none",
     rule("to = []\naction = \"drop\""),
     {"p.toml:16:6: rule \"r\": to is an empty list; give at least one value"}},
    {"families",
     rule("to = \"10.0.0.0/8\"\nsource = \"2001:db8::/32\"\naction = \"drop\""),
     {"p.toml:17:10: rule \"r\": to and source are of different families, so no packet matches; "
      "correct one"}},
    {"family_of_tunnel",
     tunnel(kHosts) + "[[rule]]\nname = \"r\"\nto = \"2001:db8:2::/64\"\n"
                      "tunnel = \"b\"\n",
     {"p.toml:23:6: rule \"r\": to 2001:db8:2::/64 is IPv6, and no prefix of tunnel \"b\"'s hosts "
      "is; add one there, or remove it here"}},
    {"sctp_port",
     rule("sctp-port = [0, 65536]\naction = \"drop\""),
     {"p.toml:16:14: rule \"r\": sctp-port 0 is out of range; give 1 to 65535",
      "p.toml:16:17: rule \"r\": sctp-port 65536 is out of range; give 1 to 65535"}},
    {"sctp_port_twice",
     rule("sctp-port = [7, 7]\naction = \"drop\""),
     {"p.toml:16:17: rule \"r\": sctp-port 7 is given twice; remove one"}},
    {"sctp_port_many",
     rule("sctp-port = [1" + many(64, ",1#") + "]\naction = \"drop\""),
     {"p.toml:16:13: rule \"r\": sctp-port has 65 values, and 64 is the limit"}},
    {"many",
     kBase + many(1025, "[[rule]]\nname = \"r#\"\naction = \"drop\"\n"),
     {"p.toml:3086:1: 1025 of [[rule]], and 1024 is the limit"}},
};
INSTANTIATE_TEST_SUITE_P(Rule, ConfigMistake, testing::ValuesIn(kRule), case_name);

}  // namespace
}  // namespace penstock::engine
