#!/usr/bin/env bash
# Programs of others that tests look through: on Debian or Ubuntu, as root, install what is missing.
set -euo pipefail

# The program, and the package that has it.
tools=(
    "chromium chromium"               # the report's pages
    "softhsm2-util softhsm2"          # a token that signs
    "ssh-agent openssh-client"        # an agent that signs
    "openssl openssl"                 # an authority of time stamps
    "jq jq"                           # the commands of documents
    "apparmor_parser apparmor"        # reads a profile; loads none
)
missing=()
for tool in "${tools[@]}"; do
    read -r program package <<<"$tool"
    PATH="$PATH:/usr/sbin:/sbin" command -v "$program" >/dev/null || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
if [ "$(id -u)" -eq 0 ] && [ -f /etc/debian_version ] && command -v apt-get >/dev/null; then
    echo "set-up: installing what tests look through: ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
else
    echo "set-up: not here: ${missing[*]}; the tests that need them will say that they were skipped"
fi
