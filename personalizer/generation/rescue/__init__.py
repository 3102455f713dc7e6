"""What is done while no candidate passes."""
