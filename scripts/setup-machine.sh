#!/usr/bin/env bash
# Makes the small virtual machine of the campaign: Debian 12 with cgroups of version 2, XFS and
# a Docker engine. Kept in .make/machine, by the hash of this recipe. On Debian or Ubuntu, as root.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'set-up: %s\n' "$*"; }
fail() { say "$*" >&2; exit 1; }

missing=()
need() { command -v "$1" >/dev/null || missing+=("$2"); }
need qemu-system-x86_64 qemu-system-x86
need mmdebstrap mmdebstrap
need mke2fs e2fsprogs
if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        fail "the test machine needs ${missing[*]}; on Debian or Ubuntu: apt-get install them"
    fi
    say "installing ${missing[*]}, for the test machine"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

recipe=$(sha256sum scripts/setup-machine.sh | cut -c1-16)
made=.make/machine/$recipe
[ -f "$made/root.img" ] && exit 0

say "making the test machine's disk from Debian's packages (about a minute)"
mkdir -p .make/machine
scratch=$(mktemp -d -p .make/machine)
trap 'rm -rf --one-file-system "$scratch"' EXIT
packages=linux-image-cloud-amd64,initramfs-tools,kmod,util-linux,mount,procps,iproute2
packages+=,docker.io,iptables,python3,git,xfsprogs,e2fsprogs,ca-certificates
mmdebstrap --quiet --variant=minbase --include="$packages" --aptopt='Acquire::Languages "none"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' bookworm "$scratch/root.tar"
mkdir "$scratch/root"
tar -xf "$scratch/root.tar" -C "$scratch/root"
# What the machine does is no part of its disk: it is on the second one, with the checkout.
mkdir -p "$scratch/root/aisci" "$scratch/root/var/lib/docker"
cat >"$scratch/root/sbin/first" <<'SH'
#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev 2>/dev/null
mount /dev/vdb /aisci && exec /bin/sh /aisci/tests/support/qemu/start.sh
SH
chmod 755 "$scratch/root/sbin/first"
mkdir "$scratch/made"
cp "$scratch"/root/boot/vmlinuz-* "$scratch/made/kernel"
cp "$scratch"/root/boot/initrd.img-* "$scratch/made/initrd"
mke2fs -q -t ext4 -d "$scratch/root" "$scratch/made/root.img" 2G >/dev/null
rm -rf --one-file-system "$made"
mv "$scratch/made" "$made"
