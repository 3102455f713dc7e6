"""What is done while no candidate passes, or while what passes adds or notices little."""
