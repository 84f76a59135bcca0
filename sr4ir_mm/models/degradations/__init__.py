"""How a high-resolution image becomes the low-resolution input of the SR network."""
