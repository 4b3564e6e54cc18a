"""The rule language: string -> checked SymPy expression -> sum of factored terms. No torch, no eval."""

from circuitsim.rules.axes import Axis, axes_of
from circuitsim.rules.factor import factor
from circuitsim.rules.parse import parse
from circuitsim.rules.terms import Reduction, SlowTerm, Sum, Term
from circuitsim.rules.vocabulary import RuleVocabulary

__all__ = ["Axis", "Reduction", "RuleVocabulary", "SlowTerm", "Sum", "Term", "axes_of", "factor", "parse"]
