"""Compiles, runs and measures candidate tests before they are offered. Free of torch.

``validator_for(...).validate([Check(...)])`` gives one ``Verdict`` a candidate.
"""

from personalizer.validation.records import Check, Diagnostic, Unable, Validator, Verdict
from personalizer.validation.setup import validator_for

__all__ = ["Check", "Diagnostic", "Unable", "Validator", "Verdict", "validator_for"]
