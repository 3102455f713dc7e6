"""One file a feature; each has ``register(server)`` and looks at its own switch when asked."""

from lsp_server.features import (
    code_actions,
    code_lens,
    documents,
    folders,
    generate_snippet,
    generate_test,
    navigation,
    status,
    training,
)

__all__ = ["FEATURES"]

FEATURES = (
    folders,
    documents,
    code_actions,
    code_lens,
    generate_test,
    generate_snippet,
    navigation,
    training,
    status,
)
