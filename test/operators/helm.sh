# Helm 4: DIR/helm. Its default is server-side apply.
mkdir -p chart/crds chart/templates/tests
cat >chart/Chart.yaml <<'Y'
apiVersion: v2
name: shop
version: 1.0.0
Y
echo '{size: 1, legacy: true}' >chart/values.yaml
cat >chart/crds/oven.yaml <<'Y'
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ovens.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: ovens, kind: Oven}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                size: {type: integer, minimum: 1}
                color: {type: string, default: white}
Y
cat >chart/templates/shop.yaml <<'Y'
apiVersion: example.com/v1
kind: Oven
metadata: {name: {{ .Release.Name }}}
spec: {size: {{ .Values.size }}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}}
data:
  size: {{ .Values.size | quote }}
  {{- if .Values.legacy }}
  legacy: "yes"
  {{- end }}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  replicas: {{ .Values.size }}
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: shop, image: shop, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}}
spec: {selector: {app: shop}, ports: [{port: 80}]}
Y
for hook in pre-install post-upgrade pre-delete; do
  cat >chart/templates/$hook.yaml <<Y
apiVersion: batch/v1
kind: Job
metadata: {name: "{{ .Release.Name }}-$hook", annotations: {helm.sh/hook: $hook}}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: hook, image: hook}]}}}
Y
done
cat >chart/templates/tests/test.yaml <<'Y'
apiVersion: v1
kind: Pod
metadata: {name: "{{ .Release.Name }}-test", annotations: {helm.sh/hook: test}}
spec: {restartPolicy: Never, containers: [{name: test, image: test}]}
Y

step 'install: definitions first, hooks before, ready before it returns'
helm install shop chart --wait --timeout 60s >install.txt
kubectl wait --for=condition=Established crd ovens.example.com --timeout=1s >/dev/null
same white "$(kubectl get oven shop -o jsonpath='{.spec.color}')"
same 'helm Apply' "$(kubectl get oven shop --show-managed-fields -o jsonpath='{.metadata.managedFields[0].manager} {.metadata.managedFields[0].operation}')"
same True "$(kubectl get job shop-pre-install -o jsonpath='{.status.conditions[?(@.type=="Complete")].status}')"

step 'upgrade: what the chart does not say any more goes, what others own stays'
kubectl label configmap shop mine=yes >/dev/null
helm upgrade shop chart --set size=2,legacy=false --wait --timeout 60s >/dev/null
same '{"size":"2"} yes' "$(kubectl get configmap shop -o jsonpath='{.data} {.metadata.labels.mine}')"
same '2 2' "$(kubectl get oven,deployment shop -o jsonpath='{.items[0].spec.size} {.items[1].status.readyReplicas}')"

step 'a conflict is told, and can be forced'
kubectl patch configmap shop --type=merge -p '{"data":{"size":"9"}}' >/dev/null
refused 'conflict with "kubectl-patch"' helm upgrade shop chart --set size=3,legacy=false
helm upgrade shop chart --set size=3,legacy=false --force-conflicts --wait --timeout 60s >/dev/null
same 3 "$(kubectl get configmap shop -o jsonpath='{.data.size}')"

step 'what a schema refuses is told, and the release has failed'
refused 'spec.size in body should be greater than or equal to 1' helm upgrade shop chart --set size=0
has failed "$(helm history shop)"

step 'rollback, test, a dry run of the server'
helm rollback shop 1 --wait --timeout 60s >/dev/null
same '{"legacy":"yes","size":"1"} yes' "$(kubectl get configmap shop -o jsonpath='{.data} {.metadata.labels.mine}')"
helm test shop --timeout 60s >test.txt
has Succeeded "$(cat test.txt)"
has 'size: 7' "$(helm template shop chart --set size=7 --dry-run=server)"
helm upgrade --install shop chart --server-side=false --wait --timeout 60s >/dev/null 2>client-side.txt

step 'uninstall: all but the definition, which helm keeps'
helm uninstall shop --wait --timeout 60s >/dev/null
same '' "$(kubectl get oven,deployment,service,configmap -l mine=yes -o name)"
refused NotFound kubectl get oven shop
kubectl get crd ovens.example.com >/dev/null
