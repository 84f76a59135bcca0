"""Time and memory of training, inference and loading, each next to plain PyTorch."""
