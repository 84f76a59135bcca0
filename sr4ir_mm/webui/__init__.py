"""Web page that compares trained runs on an uploaded LR image."""
