"""Where generated code goes, and the edit that leaves every other byte as it was."""
