"""Side-by-side measurements: `make bench`.

`workload/` says what is measured with, `contenders/` who runs it, `measures/` what is asked of them, `report/` how
it is told; `machine/` knows about cores, memory and the broker. Nothing of the product imports this package.
"""
