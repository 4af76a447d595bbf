package ovens

import (
	"context"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	webhookserver "sigs.k8s.io/controller-runtime/pkg/webhook"
)

const patience = 30 * time.Second

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("not so in time: " + what)
		}
	}
}

func TestOvens(t *testing.T) {
	ctrl.SetLogger(zap.New())
	addToScheme(scheme.Scheme)
	existing := true
	environment := &envtest.Environment{
		UseExistingCluster:    &existing,
		CRDDirectoryPaths:     []string{"ovens.yaml"},
		ErrorIfCRDPathMissing: true,
		WebhookInstallOptions: envtest.WebhookInstallOptions{Paths: []string{"webhooks.yaml"}},
	}
	config, err := environment.Start()
	must(t, err)
	defer func() { must(t, environment.Stop()) }()

	hooks := environment.WebhookInstallOptions
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:           scheme.Scheme,
		Metrics:          server.Options{BindAddress: "0"},
		LeaderElection:   true,
		LeaderElectionID: group, LeaderElectionNamespace: "default",
		WebhookServer: webhookserver.NewServer(webhookserver.Options{
			Host: hooks.LocalServingHost, Port: hooks.LocalServingPort, CertDir: hooks.LocalServingCertDir,
		}),
	})
	must(t, err)
	cooled := make(chan string, 1)
	must(t, setUp(mgr, cooled))
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	defer func() { stop(); must(t, <-ended) }()
	<-mgr.Elected()
	eventually(t, "the webhooks answer", func() bool { return mgr.GetWebhookServer().StartedChecker()(nil) == nil })

	direct, err := client.New(config, client.Options{Scheme: scheme.Scheme})
	must(t, err)
	named := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: "default", Name: name} }
	key := client.ObjectKey{Namespace: "default", Name: "stone"}

	// defaulted, validated, reconciled
	oven := &Oven{ObjectMeta: named("stone"), Spec: Spec{Celsius: 200}}
	must(t, direct.Create(ctx, oven))
	if oven.Spec.Bread != "rye" {
		t.Fatal("not defaulted")
	}
	err = direct.Create(ctx, &Oven{ObjectMeta: named("volcano"), Spec: Spec{Celsius: 900}})
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "900 °C burns bread") {
		t.Fatal("not refused by the webhook: ", err)
	}
	err = direct.Create(ctx, &Oven{ObjectMeta: named("cellar"), Spec: Spec{Celsius: -300}})
	if !apierrors.IsInvalid(err) {
		t.Fatal("not refused by the schema: ", err)
	}
	eventually(t, "the oven is ready", func() bool {
		must(t, direct.Get(ctx, key, oven))
		return oven.Status.Ready && meta.IsStatusConditionTrue(oven.Status.Conditions, "Hot")
	})

	// the other version
	old := &OldOven{}
	must(t, direct.Get(ctx, key, old))
	if old.Spec.Fahrenheit != 392 || old.Spec.Bread != "rye" || !old.Status.Ready {
		t.Fatal("not converted: ", old)
	}
	old.Spec.Fahrenheit = 482
	must(t, direct.Update(ctx, old))
	heat := &corev1.ConfigMap{}
	eventually(t, "what it owns follows", func() bool {
		return direct.Get(ctx, key, heat) == nil && heat.Data["celsius"] == "250"
	})
	must(t, direct.Create(ctx, &OldOven{ObjectMeta: named("antique"), Spec: OldSpec{Fahrenheit: 212}}))
	eventually(t, "an oven of the old version is ready", func() bool {
		made := &Oven{}
		return mgr.GetClient().Get(ctx, client.ObjectKey{Namespace: "default", Name: "antique"}, made) == nil && made.Status.Ready && made.Spec.Celsius == 100
	})

	// what it owns is made again, and goes with it
	must(t, direct.Delete(ctx, heat))
	eventually(t, "what it owns is made again", func() bool {
		again := &corev1.ConfigMap{}
		return direct.Get(ctx, key, again) == nil && again.UID != heat.UID
	})
	must(t, direct.Delete(ctx, oven))
	if name := <-cooled; name != "stone" {
		t.Fatal("another cooled down: ", name)
	}
	eventually(t, "oven and ConfigMap go", func() bool {
		return apierrors.IsNotFound(direct.Get(ctx, key, oven)) && apierrors.IsNotFound(direct.Get(ctx, key, heat))
	})
	must(t, direct.DeleteAllOf(ctx, &Oven{}, client.InNamespace("default")))
	if name := <-cooled; name != "antique" {
		t.Fatal("another cooled down: ", name)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
