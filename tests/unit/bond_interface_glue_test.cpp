// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// Bonds over the kernel's interfaces. In a network namespace of this program's own. Needs root.

#include <gtest/gtest.h>

#include "tests/unit/glue_environment.hpp"
#include "tests/unit/host_interfaces.hpp"

namespace penstock::pmd_glue {
namespace {

PortSpec spec_of(const std::string& device) {
  PortSpec spec;
  spec.name = "wan0";
  spec.device = device;
  return spec;
}

// A bond of them would never change over.
TEST(BondOfInterfaces, WhoDoesNotTellOfItsLinkNeedsLacp) {
  if (!isolated) GTEST_SKIP() << "needs root";
  ASSERT_TRUE(ip("link add va type veth peer name vb"));
  ASSERT_TRUE(ip("link set va up") && ip("link set vb up"));
  auto pool = make_pool("sockets");
  for (const char* member : {"net_af_packet7,iface=va", "net_tap7,iface=ta"}) {
    auto port =
        Port::open(spec_of("net_bonding1,mode=1,member=(" + std::string(member) + ")"), pool);
    ASSERT_FALSE(port);
    EXPECT_NE(
        port.error().message.find(std::string("member ") + member +
                                  " does not tell a bond when its link is lost; use mode=4 (LACP)"),
        std::string::npos)
        << port.error().message;
  }
  auto lacp = Port::open(spec_of("net_bonding1,mode=4,member=(net_af_packet7,iface=va)"), pool);
  ASSERT_TRUE(lacp) << lacp.error().message;
  ASSERT_TRUE(lacp->start());
  // It speaks: LACP's frames come out (IEEE 802.1AX section 6.4.2: EtherType 88-09, subtype 1).
  FrameSocket peer("vb");
  bool spoke = false;
  EXPECT_TRUE(eventually([&] {
    Packet packet;
    if (lacp->receive(0, &packet, 1) == 1) free_packet(packet);
    lacp->transmit(0, nullptr, 0);
    std::vector<uint8_t> frame = peer.try_receive();
    spoke = frame.size() > 14 && flows::load_be16(frame.data() + 12) == 0x8809 && frame[14] == 1;
    return spoke;
  }));
  EXPECT_FALSE(lacp->link().up);  // nobody answered
}

}  // namespace
}  // namespace penstock::pmd_glue
