# What run.sh runs in new namespaces: a cluster of one simulated node, then the operator's file, with what such files use.
#   $bin      the operators' programs and sources    $work    a directory of its own, the current one
#   $ip       an address of this namespace, where webhooks listen
set -eu
bin=$1 work=$2 file=$3
here=$(dirname "$file")
root=$(cd "$here/../.." && pwd -P)
ip=10.50.0.1
mount -t tmpfs tmpfs /run
ip link set lo up
ip addr add $ip/32 dev lo
hostname operators
cd "$work"
export PATH="$bin:$PATH" KUBECONFIG="$work/kubeconfig" TIMONIER_ROOT="$work/root" HOME="$work"
mkdir "$TIMONIER_ROOT"

# The launcher, or, where a checkout shares its node_modules, TIMONIER="node …/src/cli/main.ts".
timonier=${TIMONIER:-$root/timonier}
end() {
  code=$?
  [ $code -eq 0 ] || tail -n 5 "$work"/*.log 2>/dev/null || true
  # shellcheck disable=SC2086 # a command with its arguments
  $timonier delete operators >/dev/null 2>&1 || true
  exit $code
}
trap end EXIT

# step TEXT: what the next lines show.
step() { echo "   $*"; }
fail() { echo "   no: $*" >&2 && exit 1; }
# same WANTED GOT: both texts are equal.
same() { [ "$1" = "$2" ] || fail "wanted '$1', got '$2'"; }
# has WANTED TEXT: the text contains what is wanted.
has() { case $2 in *"$1"*) ;; *) fail "wanted '$1' in '$2'" ;; esac; }
# refused WORDS COMMAND…: the command fails and says the words.
refused() {
  words=$1 && shift
  if said=$("$@" 2>&1); then fail "not refused: $*"; fi
  has "$words" "$said"
}
# program NAME COMMAND…: in the background, its output in NAME.log.
program() {
  name=$1 && shift
  "$@" >"$work/$name.log" 2>&1 &
}
# soon COMMAND…: tries it until it succeeds, a minute long at most.
soon() {
  tries=0
  until "$@" >"$work/soon.txt" 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 120 ] || fail "$* ($(tail -n 3 "$work/soon.txt"))"
    sleep 0.5
  done
}
# service NAMESPACE NAME PORT: a Service that leads to a port of $ip.
service() {
  kubectl apply -f - <<Y
apiVersion: v1
kind: Service
metadata: {name: $2, namespace: $1}
spec: {ports: [{port: 443, targetPort: $3}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: $2-1, namespace: $1, labels: {kubernetes.io/service-name: $2}}
addressType: IPv4
ports: [{name: "", port: $3}]
endpoints: [{addresses: [$ip], conditions: {ready: true}}]
Y
}
# certificate NAME HOST: NAME.key, NAME.crt and the authority ca.crt.
certificate() {
  new="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
  # shellcheck disable=SC2086
  [ -f ca.crt ] || openssl req -x509 $new -keyout ca.key -out ca.crt -subj /CN=operators-ca -days 10 2>/dev/null
  # shellcheck disable=SC2086
  openssl req $new -keyout "$1.key" -out "$1.csr" -subj "/CN=$2" 2>/dev/null
  echo "subjectAltName=DNS:$2" >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 10 -out "$1.crt" -extfile "$1.ext" 2>/dev/null
}

$timonier up operators --nodes 0 --simulated 1 --port 0 --data-dir "$work/data" --kubeconfig "$KUBECONFIG" >up.log 2>&1
# shellcheck source=/dev/null
. "$file"
