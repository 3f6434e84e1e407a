#!/usr/bin/env bash
# Builds Helm, which neither npm nor Debian brings, and puts it where the check of deploy/ and `npm run manifests` look
# for it: below node_modules. Nothing of the system is changed. It takes minutes, on one core.
set -euo pipefail

version=v3.22.0
# 1.…
kubernetes=37
folder="$(dirname "$(realpath "$0")")/../node_modules/.cache/helm"

PATH="$PATH:/usr/local/go/bin"
command -v go >/dev/null || {
  echo 'Helm is built with Go, which is not here: install Go 1.26 or later, such as from https://go.dev/dl, and put it on the PATH' >&2
  exit 1
}
[ "$("$folder/helm" version --template '{{.Version}}' 2>/dev/null)" = "$version" ] && exit
mkdir -p "$folder"
GOBIN="$(realpath "$folder")"
# As it is released, it knows its own version, and which Kubernetes it takes a cluster for that it does not ask.
flags="-s -w -X helm.sh/helm/v3/internal/version.version=$version"
for package in pkg/chartutil pkg/lint/rules; do
  flags+=" -X helm.sh/helm/v3/$package.k8sVersionMajor=1 -X helm.sh/helm/v3/$package.k8sVersionMinor=$kubernetes"
done
export GOBIN GOFLAGS=-trimpath
exec nice -n 10 go install -p 1 -ldflags "$flags" "helm.sh/helm/v3/cmd/helm@$version"
