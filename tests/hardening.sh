#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors

# Reads from the linked programs that the hardening flags arrived, and that nothing was linked that
# should not be.   tests/hardening.sh PENSTOCK PENSTOCKCTL

set -euo pipefail
export LC_ALL=C
failed=0

bad() { printf '%s: %s\n' "$1" "$2"; failed=1; }

# What this toolchain's start files leave of the CET note: a linker drops it when one object of
# many lacks it, so an empty program tells what can be had.
toolchain_cet() {
  local folder
  folder=$(mktemp -d -t penstock-hardening-XXXXXX)
  echo 'int main() {}' >"$folder/empty.cpp"
  if ${CXX:-c++} -fcf-protection -o "$folder/empty" "$folder/empty.cpp" 2>/dev/null; then
    readelf -nW "$folder/empty" 2>/dev/null | grep -oE 'IBT|SHSTK' | sort -u | tr '\n' ' '
  fi
  rm -rf "$folder"
}

check() {
  local file=$1 header dynamic segments symbols note feature
  header=$(readelf -hW "$file")
  dynamic=$(readelf -dW "$file")
  segments=$(readelf -lW "$file")
  symbols=$(readelf -sW --dyn-syms "$file")
  note=$(readelf -nW "$file" 2>/dev/null)

  grep -qE 'Type: +DYN' <<<"$header" && grep -q 'FLAGS_1.*PIE' <<<"$dynamic" ||
    bad "$file" "not position independent (-fPIE -pie)"
  grep -qE '\(FLAGS\).*BIND_NOW|\(FLAGS_1\).*NOW|\(BIND_NOW\)' <<<"$dynamic" ||
    bad "$file" "symbols are not bound at start (-z now)"
  grep -q 'GNU_RELRO' <<<"$segments" || bad "$file" "no read-only relocations (-z relro)"
  grep -qE 'GNU_STACK.* RWE ' <<<"$segments" && bad "$file" "the stack is executable"
  grep -qE '^ +LOAD.* RWE ' <<<"$segments" && bad "$file" "a segment is writable and executable"
  grep -q '(TEXTREL)' <<<"$dynamic" && bad "$file" "text relocations"
  grep -q '__stack_chk_fail' <<<"$symbols" || bad "$file" "no stack protector"
  grep -qE '__[a-z0-9_]+_chk(@|$)' <<<"$(grep -v __stack_chk_fail <<<"$symbols")" ||
    bad "$file" "no fortified call (_FORTIFY_SOURCE)"
  for feature in $cet; do
    grep -q "$feature" <<<"$note" || bad "$file" "no $feature in its notes (-fcf-protection)"
  done
  if grep -q 'X86-64' <<<"$header"; then  # the note may be out of reach, the landing pads are not
    (( $(objdump -d --section=.text "$file" | grep -c endbr64) > 20 )) ||
      bad "$file" "functions without endbr64 (-fcf-protection)"
  fi
  return 0
}

# must_not_need FILE PATTERN WHY: no library that it needs has such a name.
must_not_need() {
  local found
  found=$(readelf -dW "$1" | grep -oE 'NEEDED.*\[[^]]*' | sed 's/.*\[//' | grep -E "$2" | tr '\n' ' ' || true)
  [[ -z $found ]] || bad "$1" "links $found: $3"
}

(( $# == 2 )) || { echo "usage: tests/hardening.sh PENSTOCK PENSTOCKCTL" >&2; exit 2; }
cet=$(toolchain_cet)
check "$1"
check "$2"
must_not_need "$2" '^(librte_|libusrsctp|libisal)' "the client knows the control socket only"
must_not_need "$1" '^librte_(mempool|net)_' \
  "drivers are loaded by EAL, or DPDK's capture tools see nothing"
(( failed )) && exit 1
echo "hardening: PIE, bind now, relro, no executable stack, stack protector, fortify, endbr64" \
  "${cet:+and the note ${cet% }}"
