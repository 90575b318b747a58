// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// Each case: what is changed in a file, and the lines that the operator reads before it is applied.

#include "engine/plan.hpp"

#include <gtest/gtest.h>

#include <variant>

namespace penstock::engine {
namespace {

using Lines = std::vector<std::string>;

const std::string kEngine = R"([engine]
workers = [2, 4]
)";
const std::string kPorts = R"([[port]]
name = "core0"
device = "0000:3b:00.0"
address = ["10.10.0.1/24", "2001:db8:a::1/64"]
[[port]]
name = "wan0"
device = "0000:3b:00.1"
address = "203.0.113.1/28"
)";
const std::string kRoute = R"([[route]]
to = "0.0.0.0/0"
next-hop = "203.0.113.14"
)";
const std::string kTunnel = R"([[tunnel]]
name = "gw"
via = "sctp-udp"
port = "wan0"
hosts = "10.10.0.0/24"
peer = ["198.51.100.1:9899", "198.51.100.2:9899"]
)";
const std::string kRules = R"([[rule]]
name = "ran"
from = "core0"
to = "100.64.0.0/10"
sctp-port = [38412, 36412]
tunnel = "gw"
[[rule]]
name = "spam"
action = "drop"
[[rule]]
name = "rest"
action = "bypass"
)";
const std::string kAll = kEngine + kPorts + kRoute + kTunnel + kRules;

Config config(const std::string& text) {
  auto parsed = parse_config(text, "p.toml");
  if (auto* good = std::get_if<Config>(&parsed)) return std::move(*good);
  for (const auto& line : std::get<ConfigErrors>(parsed).lines) ADD_FAILURE() << line;
  return {};
}

struct Edit {
  const char* name;
  std::string from, to;  ///< replaced once in kAll
  Lines lines;
  bool needs_restart;
};
void PrintTo(const Edit& edit, std::ostream* out) {
  *out << edit.name;
}

std::string edited(const Edit& edit) {
  std::string text = kAll;
  const size_t at = text.find(edit.from);
  EXPECT_NE(at, std::string::npos);
  return text.replace(at, edit.from.size(), edit.to);
}

std::string edit_name(const testing::TestParamInfo<Edit>& info) {
  return info.param.name;
}

class PlanOfAnEdit : public testing::TestWithParam<Edit> {};

TEST_P(PlanOfAnEdit, HasExactlyTheseLines) {
  const Plan plan = make_plan(config(kAll), config(edited(GetParam())));
  EXPECT_EQ(plan.lines(), GetParam().lines);
  EXPECT_EQ(plan.needs_restart(), GetParam().needs_restart);
  EXPECT_EQ(plan.empty(), GetParam().lines.empty());
}

TEST_P(PlanOfAnEdit, IsAsLongOnTheWayBack) {
  const Config before = config(kAll), after = config(edited(GetParam()));
  EXPECT_EQ(make_plan(after, before).changes.size(), make_plan(before, after).changes.size());
  EXPECT_EQ(make_plan(after, before).needs_restart(), GetParam().needs_restart);
  EXPECT_TRUE(make_plan(after, after).empty());
}

const std::string kFar =
    "via = \"ip-udp\"\nport = \"wan0\"\npeer = \"198.51.100.1:6080\"\nttl = 9\n";
const Edit kHot[] = {
    {"tunnel_kind",
     kTunnel.substr(kTunnel.find("via")),
     kFar,
     {"~ tunnel.gw.via      sctp-udp → ip-udp      hot",
      "~ tunnel.gw.listen   9899 → 6080            hot",
      "~ tunnel.gw.hosts    10.10.0.0/24 → none    hot",
      "~ tunnel.gw.sources  0.0.0.0/0 ::/0 → none  hot",
      "- tunnel.gw.peer     198.51.100.1:9899      hot",
      "- tunnel.gw.peer     198.51.100.2:9899      hot",
      "+ tunnel.gw.peer     198.51.100.1:6080      hot",
      "~ tunnel.gw.ttl      the packet's → 9       hot"},
     false},
    {"standby_added",
     kTunnel + kRules.substr(0, kRules.find("tunnel = \"gw\"")) + "tunnel = \"gw\"\n",
     kTunnel + "[[tunnel]]\nname = \"far\"\n" + kFar +
         kRules.substr(0, kRules.find("tunnel = \"gw\"")) +
         "tunnel = [\"far\", \"gw\"]\nrevert = \"never\"\n",
     {"+ tunnel.far       via ip-udp, port wan0, listen 6080, peer 198.51.100.1:6080, ttl 9  hot",
      "~ rule.ran.action  tunnel gw → tunnel far gw                     hot",
      "~ rule.ran.revert  all → never                                   hot"},
     false},
    {"comment", kRoute, "# nothing\n\n" + kRoute, {}, false},
    {"tunnel_mtu",
     "via = \"sctp-udp\"\n",
     "via = \"sctp-udp\"\nmtu = 1400\n",
     {"~ tunnel.gw.mtu  auto → 1400  hot"},
     false},
    {"tunnel_listen",
     "via = \"sctp-udp\"\n",
     "via = \"sctp-udp\"\nlisten = 9900\n",
     {"~ tunnel.gw.listen  9899 → 9900  hot"},
     false},
    {"default_port",
     "via = \"sctp-udp\"\n",
     "via = \"sctp-udp\"\ndefault-port = 9900\n",
     {"~ tunnel.gw.default-port  none → 9900  hot"},
     false},
    {"peer_added",
     "\"198.51.100.2:9899\"]",
     "\"198.51.100.2:9899\", \"198.51.100.3:1\"]",
     {"+ tunnel.gw.peer  198.51.100.3:1  hot"},
     false},
    {"peer_changed",
     "198.51.100.2:9899",
     "198.51.100.2:22",
     {"- tunnel.gw.peer  198.51.100.2:9899  hot", "+ tunnel.gw.peer  198.51.100.2:22    hot"},
     false},
    {"sctp_port_removed", "38412, ", "", {"- rule.ran.sctp-port  38412  hot"}, false},
    {"sctp_ports_in_another_order", "38412, 36412", "36412, 38412", {}, false},
    {"rule_matches_all",
     "to = \"100.64.0.0/10\"\n",
     "",
     {"~ rule.ran.to  100.64.0.0/10 → any  hot"},
     false},
    {"rule_action",
     "tunnel = \"gw\"",
     "action = \"drop\"",
     {"~ rule.ran.action  tunnel gw → drop  hot"},
     false},
    {"rule_added",
     "[[rule]]\nname = \"spam\"",
     "[[rule]]\nname = \"new\"\nfrom = \"gw\"\nsctp-port = [1, 2]\naction = \"drop\"\n[[rule]]\n"
     "name = \"spam\"",
     {"+ rule.new  from gw, sctp-port 1 2, action drop  hot"},
     false},
    {"rule_removed",
     "[[rule]]\nname = \"spam\"\naction = \"drop\"\n",
     "",
     {"- rule.spam    hot"},
     false},
    {"rule_moved",
     kRules,
     "[[rule]]\nname = \"rest\"\naction = \"bypass\"\n" +
         kRules.substr(0, kRules.rfind("[[rule]]")),
     {"~ rule.rest.position  3 → 1  hot"},
     false},
    {"rule_renamed",
     "name = \"spam\"",
     "name = \"ham\"",
     {"- rule.spam               hot", "+ rule.ham   action drop  hot"},
     false},
    {"route_next_hop",
     "203.0.113.14",
     "203.0.113.13",
     {"~ route.0.0.0.0/0.next-hop  203.0.113.14 → 203.0.113.13  hot"},
     false},
    {"route_added",
     kRoute,
     kRoute + "[[route]]\nto = \"10.0.0.0/8\"\nnext-hop = \"10.10.0.2\"\n",
     {"+ route.10.0.0.0/8  next-hop 10.10.0.2  hot"},
     false},
    {"address_added",
     "\"10.10.0.1/24\", ",
     "\"10.10.0.1/24\", \"10.11.0.1/24\", ",
     {"+ port.core0.address  10.11.0.1/24  hot"},
     false},
    {"address_order",
     "\"10.10.0.1/24\", \"2001:db8:a::1/64\"",
     "\"2001:db8:a::1/64\", \"10.10.0.1/24\"",
     {"~ port.core0.address  10.10.0.1/24 2001:db8:a::1/64 → 2001:db8:a::1/64 10.10.0.1/24  hot"},
     false},
    {"engine",
     "workers = [2, 4]",
     "workers = [2, 4]\nidle = \"adaptive\"\nicmp-rate = 7\nfragment-timeout = 9\nverify = \"all\"",
     {"~ engine.idle              poll → adaptive  hot",
      "~ engine.icmp-rate         100 → 7          hot",
      "~ engine.fragment-timeout  5 → 9            hot",
      "~ engine.verify            state → all      hot"},
     false},
};
INSTANTIATE_TEST_SUITE_P(Hot, PlanOfAnEdit, testing::ValuesIn(kHot), edit_name);

const std::string kCold = "cold: needs a restart";

const Edit kRestart[] = {
    {"workers",
     "[2, 4]",
     "[2, 4, 6]",
     {"~ engine.workers  cores 2 4 → cores 2 4 6  " + kCold},
     true},
    {"workers_auto", "[2, 4]", "\"auto\"", {"~ engine.workers  cores 2 4 → auto  " + kCold}, true},
    {"engine",
     "workers = [2, 4]",
     "workers = [2, 4]\nmain-core = 0\nhugepages = \"none\"\nmemory = 64\nneighbors = 99\n"
     "fragment-memory = 2",
     {"~ engine.main-core        any → 0      " + kCold,
      "~ engine.hugepages        auto → none  " + kCold,
      "~ engine.memory           512 → 64     " + kCold,
      "~ engine.neighbors        4096 → 99    " + kCold,
      "~ engine.fragment-memory  8 → 2        " + kCold},
     true},
    {"spread",
     "workers = [2, 4]",
     "workers = [2, 4]\nspread = \"software\"",
     {"~ engine.spread  nic → software  " + kCold},
     true},
    {"kernel",
     "name = \"core0\"",
     "name = \"core0\"\nkernel = \"pst0\"",
     {"~ port.core0.kernel  none → pst0  " + kCold},
     true},
    {"socket",
     kPorts,
     "[control]\nsocket = \"/run/x\"\n" + kPorts,
     {"~ control.socket  /run/penstock/control.sock → /run/x  " + kCold},
     true},
    {"device",
     "0000:3b:00.1",
     "0000:3b:00.2",
     {"~ port.wan0.device  0000:3b:00.1 → 0000:3b:00.2  " + kCold},
     true},
    {"port_mtu_and_mac",
     "address = \"203",
     "mtu = 9000\nmac = \"02:00:00:00:00:01\"\naddress = \"203",
     {"~ port.wan0.mtu  1500 → 9000                       " + kCold,
      "~ port.wan0.mac  the device's → 02:00:00:00:00:01  " + kCold},
     true},
    {"port_added",
     kRoute,
     "[[port]]\nname = \"x\"\ndevice = \"net_null0\"\naddress = \"192.0.2.1/24\"\n" + kRoute,
     {"+ port.x  device net_null0, address 192.0.2.1/24, mtu 1500  " + kCold},
     true},
    {"ports_swapped",
     kPorts,
     kPorts.substr(kPorts.rfind("[[port]]")) + kPorts.substr(0, kPorts.rfind("[[port]]")),
     {"~ port.wan0.position  2 → 1  " + kCold},
     true},
    {"hot_beside_cold",
     "workers = [2, 4]",
     "workers = 2\nicmp-rate = 7",
     {"~ engine.workers    cores 2 4 → 2  " + kCold, "~ engine.icmp-rate  100 → 7        hot"},
     true},
};
INSTANTIATE_TEST_SUITE_P(Cold, PlanOfAnEdit, testing::ValuesIn(kRestart), edit_name);

TEST(Plan, OfTheSameConfigurationIsEmpty) {
  const Plan plan = make_plan(config(kAll), config(kAll));
  EXPECT_TRUE(plan.empty());
  EXPECT_FALSE(plan.needs_restart());
  EXPECT_TRUE(plan.lines().empty());
}

TEST(Plan, RenumberedPortsAreNotAChangeOfWhatNamesThem) {
  const Config wanted = config(kEngine +
                               "[[port]]\nname = \"x\"\ndevice = \"net_null0\"\n"
                               "address = \"192.0.2.1/24\"\n" +
                               kPorts + kRoute + kTunnel + kRules);
  const Plan plan = make_plan(config(kAll), wanted);
  ASSERT_EQ(plan.changes.size(), 1u);
  EXPECT_EQ(plan.changes[0].what, "port.x");
  EXPECT_EQ(plan.changes[0].kind, ChangeKind::added);
}

TEST(Plan, FewestRulesMove) {
  const auto rules = [](const std::string& order) {
    std::string text = kEngine + kPorts;
    for (const char name : order)
      text += std::string("[[rule]]\nname = \"") + name + "\"\naction = \"drop\"\n";
    return config(text);
  };
  EXPECT_EQ(make_plan(rules("abcdef"), rules("bcdefa")).lines(),
            Lines{"~ rule.a.position  1 → 6  hot"});
  EXPECT_EQ(make_plan(rules("abcdef"), rules("xadbcyef")).lines(),
            (Lines{"+ rule.x           action drop  hot", "~ rule.d.position  4 → 3        hot",
                   "+ rule.y           action drop  hot"}));
  EXPECT_EQ(make_plan(rules("abc"), rules("cba")).changes.size(), 2u);
  EXPECT_EQ(make_plan(rules("abcd"), rules("cd")).lines(),
            (Lines{"- rule.a    hot", "- rule.b    hot"}));
}

}  // namespace
}  // namespace penstock::engine
