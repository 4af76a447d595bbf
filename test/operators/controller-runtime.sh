# An operator as kubebuilder lays one out: DIR/controller-runtime.test, the tests of controller-runtime/ compiled, which
# bring their own webhooks in envtest's manner.
step 'envtest-style tests: conversion, defaulting and validating webhooks, finalizer, owned objects, status, leader election'
cd "$here/controller-runtime"
USE_EXISTING_CLUSTER=true controller-runtime.test -test.timeout 2m -test.v >"$work/tests.log" 2>&1
has 'PASS: TestOvens' "$(cat "$work/tests.log")"
