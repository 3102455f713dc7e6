"""Tests and bodies from a model: prompt, candidates, and the edit that adds the best of them."""

from personalizer.generation.pipeline import generate_test
from personalizer.generation.placing.bodies import place_body
from personalizer.generation.placing.place import find_place
from personalizer.generation.records import Candidate, Edit, Generation, SnippetGeneration, Writer
from personalizer.generation.retrieval import Retriever
from personalizer.generation.site import Site
from personalizer.generation.snippets import alone, generate_snippet
from personalizer.generation.targets import resolve_snippet, resolve_target
from personalizer.generation.untested import untested
from personalizer.generation.vectors import Vectors

__all__ = [
    "Candidate",
    "Edit",
    "Generation",
    "Retriever",
    "Site",
    "SnippetGeneration",
    "Vectors",
    "Writer",
    "alone",
    "find_place",
    "generate_snippet",
    "generate_test",
    "place_body",
    "resolve_snippet",
    "resolve_target",
    "untested",
]
