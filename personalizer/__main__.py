"""``python -m personalizer``."""

from personalizer.cli import main

main()
