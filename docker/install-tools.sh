#!/bin/sh
# Installs what `npm run test:deploy` needs besides Node and Java, from Debian's packages:
#   podman, buildah, skopeo   run, build and look at images, without a daemon
#   runc, conmon, catatonit   what podman runs containers with
#   containernetworking-plugins, iptables, iproute2   the network of the test's own namespace
#   uidmap, fuse-overlayfs    storage for users without root
#   prometheus                for promtool, which tests the alerts; its server is neither enabled nor started
#   openssl, util-linux       certificates of a test; unshare, which makes the namespace
# It installs packages and nothing else: no settings of the machine are changed, no service is left running.
set -eu

packages='podman buildah skopeo runc conmon catatonit containernetworking-plugins iptables iproute2 uidmap fuse-overlayfs prometheus openssl util-linux'

missing=''
for package in $packages; do
  if ! dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed'; then missing="$missing $package"; fi
done
if [ -z "$missing" ]; then
  echo 'everything that is needed is installed'
  exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
  echo "this machine has no apt-get: install the like of$missing by its own means" >&2
  exit 69
fi
if [ "$(id -u)" -ne 0 ]; then
  echo 'root is needed to install packages. Run:' >&2
  echo "  sudo apt-get install --no-install-recommends$missing" >&2
  exit 77
fi
echo "installing$missing"
# A package that would start its service here is told not to.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
# shellcheck disable=SC2086
apt-get -qq -y install --no-install-recommends $missing >/dev/null
echo 'installed'
