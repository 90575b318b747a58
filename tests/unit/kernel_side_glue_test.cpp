// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// The kernel beside a port: the interface that the host sees, and the ethdev that workers see. In a
// network namespace of this program's own. Needs root.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/udp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "flows/checksum.hpp"
#include "pmd_glue/interface_address.hpp"
#include "pmd_glue/kernel_side.hpp"
#include "pmd_glue/port.hpp"
#include "tests/unit/glue_environment.hpp"
#include "tests/unit/host_interfaces.hpp"

namespace penstock::pmd_glue {
namespace {

const flows::MacAddress kMac{{0x02, 0xaa, 0xbb, 0xcc, 0xdd, 0x01}};

std::string shell(const std::string& command) {
  std::array<char, 4096> text{};
  FILE* pipe = ::popen(command.c_str(), "r");
  const size_t n = ::fread(text.data(), 1, text.size() - 1, pipe);
  ::pclose(pipe);
  return {text.data(), n};
}

class KernelSideTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!isolated) GTEST_SKIP() << "needs root";
  }

  struct Both {
    std::unique_ptr<KernelSide> side;
    std::optional<Port> port;  // goes first: it stands on the side's rings
  };

  Both make(PacketPool& pool, const std::string& name, uint16_t mtu = 1500, uint16_t workers = 2,
            uint32_t depth = 1024) {
    Both both;
    auto side = KernelSide::create({name, name + "-ring", kMac, mtu, workers, depth}, pool);
    EXPECT_TRUE(side) << side.error().message;
    if (!side) return both;
    both.side = std::move(*side);
    PortSpec spec;
    spec.name = name;
    spec.device = name + "-ring";
    spec.queues = workers;
    spec.mtu = mtu;
    spec.mac = kMac;
    auto port = Port::open(spec, pool);
    EXPECT_TRUE(port) << port.error().message;
    if (!port) return both;
    both.port.emplace(std::move(*port));
    both.port->attach(*both.side);
    EXPECT_TRUE(both.port->start());
    both.side->set_carrier(true);
    return both;
  }

  /// Frames of this EtherType, as a worker gets them; others are freed.
  static std::vector<Packet> receive(Port& port, uint16_t type, size_t wanted) {
    std::vector<Packet> found;
    eventually([&] {
      std::array<Packet, 32> burst;
      const uint16_t n = port.receive(0, burst.data(), 32);
      for (uint16_t i = 0; i < n; ++i)
        if (flows::load_be16(burst[i].data() + 12) == type)
          found.push_back(burst[i]);
        else
          free_packet(burst[i]);
      return found.size() >= wanted;
    });
    return found;
  }
};

/// As marked_frame(), for us alone and with a content of its own at every place.
std::vector<uint8_t> test_frame(size_t length) {
  std::vector<uint8_t> frame = marked_frame(length);
  for (size_t i = 16; i < length; ++i) frame[i] = static_cast<uint8_t>(i);
  std::copy(kMac.bytes.begin(), kMac.bytes.end(), frame.begin());
  return frame;
}

TEST_F(KernelSideTest, TheInterfaceIsThereAsAskedAndGoes) {
  auto pool = make_pool("there");
  {
    auto both = make(pool, "pst-there", 1600);
    EXPECT_NE(shell("ip -o link show pst-there").find("mtu 1600"), std::string::npos);
    EXPECT_NE(shell("ip -o link show pst-there").find("02:aa:bb:cc:dd:01"), std::string::npos);
    EXPECT_TRUE(eventually([&] { return both.port->link().up; }));
    // The host's link-local address is the one that follows from the port's MAC address.
    EXPECT_TRUE(eventually([&] {
      return shell("ip -o addr show dev pst-there").find("fe80::aa:bbff:fecc:dd01") !=
             std::string::npos;
    }));
    both.side->set_carrier(false);
    EXPECT_TRUE(eventually([&] { return !both.port->link().up; }));
    EXPECT_NE(shell("ip -o link show pst-there").find("NO-CARRIER"), std::string::npos);
  }
  EXPECT_EQ(interface_index("pst-there"), 0U);
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST_F(KernelSideTest, TakesAddresses) {
  auto pool = make_pool("addr");
  auto both = make(pool, "pst-addr");
  const auto addresses = [] { return shell("ip -o addr show dev pst-addr"); };
  const flows::Prefix v4 = *flows::parse_prefix("192.0.2.1/28"),
                      v6 = *flows::parse_prefix("2001:db8::1/64");
  for (const flows::Prefix& p : {v4, v6, v4}) {  // what is there already is no mistake
    auto ok = add_interface_address(both.side->index(), p);
    EXPECT_TRUE(ok) << ok.error().message;
  }
  EXPECT_NE(addresses().find("inet 192.0.2.1/28 brd 192.0.2.15"), std::string::npos) << addresses();
  EXPECT_NE(addresses().find("inet6 2001:db8::1/64 scope global"), std::string::npos);
  EXPECT_EQ(addresses().find("2001:db8::1/64 scope global tentative"), std::string::npos);
  EXPECT_NE(shell("ip route").find("192.0.2.0/28 dev pst-addr"), std::string::npos);
  for (const flows::Prefix& p : {v4, v6, v4}) {
    auto ok = remove_interface_address(both.side->index(), p);
    EXPECT_TRUE(ok) << ok.error().message;
  }
  EXPECT_EQ(addresses().find("192.0.2.1"), std::string::npos);
  auto nowhere = add_interface_address(0x7fffffff, v4);
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().message, "address 192.0.2.1/28: No such device");
}

TEST_F(KernelSideTest, GoesWithTheProcessHoweverItEnds) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto tap = TapInterface::create("pst-killed", kMac, 1500);
    const char ok = tap ? 'y' : 'n';
    (void)!::write(ready[1], &ok, 1);
    ::pause();
    ::_exit(0);
  }
  char ok = 0;
  ASSERT_EQ(::read(ready[0], &ok, 1), 1);
  EXPECT_EQ(ok, 'y');
  EXPECT_NE(interface_index("pst-killed"), 0U);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(eventually([] { return interface_index("pst-killed") == 0; }));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(KernelSideTest, FramesCrossBothWaysUnchanged) {
  auto pool = make_pool("cross", 1023, 9000);
  {
    auto both = make(pool, "pst-cross", 9000, 3);
    FrameSocket host("pst-cross");
    for (const size_t length : {size_t{60}, size_t{1514}, size_t{9014}}) {
      const auto frame = test_frame(length);
      ASSERT_TRUE(eventually([&] { return host.send(frame); }));
      auto came = receive(*both.port, 0x88b5, 1);
      ASSERT_EQ(came.size(), 1U) << length;
      EXPECT_EQ(std::vector<uint8_t>(came[0].data(), came[0].data() + came[0].length()), frame);
      // Back by the queue of another worker.
      ASSERT_EQ(both.port->transmit(2, came.data(), 1), 1);
      both.port->wake();
      EXPECT_EQ(host.receive(kMark), frame) << length;
    }
    EXPECT_EQ(both.side->stats().to_kernel, 3U);
  }
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST_F(KernelSideTest, SeveralSegmentsAreOneFrame) {
  auto pool = make_pool("segments");
  {
    auto both = make(pool, "pst-segs");
    FrameSocket host("pst-segs");
    const auto frame = test_frame(600);
    Packet first = pool.allocate(), second = pool.allocate();
    first.set_length(200);
    second.set_length(400);
    std::memcpy(first.data(), frame.data(), 200);
    std::memcpy(second.data(), frame.data() + 200, 400);
    ASSERT_EQ(rte_pktmbuf_chain(first.mbuf(), second.mbuf()), 0);
    ASSERT_EQ(both.port->transmit(0, &first, 1), 1);
    both.port->wake();
    EXPECT_EQ(host.receive(kMark), frame);
  }
  EXPECT_EQ(pool.in_use(), 0U);
}

// What the kernel sends must be whole: nobody behind us finishes a checksum or cuts a large one.
TEST_F(KernelSideTest, TheKernelFinishesItsPackets) {
  auto pool = make_pool("finish");
  {
    auto both = make(pool, "pst-fin");
    ASSERT_TRUE(ip("addr add 192.0.2.1/24 dev pst-fin"));
    ASSERT_TRUE(ip("neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev pst-fin"));
    const FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM, 0));
    const int segment = 1000;
    ASSERT_EQ(::setsockopt(socket.get(), SOL_UDP, UDP_SEGMENT, &segment, sizeof segment), 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(7);
    ::inet_pton(AF_INET, "192.0.2.2", &to.sin_addr);
    std::vector<uint8_t> message(10'000, 0x5a);
    ASSERT_EQ(::sendto(socket.get(), message.data(), message.size(), 0,
                       reinterpret_cast<sockaddr*>(&to), sizeof to),
              10'000);
    auto came = receive(*both.port, 0x0800, 10);
    ASSERT_EQ(came.size(), 10U);
    for (const Packet& p : came) {
      ASSERT_EQ(p.length(), 14 + 20 + 8 + 1000);
      const uint8_t* ip = p.data() + 14;
      EXPECT_EQ(flows::internet_checksum({ip, 20}), 0);
      const uint64_t pseudo =
          flows::pseudo_header_sum(flows::Ipv4Address{{ip[12], ip[13], ip[14], ip[15]}},
                                   flows::Ipv4Address{{ip[16], ip[17], ip[18], ip[19]}}, 17, 1008);
      EXPECT_NE(flows::load_be16(ip + 26), 0);
      EXPECT_EQ(flows::internet_checksum({ip + 20, 1008}, pseudo), 0);
      free_packet(p);
    }
  }
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST_F(KernelSideTest, ASleeperIsWoken) {
  auto pool = make_pool("sleep");
  {
    auto both = make(pool, "pst-sleep");
    FrameSocket host("pst-sleep");
    const auto frame = test_frame(100);
    for (int i = 0; i < 20; ++i) {
      std::this_thread::sleep_for(5ms);  // it sleeps
      Packet p = pool.allocate();
      p.set_length(100);
      std::memcpy(p.data(), frame.data(), 100);
      const auto begin = std::chrono::steady_clock::now();
      ASSERT_EQ(both.port->transmit(1, &p, 1), 1);
      both.port->wake();
      ASSERT_EQ(host.receive(kMark), frame);
      EXPECT_LT(std::chrono::steady_clock::now() - begin, 1s);
    }
  }
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST_F(KernelSideTest, SwitchedOffByTheHost) {
  auto pool = make_pool("off");
  {
    auto both = make(pool, "pst-off");
    ASSERT_TRUE(eventually([&] { return both.port->link().up; }));
    ASSERT_TRUE(ip("link set pst-off down"));
    EXPECT_TRUE(eventually([&] { return !both.port->link().up; }));
    Packet p = make_frame(pool, 100, 0);
    ASSERT_EQ(both.port->transmit(0, &p, 1), 1);
    both.port->wake();
    EXPECT_TRUE(eventually([&] { return both.side->stats().refused == 1; }));
    ASSERT_TRUE(ip("link set pst-off up"));
    EXPECT_TRUE(eventually([&] { return both.port->link().up; }));
  }
  EXPECT_EQ(pool.in_use(), 0U);
}

// Nobody takes the kernel's frames: they are lost at a bounded queue, and the thread does not spin.
TEST_F(KernelSideTest, WorkersThatDoNotKeepUp) {
  auto pool = make_pool("slow", 255);
  {
    auto both = make(pool, "pst-slow", 1500, 1, 64);
    FrameSocket host("pst-slow");
    for (int i = 0; i < 2000; ++i) (void)host.send(test_frame(100));
    std::this_thread::sleep_for(50ms);
    const KernelSide::Stats stats = both.side->stats();
    EXPECT_GE(stats.from_kernel, 60U);
    EXPECT_LE(stats.from_kernel, 64U);
    EXPECT_LE(pool.in_use(), 64U + 32);
    auto first = receive(*both.port, 0x88b5, 60);
    EXPECT_GE(first.size(), 60U);
    free_packets(first);
    ASSERT_TRUE(host.send(test_frame(77)));
    bool came = false;
    EXPECT_TRUE(eventually([&] {
      auto packets = receive(*both.port, 0x88b5, 1);
      for (const Packet& p : packets) came |= p.length() == 77;
      free_packets(packets);
      return came;
    }));
  }
  EXPECT_EQ(pool.in_use(), 0U);
}

// The host may raise the MTU; what does not fit our buffers is counted, not cut.
TEST_F(KernelSideTest, LargerThanAgreed) {
  auto pool = make_pool("large");
  {
    auto both = make(pool, "pst-large");
    ASSERT_TRUE(ip("link set pst-large mtu 3000"));
    FrameSocket host("pst-large");
    ASSERT_TRUE(eventually([&] { return host.send(test_frame(2000)); }));
    EXPECT_TRUE(eventually([&] { return both.side->stats().oversized == 1; }));
    ASSERT_TRUE(host.send(test_frame(1522)));
    auto came = receive(*both.port, 0x88b5, 1);
    ASSERT_EQ(came.size(), 1U);
    EXPECT_EQ(came[0].length(), 1522);
    free_packets(came);
  }
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST_F(KernelSideTest, MistakesReadAsOneLine) {
  auto pool = make_pool("kmist");
  ASSERT_TRUE(ip("link add pst-taken type veth peer name pst-peer"));
  struct Case {
    const char* name;
    const char* says;
  };
  const Case cases[] = {
      {"pst-taken",
       "kernel interface \"pst-taken\": an interface of that name exists; ip link "
       "delete pst-taken, or take another name"},
      {"", "not a name for an interface"},
      {"sixteen-letters-", "not a name for an interface"},
      {"a/b", "not a name for an interface"},
      {"pst%d", "not a name for an interface"},
      {"..", "not a name for an interface"},
  };
  for (const Case& c : cases) {
    auto side = KernelSide::create({c.name, "kmist", kMac, 1500, 1, 64}, pool);
    ASSERT_FALSE(side) << c.name;
    EXPECT_NE(side.error().message.find(c.says), std::string::npos) << side.error().message;
  }
  auto small = KernelSide::create({"pst-small", "kmist", kMac, 9000, 1, 64}, pool);
  ASSERT_FALSE(small);
  EXPECT_NE(small.error().message.find("buffers of 2048"), std::string::npos);
  EXPECT_EQ(interface_index("pst-small"), 0U);
}

}  // namespace
}  // namespace penstock::pmd_glue
