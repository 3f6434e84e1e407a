#!/usr/bin/env bash
# Runs a command with the newest Prometheus and Alertmanager that can be had from Debian and start here, first on its
# PATH: those of unstable, else of the release after the machine's own. Only these packages' files, unpacked below
# node_modules; nothing of the system is replaced.
set -euo pipefail

cache="$(dirname "$(realpath "$0")")/../node_modules/.cache/newest-prometheus"
programs=(prometheus promtool prometheus-alertmanager amtool)

# Unpacks the packages of a suite, with apt's lists and cache in a folder of their own.
unpack() {
  local suite=$1 scratch
  scratch=$(mktemp -d)
  # shellcheck disable=SC2064 # the folder of now
  trap "rm -rf '$scratch'" RETURN
  mkdir -p "$scratch"/{lists,cache/archives}/partial "$scratch/packages"
  # So that apt, which downloads as a user of its own, gets in.
  chmod -R a+rwX "$scratch"
  local mirror
  mirror=$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' | awk '$1 == "Debian" { print $2; exit }')
  printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' \
    "${mirror:-http://deb.debian.org/debian}" "$suite" /usr/share/keyrings/debian-archive-keyring.gpg >"$scratch/suite.sources"
  local apt=(
    -qq -o "Dir::Etc::sourcelist=$scratch/suite.sources" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::Lists=$scratch/lists" -o "Dir::Cache=$scratch/cache" -o Acquire::Languages=none
  )
  apt-get "${apt[@]}" update
  # The older release has promtool inside of prometheus.
  local packages=("prometheus/$suite" "prometheus-alertmanager/$suite")
  if apt-cache "${apt[@]}" show "promtool=*" >/dev/null 2>&1; then packages+=("promtool/$suite"); fi
  (cd "$scratch/packages" && apt-get "${apt[@]}" download "${packages[@]}")
  rm -rf "$cache" && mkdir -p "$cache"
  local package
  for package in "$scratch"/packages/*.deb; do dpkg -x "$package" "$cache"; done
}

# Whether all of the programs are there and start: they may need a newer C library.
start() {
  local program
  for program in "${programs[@]}"; do
    "$cache/usr/bin/$program" --version >/dev/null 2>&1 || return 1
  done
}

if ! start; then
  for suite in sid trixie; do
    if unpack "$suite" && start; then break; fi
    echo "Prometheus and Alertmanager of Debian's $suite cannot be had, or do not start here" >&2
  done
fi
start || { echo "There is no newer Prometheus and Alertmanager to be had than the machine's own" >&2; exit 1; }

cache=$(realpath "$cache")
for program in prometheus prometheus-alertmanager; do "$cache/usr/bin/$program" --version 2>&1 | head -1; done
PATH="$cache/usr/bin:$PATH" exec "$@"
