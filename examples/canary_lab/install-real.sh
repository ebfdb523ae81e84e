#!/bin/sh
# Installs what `make demo-real` needs: the Debian packages haproxy and prometheus.
# Where it may not, it names what is missing and ends with 1.
set -eu

missing=""
for package in haproxy prometheus; do
    if PATH="$PATH:/usr/sbin:/sbin" command -v "$package" >/dev/null 2>&1; then
        continue
    fi
    missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
    # Not quoted: a list of packages.
    # shellcheck disable=SC2086
    apt-get install -y --no-install-recommends $missing ||
        { apt-get update && apt-get install -y --no-install-recommends $missing; }
    exit 0
fi
echo "missing:$missing. Install as root: apt-get install --no-install-recommends$missing" >&2
exit 1
