"""Public benchmark tasks: programs that are run (HumanEval and kin) and instructions (W24)."""
