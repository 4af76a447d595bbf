# kwok as the keeper of nodes: DIR/kwok, and DIR/kwok-stages, the files of its kustomize/stage/{node/fast,node/heartbeat-with-lease,pod/fast},
# and DIR/kwok-crds, those of kustomize/crd/bases.
step 'its definitions and stages are custom resources'
kubectl apply --server-side -f "$bin/kwok-crds" >/dev/null
kubectl wait --for=condition=Established crd --all --timeout=60s >/dev/null
kubectl apply -f "$bin/kwok-stages" >/dev/null
program kwok kwok --kubeconfig="$KUBECONFIG" --manage-nodes-with-label-selector=keeper=kwok --node-ip=$ip --node-lease-duration-seconds=40 \
  --enable-crds=Stage

step 'nodes that it keeps become ready'
for i in 1 2 3; do
  kubectl create -f - <<Y >/dev/null
apiVersion: v1
kind: Node
metadata:
  name: kwok-$i
  labels: {keeper: kwok, kubernetes.io/hostname: kwok-$i}
spec: {taints: [{key: keeper, value: kwok, effect: NoSchedule}]}
status:
  allocatable: {cpu: 32, memory: 256Gi, pods: 110}
  capacity: {cpu: 32, memory: 256Gi, pods: 110}
Y
done
kubectl wait node -l keeper=kwok --for=condition=Ready --timeout=60s >/dev/null

step 'pods on them run, beside those of our own node'
kubectl create deployment shop --image=shop --replicas=30 --dry-run=client -o yaml |
  kubectl patch --local -f - -o yaml --type=merge \
    -p '{"spec":{"template":{"spec":{"nodeSelector":{"keeper":"kwok"},"tolerations":[{"key":"keeper","operator":"Exists"}]}}}}' |
  kubectl apply -f - >/dev/null
kubectl create deployment ours --image=shop --replicas=3 >/dev/null
kubectl rollout status deployment shop ours --timeout=90s >/dev/null
same 3 "$(kubectl get pod -l app=shop -o jsonpath='{.items[*].spec.nodeName}' | tr ' ' '\n' | sort -u | wc -l)"
has Running "$(kubectl get pod -l app=ours)"

step 'jobs end, pods and a node go'
kubectl create -f - <<Y >/dev/null
apiVersion: batch/v1
kind: Job
metadata: {name: bake}
spec:
  completions: 3
  template:
    spec:
      restartPolicy: Never
      nodeSelector: {keeper: kwok}
      tolerations: [{key: keeper, operator: Exists}]
      containers: [{name: bake, image: bake}]
Y
kubectl wait job bake --for=condition=Complete --timeout=60s >/dev/null
kubectl drain kwok-3 --ignore-daemonsets --force --timeout=60s >/dev/null 2>&1
kubectl delete node kwok-3 >/dev/null
kubectl rollout status deployment shop --timeout=60s >/dev/null
kubectl delete deployment shop --cascade=foreground --timeout=60s >/dev/null
