"""A code model that knows your project. Importing this package loads no model and no torch."""

__version__ = "0.1.0"
__all__ = ["__version__"]
