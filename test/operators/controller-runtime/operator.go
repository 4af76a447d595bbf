package ovens

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

const finalizer = group + "/cool-down"

type reconciler struct {
	client.Client
	cooled chan string
}

// Reconcile gives every Oven a ConfigMap that says how hot it is, and lets it cool down before it goes.
func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	oven := &Oven{}
	if err := r.Get(ctx, request.NamespacedName, oven); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !oven.DeletionTimestamp.IsZero() {
		if controllerutil.RemoveFinalizer(oven, finalizer) {
			r.cooled <- oven.Name
			return ctrl.Result{}, r.Update(ctx, oven)
		}
		return ctrl.Result{}, nil
	}
	if controllerutil.AddFinalizer(oven, finalizer) {
		return ctrl.Result{}, r.Update(ctx, oven)
	}
	heat := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: oven.Namespace, Name: oven.Name}}
	_, err := controllerutil.CreateOrUpdate(ctx, r.Client, heat, func() error {
		heat.Data = map[string]string{"celsius": fmt.Sprint(oven.Spec.Celsius)}
		return controllerutil.SetControllerReference(oven, heat, r.Scheme())
	})
	if err != nil {
		return ctrl.Result{}, err
	}
	before := oven.DeepCopyObject().(*Oven)
	oven.Status.Ready = true
	meta.SetStatusCondition(&oven.Status.Conditions, metav1.Condition{
		Type: "Hot", Status: metav1.ConditionTrue, Reason: "Heated", ObservedGeneration: oven.Generation,
	})
	return ctrl.Result{}, r.Status().Patch(ctx, oven, client.MergeFrom(before))
}

type webhook struct{}

func (webhook) Default(_ context.Context, oven *Oven) error {
	if oven.Spec.Bread == "" {
		oven.Spec.Bread = "rye"
	}
	return nil
}

func judge(oven *Oven) (admission.Warnings, error) {
	if oven.Spec.Celsius > 300 {
		return nil, fmt.Errorf("%d °C burns bread", oven.Spec.Celsius)
	}
	if oven.Spec.Celsius > 250 {
		return admission.Warnings{"that is hot"}, nil
	}
	return nil, nil
}

func (webhook) ValidateCreate(_ context.Context, oven *Oven) (admission.Warnings, error) {
	return judge(oven)
}

func (webhook) ValidateUpdate(_ context.Context, _, oven *Oven) (admission.Warnings, error) {
	return judge(oven)
}

func (webhook) ValidateDelete(context.Context, *Oven) (admission.Warnings, error) { return nil, nil }

func setUp(mgr ctrl.Manager, cooled chan string) error {
	if err := ctrl.NewWebhookManagedBy(mgr, &Oven{}).WithDefaulter(webhook{}).WithValidator(webhook{}).Complete(); err != nil {
		return err
	}
	return ctrl.NewControllerManagedBy(mgr).For(&Oven{}).Owns(&corev1.ConfigMap{}).Complete(&reconciler{mgr.GetClient(), cooled})
}
