# prometheus-operator: DIR/prometheus-operator, DIR/prometheus-admission-webhook, and DIR/prometheus-operator.yaml, its bundle.yaml,
# and DIR/alertmanagerconfigs.yaml, the definition with two versions (example/prometheus-operator-crd-full).
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

step 'its admission webhook judges rules, and mends them'
certificate webhook webhook.default.svc
program webhook prometheus-admission-webhook --web.listen-address=$ip:8443 --web.enable-tls=true --web.cert-file=webhook.crt --web.key-file=webhook.key
service default webhook 8443 >/dev/null
for kind in Mutating Validating; do
  case $kind in Mutating) path=mutate ;; *) path=validate ;; esac
  kubectl create -f - <<Y >/dev/null
apiVersion: admissionregistration.k8s.io/v1
kind: ${kind}WebhookConfiguration
metadata: {name: rules}
webhooks:
  - name: $path.rules.example.com
    admissionReviewVersions: [v1]
    sideEffects: None
    clientConfig:
      caBundle: $(base64 -w0 ca.crt)
      service: {namespace: default, name: webhook, path: /admission-prometheusrules/$path}
    rules: [{apiGroups: [monitoring.coreos.com], apiVersions: ['*'], resources: [prometheusrules], operations: [CREATE, UPDATE]}]
Y
done
rule() { # NAME EXPRESSION
  kubectl create -f - <<Y
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: $1, namespace: default}
spec: {groups: [{name: shop, rules: [{alert: Down, expr: "$2", annotations: {summary: down}}]}]}
Y
}
soon rule good 'up == 0'
same true "$(kubectl get prometheusrule good -o jsonpath='{.metadata.annotations.prometheus-operator-validated}')"
refused 'could not parse expression' rule bad 'up == == 0'

step 'it converts AlertmanagerConfigs'
kubectl apply --server-side --force-conflicts -f "$bin/alertmanagerconfigs.yaml" >/dev/null
service="{namespace: default, name: webhook, path: /convert}"
kubectl patch crd alertmanagerconfigs.monitoring.coreos.com --type=merge -p "
spec:
  conversion:
    strategy: Webhook
    webhook: {conversionReviewVersions: [v1], clientConfig: {caBundle: $(base64 -w0 ca.crt), service: $service}}" >/dev/null
kubectl wait crd alertmanagerconfigs.monitoring.coreos.com --for=condition=Established >/dev/null
soon kubectl create -f - <<Y
apiVersion: monitoring.coreos.com/v1beta1
kind: AlertmanagerConfig
metadata: {name: shop, namespace: default}
spec:
  route: {receiver: bell, matchers: [{name: app, value: shop, matchType: '='}]}
  receivers: [{name: bell}]
  inhibitRules: [{sourceMatch: [{name: a, value: b, matchType: '=~'}], targetMatch: [{name: c, value: d}]}]
Y
same '=~ bell' "$(kubectl get alertmanagerconfigs.v1beta1.monitoring.coreos.com shop -o jsonpath='{.spec.inhibitRules[0].sourceMatch[0].matchType} {.spec.receivers[0].name}')"
same 'v1alpha1 bell' "$(kubectl get alertmanagerconfigs.v1alpha1.monitoring.coreos.com shop -o jsonpath='{.apiVersion} {.spec.route.receiver}' | sed 's|.*/||')"
