# prometheus-operator: DIR/prometheus-operator, and DIR/prometheus-operator.yaml, its bundle.yaml.
step 'its definitions are created, applied and established'
kubectl create -f "$bin/prometheus-operator.yaml" >created.txt
kubectl apply --server-side --force-conflicts -f "$bin/prometheus-operator.yaml" >applied.txt
kubectl wait --for=condition=Established crd --all --timeout=60s >/dev/null
same 10 "$(kubectl get crd -o name | grep -c monitoring.coreos.com)"
kubectl delete deployment prometheus-operator >/dev/null # it runs here, not in a pod

step 'a Prometheus becomes a StatefulSet, whose pods run'
program operator prometheus-operator --kubelet-service=kube-system/kubelet
kubectl apply -f - <<Y >/dev/null
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {name: main, namespace: default}
spec: {replicas: 2, serviceAccountName: default, ruleSelector: {}, serviceMonitorSelector: {}}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: shop, namespace: default}
spec: {selector: {matchLabels: {app: shop}}, endpoints: [{port: web}]}
---
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: shop, namespace: default}
spec: {groups: [{name: shop, rules: [{alert: Down, expr: up == 0, for: 5m}]}]}
Y
soon kubectl get statefulset prometheus-main
kubectl rollout status statefulset prometheus-main --timeout=120s >/dev/null
kubectl wait prometheus main --for=condition=Available --timeout=60s >/dev/null
same 2 "$(kubectl get prometheus main -o jsonpath='{.status.availableReplicas}')"
soon kubectl get configmap prometheus-main-rulefiles-0
kubectl get prometheus,servicemonitor,prometheusrule >/dev/null

step 'its subresource scale counts shards, each a StatefulSet; what a Prometheus owns goes with it'
kubectl scale prometheus main --replicas=2 >/dev/null
soon kubectl rollout status statefulset prometheus-main-shard-1 --timeout=60s
refused 'spec.endpoints' kubectl patch servicemonitor shop --type=merge -p '{"spec":{"endpoints":"web"}}'
kubectl delete prometheus main >/dev/null
kubectl wait statefulset prometheus-main prometheus-main-shard-1 --for=delete --timeout=60s >/dev/null
