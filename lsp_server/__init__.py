"""The language server: the only Python that knows LSP, and no model at all.

Run it with ``python -m lsp_server``; it speaks over standard input and output.
"""
