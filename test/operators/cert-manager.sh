# cert-manager: DIR/cert-manager-controller, -cainjector and -webhook, and DIR/cert-manager, its chart
# (deploy/charts/cert-manager, with a version in Chart.yaml). Helm installs all but what runs; that runs here.
step 'its chart installs, definitions and webhooks among it'
helm install cert-manager "$bin/cert-manager" --namespace cert-manager --create-namespace --set crds.enabled=true \
  --set replicaCount=0,webhook.replicaCount=0,cainjector.replicaCount=0,startupapicheck.enabled=false,prometheus.enabled=false >install.txt
kubectl wait --for=condition=Established crd --all --timeout=60s >/dev/null
same 6 "$(kubectl get crd -o name | grep -c cert-manager.io)"
# the Service of the chart leads to pods; the webhook listens here
kubectl delete service cert-manager-webhook -n cert-manager >/dev/null
service cert-manager cert-manager-webhook 10250 >/dev/null

step 'webhook and cainjector start; the webhook makes its authority, cainjector puts it into the configurations'
program webhook cert-manager-webhook --kubeconfig="$KUBECONFIG" --secure-port=10250 --metrics-listen-address=0 --healthz-port=6080 \
  --dynamic-serving-ca-secret-namespace=cert-manager --dynamic-serving-ca-secret-name=cert-manager-webhook-ca \
  --dynamic-serving-dns-names=cert-manager-webhook,cert-manager-webhook.cert-manager,cert-manager-webhook.cert-manager.svc
program cainjector cert-manager-cainjector --kubeconfig="$KUBECONFIG" --leader-election-namespace=kube-system --metrics-listen-address=0
injected() { [ -n "$(kubectl get validatingwebhookconfiguration cert-manager-webhook -o jsonpath='{.webhooks[0].clientConfig.caBundle}')" ]; }
soon injected
program controller cert-manager-controller --kubeconfig="$KUBECONFIG" --leader-election-namespace=kube-system \
  --cluster-resource-namespace=cert-manager --enable-certificate-owner-ref

step 'a Certificate of a self-signed issuer becomes ready, and one of the authority that it is'
soon kubectl apply -f - <<Y
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: {name: self}
spec: {selfSigned: {}}
Y
kubectl apply -f - <<Y >/dev/null
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: authority, namespace: cert-manager}
spec: {isCA: true, commonName: bakery, secretName: authority, privateKey: {algorithm: ECDSA}, issuerRef: {kind: ClusterIssuer, name: self}}
---
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: {name: bakery}
spec: {ca: {secretName: authority}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: shop, namespace: default}
spec: {dnsNames: [shop.example.com], secretName: shop-tls, issuerRef: {kind: ClusterIssuer, name: bakery}}
Y
kubectl wait certificate authority -n cert-manager --for=condition=Ready --timeout=60s >/dev/null
kubectl wait clusterissuer bakery --for=condition=Ready --timeout=60s >/dev/null
kubectl wait certificate shop --for=condition=Ready --timeout=60s >/dev/null
for part in ca tls; do kubectl get secret shop-tls -o jsonpath="{.data.$part\\.crt}" | base64 -d >shop-$part.pem; done
has 'OK' "$(openssl verify -CAfile shop-ca.pem shop-tls.pem)"
has True "$(kubectl get certificate shop)" # its columns

step 'a new key when it is asked for; cainjector follows'
certificate unused unused.example.com # for ca.crt
kubectl create -f - <<Y >/dev/null
apiVersion: v1
kind: Secret
metadata: {name: given, namespace: default, annotations: {cert-manager.io/allow-direct-injection: 'true'}}
data: {ca.crt: "$(base64 -w0 ca.crt)"}
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: unused, annotations: {cert-manager.io/inject-ca-from-secret: default/given}}
webhooks:
  - {name: unused.example.com, admissionReviewVersions: [v1], sideEffects: None, clientConfig: {url: 'https://127.0.0.1:1/'}, rules: []}
Y
same_bundle() { [ "$(kubectl get mutatingwebhookconfiguration unused -o jsonpath='{.webhooks[0].clientConfig.caBundle}')" = "$(base64 -w0 ca.crt)" ]; }
soon same_bundle
was=$(kubectl get secret shop-tls -o jsonpath='{.metadata.resourceVersion}')
kubectl delete secret shop-tls >/dev/null
soon kubectl get secret shop-tls
kubectl wait certificate shop --for=condition=Ready --timeout=60s >/dev/null
[ "$was" != "$(kubectl get secret shop-tls -o jsonpath='{.metadata.resourceVersion}')" ] || fail 'no new certificate'

step 'its webhook refuses, so does its schema; what a Certificate owns goes with it'
refused 'admission webhook "webhook.cert-manager.io" denied the request' kubectl create -f - <<Y
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: wrong, namespace: default}
spec: {secretName: wrong, duration: 1h, renewBefore: 2h, dnsNames: [a.example.com], issuerRef: {kind: ClusterIssuer, name: bakery}}
Y
refused 'Unsupported value: "ROT13"' kubectl patch certificate shop --type=merge -p '{"spec":{"privateKey":{"algorithm":"ROT13"}}}'
kubectl delete certificate shop >/dev/null
kubectl wait secret shop-tls --for=delete --timeout=60s >/dev/null
