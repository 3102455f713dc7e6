"""From words to code: a documented function's body, or what a comment inside a body describes."""

from personalizer.generation.snippets.pipeline import generate_snippet
from personalizer.generation.snippets.spot import Spot, alone

__all__ = ["Spot", "alone", "generate_snippet"]
