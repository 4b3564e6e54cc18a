"""The rule language. A string becomes a checked SymPy expression, then a sum of factored terms; no torch, no eval."""

from circuitsim.rules.axes import Axis, axes_of
from circuitsim.rules.factoring import factor
from circuitsim.rules.parser import parse
from circuitsim.rules.terms import Reduction, SlowTerm, Sum, Term
from circuitsim.rules.vocabulary import RuleVocabulary

__all__ = ["Axis", "Reduction", "RuleVocabulary", "SlowTerm", "Sum", "Term", "axes_of", "factor", "parse"]
