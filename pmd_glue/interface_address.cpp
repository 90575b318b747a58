// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "pmd_glue/interface_address.hpp"

#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "pmd_glue/kernel_interface.hpp"

namespace penstock::pmd_glue {

using flows::Error;
using flows::Prefix;
using flows::Result;

namespace {

struct Request {
  nlmsghdr header;
  ifaddrmsg info;
  char attributes[64];
};

void append(Request& request, uint16_t type, const void* data, size_t length) {
  rtattr attribute{static_cast<uint16_t>(RTA_LENGTH(length)), type};
  char* const at = reinterpret_cast<char*>(&request) + NLMSG_ALIGN(request.header.nlmsg_len);
  std::memcpy(at, &attribute, sizeof attribute);
  std::memcpy(at + RTA_LENGTH(0), data, length);
  request.header.nlmsg_len =
      static_cast<uint32_t>(NLMSG_ALIGN(request.header.nlmsg_len) + RTA_SPACE(length));
}

Request make_request(uint16_t type, uint16_t flags, uint32_t index, const Prefix& address) {
  Request request{};
  request.header.nlmsg_len = NLMSG_LENGTH(sizeof(ifaddrmsg));
  request.header.nlmsg_type = type;
  request.header.nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
  const bool v4 = address.address.is_v4();
  request.info.ifa_family = v4 ? AF_INET : AF_INET6;
  request.info.ifa_prefixlen = address.length;
  request.info.ifa_flags = v4 ? 0 : IFA_F_NODAD;
  request.info.ifa_index = index;
  if (v4) {
    const flows::Ipv4Address a = address.address.v4();
    append(request, IFA_LOCAL, a.bytes.data(), a.bytes.size());
    append(request, IFA_ADDRESS, a.bytes.data(), a.bytes.size());
    // The last address of the network is everyone's (RFC 1122 section 3.2.1.3).
    if (address.length < 31) {
      const uint32_t all = a.to_host() | (UINT32_MAX >> address.length);
      const flows::Ipv4Address broadcast = flows::Ipv4Address::from_host(all);
      append(request, IFA_BROADCAST, broadcast.bytes.data(), broadcast.bytes.size());
    }
  } else {
    const flows::Ipv6Address a = address.address.v6();
    append(request, IFA_LOCAL, a.bytes.data(), a.bytes.size());
  }
  return request;
}

/// 0, or the kernel's errno.
int ask(const Request& request) {
  const FileDescriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket) return errno;
  if (::send(socket.get(), &request, request.header.nlmsg_len, 0) < 0) return errno;
  struct {
    nlmsghdr header;
    nlmsgerr error;
    char quoted[sizeof(Request)];
  } reply{};
  const ssize_t got = ::recv(socket.get(), &reply, sizeof reply, 0);
  if (got < 0) return errno;
  if (static_cast<size_t>(got) < NLMSG_LENGTH(sizeof(nlmsgerr)) ||
      reply.header.nlmsg_type != NLMSG_ERROR)
    return EPROTO;
  return -reply.error.error;
}

Error refused(const Prefix& address, int error) {
  return Error{"address " + flows::to_string(address) + ": " + std::strerror(error)};
}

}  // namespace

Result<void> add_interface_address(uint32_t index, const Prefix& address) {
  const int error = ask(make_request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, index, address));
  if (error == 0 || error == EEXIST) return {};
  return refused(address, error);
}

Result<void> remove_interface_address(uint32_t index, const Prefix& address) {
  const int error = ask(make_request(RTM_DELADDR, 0, index, address));
  if (error == 0 || error == EADDRNOTAVAIL || error == ENODEV) return {};
  return refused(address, error);
}

}  // namespace penstock::pmd_glue
