// Package ovens is an operator as kubebuilder lays one out: a kind in two versions, of which v1 is the hub, webhooks that
// convert, default and validate, and a reconciler with a finalizer, what it owns and a status. ovens_test.go runs it in
// the manner of envtest against the cluster of the kubeconfig.
package ovens

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/conversion"
)

const group = "ovens.example.com"

type Spec struct {
	Celsius int    `json:"celsius"`
	Bread   string `json:"bread,omitempty"`
}

type Status struct {
	Ready      bool               `json:"ready"`
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Oven of v1.
type Oven struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              Spec   `json:"spec,omitempty"`
	Status            Status `json:"status,omitempty"`
}

type OvenList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Oven `json:"items"`
}

func (*Oven) Hub() {}

func (o *Oven) DeepCopyObject() runtime.Object {
	copied := *o
	copied.ObjectMeta = *o.ObjectMeta.DeepCopy()
	copied.Status.Conditions = append([]metav1.Condition(nil), o.Status.Conditions...)
	return &copied
}

func (l *OvenList) DeepCopyObject() runtime.Object {
	copied := *l
	copied.Items = nil
	for i := range l.Items {
		copied.Items = append(copied.Items, *l.Items[i].DeepCopyObject().(*Oven))
	}
	return &copied
}

type OldSpec struct {
	Fahrenheit int    `json:"fahrenheit"`
	Bread      string `json:"bread,omitempty"`
}

// OldOven is Oven of v1alpha1; its kind is Oven too.
type OldOven struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              OldSpec `json:"spec,omitempty"`
	Status            Status  `json:"status,omitempty"`
}

func (o *OldOven) DeepCopyObject() runtime.Object {
	copied := *o
	copied.ObjectMeta = *o.ObjectMeta.DeepCopy()
	copied.Status.Conditions = append([]metav1.Condition(nil), o.Status.Conditions...)
	return &copied
}

func (o *OldOven) ConvertTo(hub conversion.Hub) error {
	to := hub.(*Oven)
	to.ObjectMeta, to.Status = o.ObjectMeta, o.Status
	to.Spec = Spec{Celsius: (o.Spec.Fahrenheit - 32) * 5 / 9, Bread: o.Spec.Bread}
	return nil
}

func (o *OldOven) ConvertFrom(hub conversion.Hub) error {
	from := hub.(*Oven)
	o.ObjectMeta, o.Status = from.ObjectMeta, from.Status
	o.Spec = OldSpec{Fahrenheit: from.Spec.Celsius*9/5 + 32, Bread: from.Spec.Bread}
	return nil
}

func addToScheme(scheme *runtime.Scheme) {
	v1 := schema.GroupVersion{Group: group, Version: "v1"}
	old := schema.GroupVersion{Group: group, Version: "v1alpha1"}
	scheme.AddKnownTypeWithName(v1.WithKind("Oven"), &Oven{})
	scheme.AddKnownTypeWithName(v1.WithKind("OvenList"), &OvenList{})
	scheme.AddKnownTypeWithName(old.WithKind("Oven"), &OldOven{})
	metav1.AddToGroupVersion(scheme, v1)
	metav1.AddToGroupVersion(scheme, old)
}
