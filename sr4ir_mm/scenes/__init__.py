"""Images larger than memory, in windows through both networks."""
