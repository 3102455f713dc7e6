"""Holds what a model writes to what can compile: names, arguments and types that are there.

``declarations`` say what may be used, ``checker`` reads a method while it is written, and ``guard``
takes from a model the tokens that the checker refuses. ``java.types`` is Java's own library.
"""
