#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors

# Lists the C++ files that clang-format would change, and fails if there are any.
#   tests/format.sh [--fix] [FILE…]    without files: all that git has or would add

set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
cd "$root"

fix=
[[ ${1:-} == --fix ]] && { fix=1; shift; }

# Another version formats differently: one is right for everybody.
tool=$(command -v clang-format-14 || command -v clang-format || true)
if [[ -z $tool ]] || [[ $("$tool" --version) != *"version 14."* ]]; then
  echo "format: clang-format 14 is not installed"
  exit 77
fi

if (( $# )); then
  files=("$@")
elif git -c safe.directory="$root" rev-parse --git-dir >/dev/null 2>&1; then
  mapfile -d '' -t files < <(git -c safe.directory="$root" ls-files -z --cached --others \
    --exclude-standard -- '*.cpp' '*.hpp')
else  # an unpacked archive
  mapfile -d '' -t files < <(find flows pmd_glue engine cli perf tests -name '*.[ch]pp' -print0)
fi

offending=()
for file in "${files[@]}"; do
  [[ -f $file ]] || continue
  if [[ $fix ]]; then
    "$tool" -i --style=file "$file"
  elif ! "$tool" --style=file --dry-run -Werror "$file" >/dev/null 2>&1; then
    offending+=("$file")
  fi
done
(( ${#offending[@]} == 0 )) && exit 0
printf '%s\n' "${offending[@]}"
echo "format: ${#offending[@]} files; tests/format.sh --fix puts them right"
exit 1
