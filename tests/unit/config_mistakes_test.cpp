// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// Mistakes of the file as a whole, of [engine], [control] and [[port]]: each with the exact
// lines that the operator reads.

#include "tests/unit/config_cases.hpp"

namespace penstock::engine {
namespace {

TEST_P(ConfigMistake, IsReportedInExactlyTheseLines) {
  EXPECT_EQ(mistakes(GetParam().text), GetParam().lines);
}

/// A port without an address, lines 14 to 16.
const std::string kEast = "[[port]]\nname = \"east\"\ndevice = \"net_null0\"\n";

const Case kFile[] = {
    {"nothing",
     "",
     {"p.toml:1:1: no [[port]], so nothing can come in or go out; add one with "
      "name, device and address"}},
    {"syntax",
     kBase + "[[rule]]\nname = \n",
     {"p.toml:15:8: not TOML: while parsing key-value pair: expected value, saw '\\n'"}},
    {"same_key_twice",
     engine("idle = \"poll\"\nidle = \"poll\""),
     {"p.toml:3:8: not TOML: while parsing key-value pair: cannot redefine existing string "
      "'idle'"}},
    {"unknown_table",
     kBase + "[[tunel]]\nname = \"x\"\n",
     {"p.toml:14:3: unknown key \"tunel\"; did you mean \"tunnel\"?"}},
    {"unknown_table_far",
     kBase + "[bgp]\n",
     {"p.toml:14:2: unknown key \"bgp\"; there are: engine, control, port, route, tunnel, rule, "
      "wire"}},
    {"key_with_line_break",
     kBase + "\"a\\nb\" = 1\n",
     {"p.toml:14:1: tunnel \"gw\": unknown key \"a\\x0ab\"; there are: name, via, port, listen, "
      "hosts, sources, peer, default-port, mtu, ttl, liveness"}},
    {"wire_addressed",
     kBase + "[[wire]]\nports = [\"core0\", \"wan0\"]\n",
     {"p.toml:15:10: wire: port \"core0\" has an address or a vlan, and the end of a wire has "
      "none; "
      "remove it there",
      "p.toml:15:19: wire: port \"wan0\" has an address or a vlan, and the end of a wire has none; "
      "remove it there"}},
    {"wire_alone",
     "[[wire]]\n",
     {"p.toml:1:1: [[wire]]: no ports; give the names of two ports: [\"east\", \"west\"]",
      "p.toml:1:1: no [[port]], so nothing can come in or go out; add one with name, device and "
      "address"}},
    {"wire_one_end",
     kBase + kEast + "[[wire]]\nports = [\"east\"]\n",
     {"p.toml:18:10: [[wire]]: ports has one name, and a wire has two ends; give both"}},
    {"wire_unknown_end",
     kBase + kEast + "[[wire]]\nports = [\"east\", \"west\"]\n",
     {"p.toml:18:18: wire: \"west\" is no [[port]]'s name; there are: core0, wan0, east"}},
    {"wire_mtus",
     kBase + kEast + "[[port]]\nname = \"west\"\ndevice = \"net_null1\"\nmtu = 9000\n" +
         "[[wire]]\nports = [\"east\", \"west\"]\n",
     {"p.toml:21:1: wire: port \"east\" has mtu 1500 and port \"west\" has 9000; give both the "
      "same, "
      "what fits in must fit out"}},
    {"wire_same_end",
     kBase + kEast + "[[wire]]\nports = [\"east\", \"east\"]\n",
     {"p.toml:18:18: wire: port \"east\" is an end already, in line 18; give another"}},
    {"one_bracket",
     kBase + "[rule]\nname = \"x\"\naction = \"drop\"\n",
     {"p.toml:14:1: rule is a table; write [[rule]] above its keys"}},
    {"two_brackets",
     kBase + "[[engine]]\nidle = \"poll\"\n",
     {"p.toml:14:1: engine is a list; write [engine], once, above its keys"}},
    {"not_tables",
     "rule = [1]\n" + kBase,
     {"p.toml:1:9: rule wants tables, and this is a whole number; write [[rule]] above its keys"}},
    {"too_many_dots",
     std::string("[") + many(40000, "a.") + "a]\n",
     {"p.toml:1:131: more than 64 dots in a row; put values into quotes and tables into brackets"}},
    {"too_large",
     std::string((1 << 20) + 1, '#'),
     {"p.toml:1:1: the file is larger than 1048576 bytes; is it a configuration?"}},
    {"spread",
     engine("spread = \"rss\""),
     {"p.toml:2:10: [engine]: spread \"rss\" is unknown; give \"nic\" or \"software\""}},
    {"several_at_once_in_order",
     engine("idle = \"fast\"\nmemory = 0\nturbo = true"),
     {"p.toml:2:8: [engine]: idle \"fast\" is unknown; give \"poll\" or \"adaptive\"",
      "p.toml:3:10: [engine]: memory 0 is out of range; give 32 to 1048576",
      "p.toml:4:1: [engine]: unknown key \"turbo\"; there are: main-core, workers, idle, "
      "hugepages, memory, neighbors, icmp-rate, fragment-memory, fragment-timeout, verify, "
      "spread"}},
};
INSTANTIATE_TEST_SUITE_P(File, ConfigMistake, testing::ValuesIn(kFile), case_name);

const Case kEngine[] = {
    {"near_key",
     engine("worker = 1"),
     {"p.toml:2:1: [engine]: unknown key \"worker\"; did you mean \"workers\"?"}},
    {"kind",
     engine("memory = \"1\""),
     {"p.toml:2:10: [engine]: memory wants a whole number, and this is a string"}},
    {"workers_zero",
     engine("workers = 0"),
     {"p.toml:2:11: [engine]: workers 0 is out of range; give 1 to 64"}},
    {"workers_many",
     engine("workers = 65"),
     {"p.toml:2:11: [engine]: workers 65 is out of range; give 1 to 64"}},
    {"workers_word",
     engine("workers = \"all\""),
     {"p.toml:2:11: [engine]: workers \"all\" is unknown; give \"auto\", a number of workers, or a "
      "list of cores"}},
    {"workers_none",
     engine("workers = []"),
     {"p.toml:2:11: [engine]: workers is an empty list; give at least one value"}},
    {"workers_long_list",
     engine("workers = [" + many(65, "#,") + "]"),
     {"p.toml:2:11: [engine]: workers has 65 values, and 64 is the limit"}},
    {"core_twice",
     engine("workers = [2, 4, 2]"),
     {"p.toml:2:18: [engine]: workers 2 is given twice; remove one"}},
    {"core_range",
     engine("workers = [1024, -1]"),
     {"p.toml:2:12: [engine]: workers 1024 is out of range; give 0 to 1023",
      "p.toml:2:18: [engine]: workers -1 is out of range; give 0 to 1023"}},
    {"main_core_range",
     engine("main-core = 1024"),
     {"p.toml:2:13: [engine]: main-core 1024 is out of range; give 0 to 1023"}},
    {"main_core_polls",
     engine("main-core = 1\nworkers = [1]"),
     {"p.toml:2:13: [engine]: main-core 1 is a worker's too, and a polling worker never yields; "
      "give another, leave it out, or set idle = \"adaptive\""}},
    {"hugepages",
     engine("hugepages = \"yes\""),
     {"p.toml:2:13: [engine]: hugepages \"yes\" is unknown; give \"auto\" or \"require\" or "
      "\"none\""}},
    {"memory_high",
     engine("memory = 1048577"),
     {"p.toml:2:10: [engine]: memory 1048577 is out of range; give 32 to 1048576"}},
    {"memory_low",
     engine("memory = 31"),
     {"p.toml:2:10: [engine]: memory 31 is out of range; give 32 to 1048576"}},
    {"neighbors_low",
     engine("neighbors = 15"),
     {"p.toml:2:13: [engine]: neighbors 15 is out of range; give 16 to 1048576"}},
    {"neighbors_high",
     engine("neighbors = 1048577"),
     {"p.toml:2:13: [engine]: neighbors 1048577 is out of range; give 16 to 1048576"}},
    {"icmp_rate_low",
     engine("icmp-rate = -1"),
     {"p.toml:2:13: [engine]: icmp-rate -1 is out of range; give 0 to 1000000"}},
    {"icmp_rate_high",
     engine("icmp-rate = 1000001"),
     {"p.toml:2:13: [engine]: icmp-rate 1000001 is out of range; give 0 to 1000000"}},
    {"fragment_memory_low",
     engine("fragment-memory = 0"),
     {"p.toml:2:19: [engine]: fragment-memory 0 is out of range; give 1 to 256"}},
    {"fragment_memory_high",
     engine("fragment-memory = 257"),
     {"p.toml:2:19: [engine]: fragment-memory 257 is out of range; give 1 to 256"}},
    {"fragment_timeout_low",
     engine("fragment-timeout = 0"),
     {"p.toml:2:20: [engine]: fragment-timeout 0 is out of range; give 1 to 60"}},
    {"fragment_timeout_high",
     engine("fragment-timeout = 61"),
     {"p.toml:2:20: [engine]: fragment-timeout 61 is out of range; give 1 to 60"}},
    {"verify",
     engine("verify = true"),
     {"p.toml:2:10: [engine]: verify wants a string, and this is a truth value"}},
    {"not_yet",
     engine("pickup = 120"),
     {"p.toml:2:1: [engine]: pickup: this version does not do tracking of associations; remove "
      "it"}},
    {"socket_relative",
     kBase + "[control]\nsocket = \"c.sock\"\n",
     {"p.toml:15:10: [control]: socket \"c.sock\" is not an absolute path; begin it with \"/\""}},
    {"socket_folder",
     kBase + "[control]\nsocket = \"/run/\"\n",
     {"p.toml:15:10: [control]: socket \"/run/\" is a folder; add the name of the socket"}},
    {"socket_long",
     kBase + "[control]\nsocket = \"/" + std::string(107, 'a') + "\"\n",
     {"p.toml:15:10: [control]: socket \"/" + std::string(63, 'a') +
      "...\" is 108 bytes long, and a socket's path may have 107"}},
    {"metrics",
     kBase + "[control]\nmetrics = \"127.0.0.1:9475\"\n",
     {"p.toml:15:1: [control]: metrics: this version does not do metrics over HTTP; remove it"}},
};
INSTANTIATE_TEST_SUITE_P(Engine, ConfigMistake, testing::ValuesIn(kEngine), case_name);

const std::string kAddress = "address = \"192.0.2.1/24\"\n";

const Case kPort[] = {
    {"empty",
     "[[port]]\n",
     {"p.toml:1:1: [[port]]: no device; give a PCI address such as \"0000:3b:00.0\" or a vdev",
      "p.toml:1:1: [[port]]: no name; give it one: every other table refers to it by name",
      "p.toml:1:1: [[port]]: no address; give at least one, such as \"10.0.0.1/24\""}},
    {"name",
     kBase + "[[port]]\nname = \"a b\"\ndevice = \"net_null0\"\n" + kAddress,
     {"p.toml:15:8: port \"a b\": name \"a b\" is not a name; give 1 to 32 letters, digits, '-' or "
      "'_'"}},
    {"name_long",
     kBase + "[[port]]\nname = \"" + std::string(33, 'n') + "\"\ndevice = \"net_null0\"\n" +
         kAddress,
     {"p.toml:15:8: port \"" + std::string(33, 'n') + "\": name \"" + std::string(33, 'n') +
      "\" is not a name; give 1 to 32 letters, digits, '-' or '_'"}},
    {"name_twice",
     kBase + "[[port]]\nname = \"wan0\"\ndevice = \"net_null0\"\n" + kAddress,
     {"p.toml:15:8: port \"wan0\": the name is taken by a port of line 5; give another"}},
    {"name_of_a_tunnel",
     kBase + "[[port]]\nname = \"gw\"\ndevice = \"net_null0\"\n" + kAddress,
     {"p.toml:10:8: tunnel \"gw\": the name is taken by a port of line 14; give another"}},
    {"device_of_the_kernel",
     kBase + "[[port]]\nname = \"x\"\ndevice = \"eth1\"\n" + kAddress,
     {"p.toml:16:10: port \"x\": device \"eth1\" is neither a PCI address nor a vdev; for an "
      "interface of the kernel write \"net_af_packet0,iface=eth1\""}},
    {"device_blank",
     kBase + "[[port]]\nname = \"x\"\ndevice = \"net_tap0, iface=x\"\n" + kAddress,
     {"p.toml:16:10: port \"x\": device \"net_tap0, iface=x\" is not a device: it has a blank or a "
      "character outside of ASCII in it"}},
    {"device_pci",
     kBase + "[[port]]\nname = \"x\"\ndevice = \"0000:3b:00\"\n" + kAddress,
     {"p.toml:16:10: port \"x\": device \"0000:3b:00\" is neither a PCI address such as "
      "\"0000:3b:00.0\" nor a vdev such as \"net_tap0\""}},
    {"device_twice",
     kBase + "[[port]]\nname = \"x\"\ndevice = \"pci:3B:00.1\"\n" + kAddress,
     {"p.toml:16:10: port \"x\": device \"pci:3B:00.1\" is already that of port \"wan0\"; give "
      "another"}},
    {"vdev_twice",
     port(kAddress) + "[[port]]\nname = \"y\"\ndevice = \"net_tap0,iface=y\"\n"
                      "address = \"192.0.3.1/24\"\n",
     {"p.toml:21:10: port \"y\": device \"net_tap0,iface=y\" is already that of port \"x\"; give "
      "another"}},
    {"interface_twice",
     port(kAddress) + "[[port]]\nname = \"y\"\ndevice = \"net_af_packet0,blocksz=4096,iface=x\"\n"
                      "address = \"192.0.3.1/24\"\n",
     {"p.toml:21:10: port \"y\": device \"net_af_packet0,blocksz=4096,iface=x\" is already that of "
      "port \"x\"; give another"}},
    {"address_none",
     port("address = []"),
     {"p.toml:17:11: port \"x\": address is an empty list; give at least one value"}},
    {"address_kind",
     port("address = [\"192.0.2.1/24\", 7]"),
     {"p.toml:17:28: port \"x\": address wants a string, and this is a whole number"}},
    {"address_bad",
     port("address = \"192.0.2.256/24\""),
     {"p.toml:17:11: port \"x\": address \"192.0.2.256/24\" is not an address with the length of "
      "its network, such as \"10.0.0.1/24\""}},
    {"address_no_length",
     port("address = [\"192.0.2.1\", \"2001:db8::1\"]"),
     {"p.toml:17:12: port \"x\": address \"192.0.2.1\" lacks the length of its network; write "
      "\"192.0.2.1/24\"",
      "p.toml:17:25: port \"x\": address \"2001:db8::1\" lacks the length of its network; write "
      "\"2001:db8::1/64\""}},
    {"address_network",
     port("address = \"192.0.2.0/24\""),
     {"p.toml:17:11: port \"x\": address \"192.0.2.0/24\" is the first address of its network; "
      "give a host's address"}},
    {"address_broadcast",
     port("address = \"192.0.2.7/29\""),
     {"p.toml:17:11: port \"x\": address \"192.0.2.7/29\" is the broadcast address of its network; "
      "give a host's address"}},
    {"address_anycast",
     port("address = \"2001:db8:9::/64\""),
     {"p.toml:17:11: port \"x\": address \"2001:db8:9::/64\" is the anycast address of all routers "
      "of its network; give a host's address"}},
    {"address_multicast",
     port("address = [\"224.0.0.5/24\", \"ff02::1/64\"]"),
     {"p.toml:17:12: port \"x\": address \"224.0.0.5/24\" is multicast; give a unicast address",
      "p.toml:17:28: port \"x\": address \"ff02::1/64\" is multicast; give a unicast address"}},
    {"address_loopback",
     port("address = [\"127.0.0.1/8\", \"::1/128\"]"),
     {"p.toml:17:12: port \"x\": address \"127.0.0.1/8\" is loopback; give a unicast address",
      "p.toml:17:27: port \"x\": address \"::1/128\" is loopback; give a unicast address"}},
    {"address_nobodys",
     port("address = [\"0.0.0.1/24\", \"255.255.255.255/32\", \"::/128\"]"),
     {"p.toml:17:12: port \"x\": address \"0.0.0.1/24\" is of 0.0.0.0/8, which nobody has; give a "
      "unicast address",
      "p.toml:17:26: port \"x\": address \"255.255.255.255/32\" is of 240.0.0.0/4, which nobody "
      "has; give a unicast address",
      "p.toml:17:48: port \"x\": address \"::/128\" is the unspecified address; give a unicast "
      "address"}},
    {"address_link_local",
     port("address = \"fe80::1/64\""),
     {"p.toml:17:11: port \"x\": address \"fe80::1/64\" is link-local, which this version does not "
      "take; give a unicast address"}},
    {"address_mapped",
     port("address = \"::ffff:192.0.2.1/24\""),
     {"p.toml:17:11: port \"x\": address \"::ffff:192.0.2.1/24\" is not an address with the length "
      "of its network, such as \"10.0.0.1/24\""}},
    {"address_nul",
     port("address = \"192.0.2.1\\u0000/24\""),
     {"p.toml:17:11: port \"x\": address \"192.0.2.1\\x00/24\" is not an address with the length "
      "of "
      "its network, such as \"10.0.0.1/24\""}},
    {"address_world",
     port("address = \"192.0.2.1/0\""),
     {"p.toml:17:11: port \"x\": address \"192.0.2.1/0\" makes the whole world one network; give "
      "the length of the port's network"}},
    {"address_twice_here",
     port("address = [\"192.0.2.1/24\", \"192.0.2.1/24\"]"),
     {"p.toml:17:28: port \"x\": address \"192.0.2.1/24\" is given twice; remove one"}},
    {"address_twice_length",
     port("address = [\"192.0.2.1/24\", \"192.0.2.1/25\"]"),
     {"p.toml:17:28: port \"x\": address 192.0.2.1/25 is already that of port \"x\"; give "
      "another"}},
    {"address_twice",
     port("address = \"10.10.0.1/16\""),
     {"p.toml:17:11: port \"x\": address 10.10.0.1/16 is already that of port \"core0\"; give "
      "another"}},
    {"network_twice",
     port("address = \"10.10.0.2/24\""),
     {"p.toml:17:11: port \"x\": address 10.10.0.2/24 is in the network of port \"core0\", so it "
      "is "
      "unclear where its hosts are; give another network"}},
    {"addresses_many",
     port("address = [" + many(17, "\"192.0.#.1/24\",") + "]"),
     {"p.toml:17:11: port \"x\": address has 17 values, and 16 is the limit"}},
    {"mtu_low",
     port(kAddress + "mtu = 575"),
     {"p.toml:18:7: port \"x\": mtu 575 is out of range; give 576 to 9600"}},
    {"mtu_high",
     port(kAddress + "mtu = 9601"),
     {"p.toml:18:7: port \"x\": mtu 9601 is out of range; give 576 to 9600"}},
    {"mtu_fraction",
     port(kAddress + "mtu = 1500.0"),
     {"p.toml:18:7: port \"x\": mtu wants a whole number, and this is a number with a fraction"}},
    {"mtu_ipv6",
     port("address = \"2001:db8:9::1/64\"\nmtu = 1279"),
     {"p.toml:18:7: port \"x\": mtu 1279 is below 1280, which IPv6 needs; raise it, or remove the "
      "IPv6 addresses"}},
    {"mac",
     port(kAddress + "mac = \"02:00\""),
     {"p.toml:18:7: port \"x\": mac \"02:00\" is not a MAC address such as "
      "\"02:00:00:00:00:01\""}},
    {"mac_multicast",
     port(kAddress + "mac = \"01:00:5e:00:00:01\""),
     {"p.toml:18:7: port \"x\": mac \"01:00:5e:00:00:01\" is a multicast MAC address; give one "
      "whose first byte is even"}},
    {"mac_zero",
     port(kAddress + "mac = \"00:00:00:00:00:00\""),
     {"p.toml:18:7: port \"x\": mac \"00:00:00:00:00:00\" is no station's MAC address; leave mac "
      "out to use the device's own"}},
    {"vlan_without_address",
     port(kAddress + "vlan = [{ id = 40 }]"),
     {"p.toml:18:9: port \"x\": vlan: no address; give at least one, such as \"10.40.0.1/24\""}},
    {"vlan_number",
     port("vlan = 40"),
     {"p.toml:17:8: port \"x\": vlan wants a table, and this is a whole number"}},
    {"vlan_id",
     port("vlan = [{ id = 4095, address = \"10.40.0.1/24\" }]"),
     {"p.toml:17:16: port \"x\": vlan: id 4095 is out of range; give 1 to 4094"}},
    {"vlan_twice",
     port("vlan = [{ id = 4, address = \"10.4.0.1/24\" },\n{ id = 4, address = \"10.5.0.1/24\" }]"),
     {"p.toml:18:1: port \"x\": vlan 4 is there already, of line 17; remove one"}},
    {"vlan_of_the_same_network",
     port(kAddress + "vlan = [{ id = 4, address = \"192.0.2.7/24\" }]"),
     {"p.toml:18:29: port \"x.4\": address 192.0.2.7/24 is in the network of port \"x\", so it is "
      "unclear where its hosts are; give another network"}},
    {"kernel",
     port(kAddress + "kernel = \"a/b\""),
     {"p.toml:18:10: port \"x\": kernel \"a/b\" is no name for an interface; give 1 to 15 "
      "characters, without blank, '/', ':' and '%'"}},
    {"kernel_too_long",
     port(kAddress + "kernel = \"sixteen-letters-\""),
     {"p.toml:18:10: port \"x\": kernel \"sixteen-letters-\" is no name for an interface; give 1 "
      "to 15 characters, without blank, '/', ':' and '%'"}},
    {"kernel_twice",
     port(kAddress + "kernel = \"pst\"\n[[port]]\nname = \"y\"\ndevice = \"net_null9\"\n"
                     "address = \"192.0.3.1/24\"\nkernel = \"pst\""),
     {"p.toml:23:10: port \"y\": kernel interface \"pst\" is already that of port \"x\"; give "
      "another name"}},
    {"kernel_of_a_wire",
     port("kernel = \"pst\"\n[[port]]\nname = \"y\"\ndevice = \"net_null9\"\n[[wire]]\n"
          "ports = [\"x\", \"y\"]"),
     {"p.toml:17:10: port \"x\": kernel, and it is the end of a wire, of line 21; remove one"}},
    {"many",
     many(17, "[[port]]\nname = \"p#\"\ndevice = \"net_null#\"\naddress = \"10.#.0.1/24\"\n"),
     {"p.toml:65:1: 17 of [[port]], and 16 is the limit"}},
};
INSTANTIATE_TEST_SUITE_P(Port, ConfigMistake, testing::ValuesIn(kPort), case_name);

}  // namespace
}  // namespace penstock::engine
