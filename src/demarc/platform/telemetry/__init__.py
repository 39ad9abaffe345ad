"""What Demarc says about itself: logs without secrets, and counters."""
