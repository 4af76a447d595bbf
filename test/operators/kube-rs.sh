# kube-rs: DIR/kube-rs-operator, the crate kube-rs/ compiled. Its definition comes from a Rust struct, and all that it writes is applied.
step 'a definition from a struct, a finalizer, what it owns, a status, all by server-side apply'
kube-rs-operator >"$work/kube-rs.log" 2>&1
has 'all as wanted' "$(cat "$work/kube-rs.log")"
