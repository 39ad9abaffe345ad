"""The AEx provider API: what an ISP integrates to sell on somebody's fibre, and its owner's side.

Follows AEx's "Service Management" page and its neighbours (customers, premises, products,
locations). What is done, left out and why stands in ``quality.yaml``.
"""
