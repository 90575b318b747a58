#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors

# Builds the fuzz targets with clang's libFuzzer and sanitizers, apart from meson's compiler, and
# runs them. What a target has found is kept in the build directory and is where it begins again.
#
#   tests/fuzz/run.sh [--build DIR] [--seconds N] [TARGET…]
#   tests/fuzz/run.sh --build DIR TARGET FILE    plays one input again, such as a crash
#
# Targets: packet neighbor reassembly config control; none named: all. PENSTOCK_LONG=1: a minute each.

set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
build=$root/build/fuzz
seconds=5
[[ ${PENSTOCK_LONG:-} ]] && seconds=60
targets=()
replay=
while (( $# )); do
  case $1 in
    --build) build=$2; shift ;;
    --seconds) seconds=$2; shift ;;
    packet | neighbor | reassembly | config | control) targets+=("$1") ;;
    *) [[ -f $1 ]] || { sed -n '5,12s/^# \{0,1\}//p' "$0" >&2; exit 2; }
       replay=$(readlink -f "$1") ;;
  esac
  shift
done
(( ${#targets[@]} )) || targets=(packet neighbor reassembly config control)
mkdir -p "$build"
build=$(cd "$build" && pwd)

clang=$(command -v clang++ || command -v clang++-14 || true)
flags="-std=c++20 -O1 -g -gline-tables-only -fno-omit-frame-pointer -I$root"
flags+=" -DPENSTOCK_VERSION=\\\"fuzz\\\" -Wall -Wextra -Werror -Wno-unknown-warning-option"
flags+=" -Wno-missing-field-initializers -fno-sanitize-recover=all"
sanitize="-fsanitize=fuzzer,address,undefined"
if [[ -z $clang ]] || ! "$clang" $sanitize -x c++ -o "$build/probe" - 2>"$build/probe.log" \
    <<<'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }'
then
  echo "fuzz: clang++ with libFuzzer is not installed (clang, libclang-rt-14-dev)"
  exit 77
fi
[[ $(uname -m) == x86_64 ]] && flags+=" -march=x86-64-v2"  # as the binary
flags+=" $(pkg-config --cflags tomlplusplus nlohmann_json fmt libisal)"
libraries=$(pkg-config --libs tomlplusplus fmt libisal)

# What a target needs beside itself and flows/.
sources_of() {
  case $1 in
    config) ls "$root"/engine/{config,plan,plan_fields,snapshot,tunnel_states}.cpp "$root"/engine/config/*.cpp ;;
    control) ls "$root"/engine/control/{command_tree,commands,ping,protocol,show}.cpp ;;
  esac
}

# One ninja file for all targets: objects are shared and made again when a header changed.
write_ninja() {
  echo "rule cxx"
  echo "  command = $clang $flags $sanitize -MMD -MF \$out.d -c \$in -o \$out"
  echo "  depfile = \$out.d"
  echo "  deps = gcc"
  echo "rule link"
  echo "  command = $clang $sanitize \$in -o \$out $libraries"
  local target source object objects known=" "
  for target in packet neighbor reassembly config control; do
    objects=
    for source in "$root/tests/fuzz/fuzz_$target.cpp" "$root"/flows/*.cpp $(sources_of "$target"); do
      object=obj/${source#"$root"/}.o
      objects+=" $object"
      [[ $known == *" $object "* ]] && continue
      known+="$object "
      echo "build $object: cxx $source"
    done
    echo "build fuzz_$target: link$objects"
  done
}

# Tests that run side by side build one after the other; afterwards there is nothing left to do.
exec 9>"$build/lock"
flock 9
write_ninja >"$build/build.ninja.new"
cmp -s "$build/build.ninja.new" "$build/build.ninja" ||
  mv "$build/build.ninja.new" "$build/build.ninja"
if ! ninja -C "$build" "${targets[@]/#/fuzz_}" >"$build/build.log" 2>&1; then
  tail -n 60 "$build/build.log"
  echo "fuzz: the targets do not build"
  exit 1
fi
flock -u 9

export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
if [[ $replay ]]; then
  exec "$build/fuzz_${targets[0]}" "$replay"
fi

run_target() {
  local target=$1 corpus=$build/corpus/$1 seeds=$build/seeds/$1 log=$build/$1.log file
  mkdir -p "$corpus" "$seeds" "$build/crashes"
  for file in "$root/tests/fuzz/seeds/$target"/*; do
    case $file in
      *.hex) sed 's/#.*//' "$file" | xxd -r -p >"$seeds/$(basename "$file" .hex)" ;;
      *) cp "$file" "$seeds/" ;;
    esac
  done
  if "$build/fuzz_$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
      -max_len=4096 -artifact_prefix="$build/crashes/$target-" -print_final_stats=1 \
      "$corpus" "$seeds" >"$log" 2>&1; then
    echo "$target: $(grep -oE 'stat::number_of_executed_units: +[0-9]+' "$log" |
      grep -oE '[0-9]+$') inputs in $seconds s, $(grep -oE 'cov: [0-9]+' "$log" | tail -n 1)"
    return 0
  fi
  grep -vE '^#[0-9]+[[:space:]]+(NEW|REDUCE|pulse|RELOAD)' "$log" | tail -n 60
  file=$(grep -oE "$build/crashes/[^ ]+" "$log" | tail -n 1 || true)
  echo "$target: FAILED; input ${file:-not kept}"
  if [[ -f $file ]]; then
    xxd "$file" | head -n 64
    echo "again: $0 --build $build $target $file"
  fi
  return 1
}

failed=0
for target in "${targets[@]}"; do run_target "$target" || failed=1; done
exit "$failed"
