"""One file a group of commands; ``personalizer.cli`` gathers them."""
