"""Bounds that the settings, the daemon and the editors' server keep alike."""

MOST_CANDIDATES = 20
"""Of one generation."""
