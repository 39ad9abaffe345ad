#!/bin/sh
# Install the programs that the tests speak with: as root on Debian and its like. Elsewhere the
# tests whose peer is missing are skipped, and their summary says so.
set -eu

wanted=""
need() { # program package
    command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || wanted="$wanted $2"
}
need radclient freeradius-utils
need eapol_test eapoltest
need hostapd hostapd
need wpa_supplicant wpasupplicant
need freeradius freeradius
need snmpget snmp
need snmpd snmpd
need promtool prometheus
[ -x /usr/lib/postgresql/15/bin/postgres ] || command -v pg_ctl >/dev/null 2>&1 || wanted="$wanted postgresql"

[ -n "$wanted" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "Not installed here:$wanted. The tests that need them will be skipped."
    exit 0
fi
echo "Installing the peers of the tests:$wanted"
export DEBIAN_FRONTEND=noninteractive
# a service that comes with a package is not wanted running, only its program
if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
    chmod +x /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
fi
apt-get update -qq >/dev/null || true
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $wanted >/dev/null ||
    echo "Some peers could not be installed; the tests that need them will be skipped."
