"""What can go wrong while indexing.

IndexerError
├── NotAFolder        the workspace path is missing or is no folder
└── StoreUnavailable  the SQLite store can be neither read nor written (full or read-only disk)

Reading source raises none of these: any bytes give facts and a list of errors.
"""

__all__ = ["IndexerError", "NotAFolder", "StoreUnavailable"]


class IndexerError(Exception):
    """Base of everything the indexer raises on purpose; its text is one line for the user."""


class NotAFolder(IndexerError):
    """The workspace path is missing or is no folder."""


class StoreUnavailable(IndexerError):
    """The index store can be neither read nor written."""
