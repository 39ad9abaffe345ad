"""Fibre access: OLTs, PONs, ONUs, their light, and whom they serve."""
