// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "pmd_glue/tap_interface.hpp"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace penstock::pmd_glue {

using flows::Error;
using flows::Result;

namespace {

/// What the kernel takes for a name (dev_valid_name).
bool is_interface_name(const std::string& name) {
  if (name.empty() || name.size() >= IFNAMSIZ || name == "." || name == "..") return false;
  return name.find_first_of("/: \t\n\v\f\r%") == std::string::npos;
}

ifreq request_for(const std::string& name) {
  ifreq request{};
  std::memcpy(request.ifr_name, name.data(), name.size());
  return request;
}

std::string explain(int error, const std::string& name) {
  switch (error) {
    case EBUSY:
    case EEXIST:
      return "an interface of that name exists; ip link delete " + name + ", or take another name";
    case EPERM:
    case EACCES:
      return "not permitted; run as root or with CAP_NET_ADMIN";
    case ENOENT:
    case ENODEV:
    case ENXIO:
      return "there is no /dev/net/tun; modprobe tun";
    default:
      return std::strerror(error);
  }
}

/// Address, MTU, up; in this order, so that its link-local address follows from the address.
int configure(const std::string& name, const flows::MacAddress& mac, uint16_t mtu) {
  const FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return errno;
  ifreq request = request_for(name);
  request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
  std::memcpy(request.ifr_hwaddr.sa_data, mac.bytes.data(), mac.bytes.size());
  if (::ioctl(socket.get(), SIOCSIFHWADDR, &request) != 0) return errno;
  request = request_for(name);
  request.ifr_mtu = mtu;
  if (::ioctl(socket.get(), SIOCSIFMTU, &request) != 0) return errno;
  request = request_for(name);
  if (::ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0) return errno;
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  return ::ioctl(socket.get(), SIOCSIFFLAGS, &request) == 0 ? 0 : errno;
}

}  // namespace

Result<TapInterface> TapInterface::create(const std::string& name, flows::MacAddress mac,
                                          uint16_t mtu) {
  const auto fail = [&](const std::string& why) {
    return Error{"kernel interface \"" + name + "\": " + why};
  };
  if (!is_interface_name(name))
    return fail("not a name for an interface: 1 to 15 characters, no space, slash, colon, percent");
  FileDescriptor fd(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return fail(explain(errno, name));
  ifreq request = request_for(name);
  // Exclusively: an interface that is there belongs to somebody, and would stay behind.
  request.ifr_flags = static_cast<short>(IFF_TAP | IFF_NO_PI | IFF_TUN_EXCL);
  if (::ioctl(fd.get(), TUNSETIFF, &request) != 0) return fail(explain(errno, name));
  if (::ioctl(fd.get(), TUNSETOFFLOAD, 0) != 0) return fail(explain(errno, name));
  TapInterface made(std::move(fd), name);
  made.set_carrier(false);
  if (const int error = configure(name, mac, mtu); error != 0) return fail(explain(error, name));
  made.index_ = interface_index(name);
  return made;
}

void TapInterface::set_carrier(bool up) {
  int value = up ? 1 : 0;
  (void)::ioctl(fd_.get(), TUNSETCARRIER, &value);  // an old kernel: the carrier is always there
}

size_t TapInterface::read(uint8_t* frame, size_t room) {
  const ssize_t n = ::read(fd_.get(), frame, room);
  return n > 0 ? static_cast<size_t>(n) : 0;
}

bool TapInterface::write(const iovec* parts, int count) {
  return ::writev(fd_.get(), parts, count) > 0;
}

}  // namespace penstock::pmd_glue
