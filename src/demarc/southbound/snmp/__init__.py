"""Asking SNMP agents."""
