#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors

# Who may know whom (docs/architecture.md has the table). Prints every offence as
# "file:line: what" and fails.
#
#   tests/layering.sh [--stamp FILE] [ROOT]   checks the tree; the stamp is for the build
#   tests/layering.sh --selftest              plants offences in a copy and sees each one found

set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)

# Two passes in one: comments and the content of strings are taken out, then each line is judged by
# the folder that it stands in.
judge='
function offence(what) { printf "%s:%d: %s\n", path, FNR, what; bad = 1 }

function strip(line,    out, at) {
  gsub(/\047(\\.|[^\047\\])\047/, "0", line)             # character literals
  if (line !~ /^[ \t]*#[ \t]*include/) gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
  out = ""
  while (line != "") {
    if (in_comment) {
      at = index(line, "*/")
      if (!at) return out
      line = substr(line, at + 2); in_comment = 0
    } else {
      if (!match(line, /\/\/|\/\*/)) return out line
      out = out substr(line, 1, RSTART - 1)
      if (substr(line, RSTART, 2) == "//") return out
      line = substr(line, RSTART + 2); in_comment = 1
    }
  }
  return out
}

# Whether a folder may include a file of ours.
function may(folder, file) {
  if (folder == "tests" || folder == "perf")
    return file ~ /^(flows|pmd_glue|engine|cli|perf|tests)\// || file !~ /\//
  if (folder == "flows") return file ~ /^flows\//
  if (folder == "pmd_glue")
    return file ~ /^pmd_glue\// || file ~ /^flows\/(bytes|numbers|result|checksum)\.hpp$/
  if (folder == "engine") return file ~ /^(engine|flows|pmd_glue)\//
  if (folder == "cli") return file ~ /^cli\//
  return 0
}

# Standard C++ headers have no suffix; of those, flows/ may not have what does input or output,
# runs threads or asks the system. Of the rest it needs intrinsics and ISA-L.
function flows_header(header) {
  if (header ~ /^(iostream|fstream|ostream|istream|sstream|streambuf|syncstream|print|cstdio)$/)
    return header == "cstdio"
  if (header ~ /^(thread|mutex|shared_mutex|condition_variable|future|semaphore|filesystem|csignal)$/)
    return 0
  if (header ~ /^(ctime|random|stop_token|latch|barrier)$/) return 0
  if (header ~ /^[a-z_0-9]+$/) return 1
  if (header ~ /^([a-z]mmintrin|immintrin|x86intrin|cpuid|arm_neon|arm_acle)\.h$/) return 1
  if (header ~ /^isa-l(\.h|\/[a-z0-9_]+\.h)$/) return 1
  return header == "arpa/inet.h" && path == "flows/numbers.cpp"
}

FNR == 1 {
  path = substr(FILENAME, length(root) + 2)
  folder = path; sub(/\/.*/, "", folder)
  in_comment = 0
}

{ code = strip($0) }

code ~ /^[ \t]*#[ \t]*include[ \t]*"/ {
  split(code, part, "\"")
  if (part[2] == "usrsctp.h") offence("usrsctp.h in quotes: it is a system header")
  else if (part[2] ~ /\.def$/ && part[2] !~ /\//) offence("\"" part[2] "\" is not named from the root")
  else if (!may(folder, part[2])) offence(folder "/ may not include \"" part[2] "\"")
  next
}

code ~ /^[ \t]*#[ \t]*include[ \t]*</ {
  header = code; sub(/^[^<]*</, "", header); sub(/>.*/, "", header)
  if (header ~ /^(flows|pmd_glue|engine|cli|perf|tests)\//)
    offence("<" header "> is ours: include it in quotes")
  if (header == "usrsctp.h" && path !~ /^engine\/termination\/usrsctp\.(hpp|cpp)$/)
    offence("usrsctp.h belongs to engine/termination/usrsctp only")
  if (header ~ /^rte_/ && folder !~ /^(pmd_glue|perf|tests)$/)
    offence("DPDK belongs to pmd_glue/: <" header ">")
  else if (folder == "flows" && !flows_header(header))
    offence("flows/ knows bytes and time only: <" header ">")
  next
}

folder !~ /^(pmd_glue|perf|tests)$/ && match(code, /(^|[^A-Za-z0-9_])(rte_|RTE_)[A-Za-z0-9_]+/) {
  offence("DPDK belongs to pmd_glue/: " substr(code, RSTART, RLENGTH))
}

folder == "flows" && match(code, /(system|steady|high_resolution)_clock|clock_gettime|gettimeofday|__?rdtscp?/) {
  offence("time is an argument in flows/: " substr(code, RSTART, RLENGTH))
}

folder == "flows" && match(code, /(^|[^A-Za-z0-9_])(v?f?printf|f?puts|putchar|perror|syslog|fopen|fwrite|getenv|stderr|stdout|cout|cerr|clog)([^A-Za-z0-9_]|$)/) {
  offence("flows/ does no input or output: " substr(code, RSTART, RLENGTH))
}

END { exit bad }
'

check() {
  local root=$1 status=0 files=() folder
  for folder in flows pmd_glue engine cli perf tests; do
    [[ -d $root/$folder ]] || continue
    mapfile -d '' -O "${#files[@]}" files < <(find "$root/$folder" -type f \
      \( -name '*.hpp' -o -name '*.cpp' -o -name '*.h' -o -name '*.cc' -o -name '*.def' \) -print0)
  done
  (( ${#files[@]} )) && { awk -v root="$root" "$judge" "${files[@]}" || status=1; }
  # The client must not even link what it may not include.
  if [[ -f $root/cli/meson.build ]] &&
      sed 's/#.*//' "$root/cli/meson.build" |
      grep -nE 'dpdk|isal|usrsctp|(flows|pmd_glue|engine)[a-z_]*_(dep|lib)' |
      sed 's|^|cli/meson.build:|; s|$|   <- cli/ knows the control socket only|'; then
    status=1
  fi
  return "$status"
}

selftest() {
  local copy failed=0 planted=0
  copy=$(mktemp -d -t penstock-layering-XXXXXX)
  # shellcheck disable=SC2064
  trap "rm -rf '$copy'" EXIT
  local folder
  for folder in flows pmd_glue engine cli perf tests; do
    [[ -d $here/$folder ]] || continue
    (cd "$here" && find "$folder" -type f \( -name '*.[ch]pp' -o -name '*.def' -o -name meson.build \) \
      -exec cp --parents -t "$copy" {} +)
  done
  if ! check "$copy" >"$copy/out"; then
    echo "selftest: the tree itself offends:"; cat "$copy/out"
    failed=1
  fi

  # plant yes|no FILE LINE…: a file with these lines must (not) be found.
  plant() {
    local expected=$1 file=$2 found=no
    shift 2
    mkdir -p "$(dirname "$copy/$file")"
    local kept=
    [[ -f $copy/$file ]] && { kept=$copy/kept; cp "$copy/$file" "$kept"; }
    printf '%s\n' "$@" >>"$copy/$file"
    check "$copy" >"$copy/out" || true
    grep -q "^$file:" "$copy/out" && found=yes
    if [[ $found != "$expected" ]]; then
      echo "selftest: $file with '$*': found $found, expected $expected"
      failed=1
    fi
    if [[ $kept ]]; then mv "$kept" "$copy/$file"; else rm "$copy/$file"; fi
    planted=$((planted + 1))
  }

  plant yes flows/planted.hpp '#include "pmd_glue/packet.hpp"'
  plant yes flows/planted.hpp '#include "engine/config.hpp"'
  plant yes flows/planted.hpp '  #  include "cli/main.hpp"'
  plant yes flows/planted.hpp '#include "planted_too.hpp"'
  plant yes flows/planted.hpp '#include "../engine/config.hpp"'
  plant yes flows/planted.hpp '#include <flows/bytes.hpp>'
  plant yes flows/planted.cpp '#include <rte_mbuf.h>'
  plant yes flows/planted.cpp '#include <sys/socket.h>'
  plant yes flows/planted.cpp '#include <netinet/in.h>'
  plant yes flows/planted.cpp '#include <arpa/inet.h>'
  plant yes flows/planted.cpp '#include <iostream>'
  plant yes flows/planted.cpp '#include <fstream>'
  plant yes flows/planted.cpp '#include <thread>'
  plant yes flows/planted.cpp '#include <mutex>'
  plant yes flows/planted.cpp '#include <ctime>'
  plant yes flows/planted.cpp '#include <fmt/format.h>'
  plant yes flows/planted.cpp 'auto t = std::chrono::steady_clock::now();'
  plant yes flows/planted.cpp 'auto t = std::chrono::system_clock::now();'
  plant yes flows/planted.cpp 'int f() { return clock_gettime(0, nullptr); }'
  plant yes flows/planted.cpp 'void f() { std::printf("x"); }'
  plant yes flows/planted.cpp 'void f() { fprintf(stderr, "x"); }'
  plant yes flows/planted.cpp 'int x = rte_lcore_id();'
  plant yes flows/planted.cpp 'int x = /* why */ RTE_ETHER_MTU;'
  plant yes flows/planted.def 'PENSTOCK_X(rte_mbuf)'
  plant yes pmd_glue/planted.hpp '#include "engine/config.hpp"'
  plant yes pmd_glue/planted.hpp '#include "cli/main.hpp"'
  plant yes pmd_glue/planted.hpp '#include "flows/sctp_packet.hpp"'
  plant yes engine/planted.cpp '#include "cli/main.hpp"'
  plant yes engine/planted.cpp '#include <rte_ethdev.h>'
  plant yes engine/stages/planted.cpp 'void f(rte_mbuf* m);'
  plant yes engine/planted.cpp '#include <usrsctp.h>'
  plant yes engine/planted.cpp '#include "perf/traffic.hpp"'
  plant yes engine/planted.cpp '#include "tests/support/ports.hpp"'
  plant yes engine/termination/paths.cpp '#include <usrsctp.h>'
  plant yes cli/planted.cpp '#include "engine/control/target.hpp"'
  plant yes cli/planted.cpp '#include "pmd_glue/packet.hpp"'
  plant yes cli/planted.cpp '#include "flows/numbers.hpp"'
  plant yes cli/planted.cpp '#include <rte_eal.h>'
  plant yes cli/meson.build 'extra = [flows_dep]'
  plant yes cli/meson.build 'extra = [dpdk]'
  plant yes tests/planted.cpp '#include <usrsctp.h>'
  plant yes perf/planted.cpp '#include "usrsctp.h"'

  plant no flows/planted.hpp '#include "flows/bytes.hpp"' '#include <immintrin.h>' '#include <isa-l/crc.h>'
  plant no flows/planted.cpp '// rte_mbuf has no place here, nor std::cout' '/* nor' 'rte_ring */'
  plant no flows/planted.cpp 'const char* s = "// rte_mbuf";' 'void f() { std::snprintf(b, 4, "x"); }'
  plant no pmd_glue/planted.hpp '#include <rte_mbuf.h>' '#include "flows/numbers.hpp"'
  plant no engine/planted.cpp '#include "pmd_glue/packet.hpp"' '#include "flows/sctp_packet.hpp"'
  plant no engine/termination/usrsctp.cpp '#include <usrsctp.h>'
  plant no tests/planted.cpp '#include "engine/config.hpp"' '#include <rte_mbuf.h>'

  (( failed )) && return 1
  echo "selftest: $planted plants, each judged as it should be"
}

stamp=
case ${1:-} in
  --selftest) selftest; exit ;;
  --stamp) stamp=$2; shift 2 ;;
esac
if ! check "$(cd "${1:-$here}" && pwd)"; then
  echo "layering: see docs/architecture.md for who may know whom" >&2
  exit 1
fi
[[ -z $stamp ]] || touch "$stamp"
