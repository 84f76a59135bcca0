"""The web page of ``tools/webui.py``."""
