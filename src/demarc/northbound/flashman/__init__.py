"""The Flashman API: what an ISP's systems use to look at, test and set up subscribers' devices.

Follows Flashman's v2 and v3 REST APIs, over Demarc's own ACS. What is done, left out and why
stands in ``quality.yaml``.
"""
