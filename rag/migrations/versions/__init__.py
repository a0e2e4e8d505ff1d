"""The steps, in files called by their number."""
