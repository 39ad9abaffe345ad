"""Services: what a customer has, in which state, why, and since when."""
