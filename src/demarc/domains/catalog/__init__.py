"""What can be sold, and where: products, areas, availability."""
