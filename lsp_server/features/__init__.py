"""One file a feature; each has ``register(server)`` and looks at its own switch when asked."""

from lsp_server.features import (
    adapters,
    another_test,
    choose_test,
    code_actions,
    code_lens,
    documents,
    folders,
    generate_snippet,
    generate_test,
    inline_completion,
    navigation,
    page,
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
    choose_test,
    another_test,
    generate_snippet,
    inline_completion,
    navigation,
    training,
    status,
    adapters,
    page,
)
