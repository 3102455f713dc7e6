"""Knows source code: facts, focal-method/test pairs, contexts. Knows no models and no editors."""

from indexer.build import Dependency, Module, find_modules, module_at
from indexer.context import (
    Level,
    Piece,
    code_of,
    focal_context,
    snippet_context,
    test_class_context,
)
from indexer.errors import IndexerError, NotAFolder, StoreUnavailable
from indexer.facts import Call, Field, FileFacts, Import, Method, Parameter, Span, Type
from indexer.index import Change, Index, Snapshot, index_file, index_folder
from indexer.pairing import Pair, Where
from indexer.snippets import Passage, Snippet
from indexer.store import Store
from indexer.workspace import Found, Workspace

__all__ = [
    "Call",
    "Change",
    "Dependency",
    "Field",
    "FileFacts",
    "Found",
    "Import",
    "Index",
    "IndexerError",
    "Level",
    "Method",
    "Module",
    "NotAFolder",
    "Pair",
    "Parameter",
    "Passage",
    "Piece",
    "Snapshot",
    "Snippet",
    "Span",
    "Store",
    "StoreUnavailable",
    "Type",
    "Where",
    "Workspace",
    "code_of",
    "find_modules",
    "focal_context",
    "index_file",
    "index_folder",
    "module_at",
    "snippet_context",
    "test_class_context",
]
