"""The parser builds a SymPy expression from a whitelist of Python's syntax (`ast`), and never executes code."""

from __future__ import annotations

import ast
import difflib
import keyword
import math
import re
from collections.abc import Mapping
from typing import Any

import sympy

from circuitsim.errors import RuleError
from circuitsim.rules import functions as f

MAX_LENGTH = 2000  # characters; bounds the recursion of Python's parser
MAX_EXPONENT = 16  # larger integer powers are not expanded
MAX_DEPTH = 50  # of the expression tree; bounds every later recursion over it

_BINARY: dict[type[ast.operator], Any] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
}
_COMPARE: dict[type[ast.cmpop], Any] = {
    ast.Gt: f.greater,
    ast.GtE: f.greater_equal,
    ast.Lt: lambda a, b: f.greater(b, a),
    ast.LtE: lambda a, b: f.greater_equal(b, a),
    ast.Eq: f.equal,
    ast.NotEq: f.not_equal,
}


def parse(
    text: str, names: Mapping[str, sympy.Expr], functions: Mapping[str, Any] = f.RULE_FUNCTIONS, owner: str = "rule"
) -> sympy.Expr:
    """Parse `text` into a SymPy expression.

    Args:
        text: the expression.
        names: maps each allowed name to the expression it stands for.
        functions: the allowed functions, keyed by name.
        owner: the holder of the expression, which begins error messages, such as ``"projection 'V1': rule"``.
    Returns:
        The expression, which uses the functions of `circuitsim.rules.functions`.
    Raises:
        RuleError: a name or function is unknown, the syntax is not arithmetic, or a value is not finite; the
            message names the owner, the column and the known names.
    Example:
        >>> import sympy
        >>> from circuitsim.rules import parse
        >>> parse("eta * (a > 0)", {name: sympy.Symbol(name, real=True) for name in ("eta", "a")})
        eta*greater(a, 0)
    """
    if not isinstance(text, str):
        raise RuleError(f"{owner}: an expression must be a string (got {text!r})")
    if len(text) > MAX_LENGTH:
        raise RuleError(f"{owner}: expression has {len(text)} characters; the limit is {MAX_LENGTH}")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        column = _column(text, error.lineno or 1, max(error.offset or 1, 1) - 1)
        message = f"{owner}: cannot read {text!r}: {error.msg} at column {column}{_keyword(text)}"
        raise RuleError(message, column) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise RuleError(f"{owner}: cannot read the expression: {error}") from None
    try:
        expression = _Reader(names, functions, owner, text).read(tree.body)
        too_deep = _depth(expression) > MAX_DEPTH
    except RecursionError:
        too_deep = True
    if too_deep:
        raise RuleError(f"{owner}: expression is nested too deeply")
    if not all(map(_is_finite, expression.atoms(sympy.Number, sympy.zoo, sympy.I))):
        raise RuleError(f"{owner}: {text!r} contains a value that is not a finite real number")
    return expression


def _keyword(text: str) -> str:
    """Say which word of a text that is no expression is a keyword of Python, which cannot be a name; "" if none is."""
    words = [word for word in re.findall(r"[^\W\d]\w*", text) if keyword.iskeyword(word)]
    return f" ({words[0]!r} is a keyword of Python and cannot be a name; use {words[0] + '_'!r})" if words else ""


def _column(text: str, line: int, offset: int) -> int:
    """Return the 1-based column in `text` as one string; Python counts within one line of the stripped text."""
    lines = text.lstrip().split("\n")[: line - 1]
    return len(text) - len(text.lstrip()) + sum(len(x) + 1 for x in lines) + offset + 1


def _depth(expression: sympy.Expr) -> int:
    return 1 + max(map(_depth, expression.args), default=0)


def _is_finite(number: sympy.Expr) -> bool:
    """Return whether a number is real and fits into a float (SymPy's own numbers are unbounded)."""
    try:
        return math.isfinite(float(number))
    except TypeError:  # not real
        return False


class _Reader:
    """A recursive visitor that turns a syntax tree into a SymPy expression."""

    def __init__(self, names: Mapping[str, sympy.Expr], functions: Mapping[str, Any], owner: str, text: str) -> None:
        self.names, self.functions, self.owner, self.text = names, functions, owner, text

    def read(self, node: ast.expr) -> sympy.Expr:
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return self.number(value, node)
            case ast.Name(id=name):
                return self.name(name, node)
            case ast.UnaryOp(op=ast.USub()):
                return -self.read(node.operand)
            case ast.UnaryOp(op=ast.UAdd()):
                return self.read(node.operand)
            case ast.BinOp(op=ast.Pow()):
                return self.power(self.read(node.left), self.read(node.right), node)
            case ast.BinOp() if type(node.op) in _BINARY:
                left, right = self.read(node.left), self.read(node.right)
                if isinstance(node.op, ast.Div) and right.is_zero:
                    raise self.error("division by zero", node)
                return _BINARY[type(node.op)](left, right)
            case ast.Compare(ops=[operator]) if type(operator) in _COMPARE:
                return _COMPARE[type(operator)](self.read(node.left), self.read(node.comparators[0]))
            case ast.Call(func=ast.Name(id=name), keywords=[]):
                return self.call(name, node)
        what = f"{type(node).__name__} {ast.unparse(node)!r}"
        if isinstance(node, ast.BoolOp) or (isinstance(node, ast.Compare) and len(node.ops) > 1):
            what += " (multiply comparisons instead)"
        elif isinstance(node, ast.Lambda):
            what += _keyword("lambda")
        raise self.error(f"{what} is not part of the rule language", node)

    def number(self, value: int | float, node: ast.expr) -> sympy.Expr:
        try:
            finite = math.isfinite(float(value))
        except OverflowError:
            finite = False
        if not finite:
            raise self.error("number too large", node)
        return sympy.Integer(value) if isinstance(value, int) and abs(value) < 2**53 else sympy.Float(float(value))

    def name(self, name: str, node: ast.expr) -> sympy.Expr:
        if name in self.names:
            return self.names[name]
        near = difflib.get_close_matches(name, self.names, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise self.error(f"unknown name {name!r}{hint} (known: {', '.join(sorted(self.names))})", node, name)

    def call(self, name: str, node: ast.Call) -> sympy.Expr:
        function = self.functions.get(name)
        if function is None:
            near = difflib.get_close_matches(name, self.functions, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise self.error(f"unknown function {name!r}{hint} (known: {', '.join(sorted(self.functions))})", node)
        if len(node.args) not in function.nargs:
            raise self.error(f"{name} takes {function.nargs.args[0]} argument(s), not {len(node.args)}", node)
        arguments = [self.read(argument) for argument in node.args]
        if function is f.sqrt and arguments[0].is_negative:
            raise self.error("sqrt of a negative number", node)
        return function(*arguments)

    def power(self, base: sympy.Expr, exponent: sympy.Expr, node: ast.expr) -> sympy.Expr:
        """Return a power. Small integer exponents can be expanded later; others stay as function calls."""
        if base.is_Number and exponent.is_Number:
            try:
                return self.number(float(base) ** float(exponent), node)
            except (OverflowError, ZeroDivisionError, TypeError):
                raise self.error("number too large or undefined", node) from None
        if exponent.is_Integer and abs(int(exponent)) <= MAX_EXPONENT:
            return base**exponent
        gates = [factor for factor in sympy.Mul.make_args(base) if isinstance(factor, f.Comparison)]
        if gates and f.is_whole_and_positive(exponent):  # as in `base**exponent`, a power of a gate is the gate
            rest = sympy.Mul(*(factor for factor in sympy.Mul.make_args(base) if factor not in gates))
            return sympy.Mul(*gates, rest if rest == 1 else self.power(rest, exponent, node))
        return f.power(base, exponent)

    def error(self, message: str, node: ast.expr, name: str | None = None) -> RuleError:
        """Return an error whose message ends with the node's column."""
        line = self.text.lstrip().split("\n")[node.lineno - 1]
        column = _column(self.text, node.lineno, len(line.encode()[: node.col_offset].decode()))  # Python counts bytes
        return RuleError(f"{self.owner}: {message} at column {column}", column, name)
