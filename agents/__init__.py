"""The Faust shell: one app per role around a fold of `sla`."""
