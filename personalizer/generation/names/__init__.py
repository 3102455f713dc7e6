"""Names in generated code: what exists, what it must import, and near misses that are mended."""
