"""Expressions of the rule language as LaTeX, in the notation of papers, and tables of them.

``w`` becomes w_ij, ``pre`` and ``post`` become a_j and a_i, ``I_V1`` becomes I_i^V1, and a comparison becomes an
Iverson bracket. The output needs no LaTeX package.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import sympy
from sympy.printing.latex import LatexPrinter

# the Greek letters that LaTeX has commands for
GREEK = re.compile(
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|mu|nu|xi|pi|rho|sigma|tau|upsilon|phi|chi|psi|omega|"
    "Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Upsilon|Phi|Psi|Omega"
)
QUANTITIES = {
    "w": "w_{ij}", "pre": "a_{j}", "post": "a_{i}", "drive_post": "d_{i}", "slope_post": r"{\varphi'_{i}}",
    "dendrite_post": "D_{i}", "hetero": "H_{i}", "activity": "a_{i}", "drive": "d_{i}", "slope": r"{\varphi'_{i}}",
    "previous": r"a_{i}^{\mathrm{previous}}", "spike_pre": "S_{j}", "spike_post": "S_{i}", "spike": "S_{i}",
}  # fmt: skip
# ``I_V1``, ``activity_up1``, ``slope_up1``
INDEXED_BY_OWNER = {"I": "I_{i}", "activity": "a_{i}", "slope": r"{\varphi'_{i}}"}
FUNCTIONS = {
    "greater": r"\left[{} > {}\right]", "greater_equal": r"\left[{} \geq {}\right]", "equal": r"\left[{} = {}\right]",
    "not_equal": r"\left[{} \neq {}\right]", "sign": r"\mathrm{{sign}}\left({}\right)", "absolute": r"\left|{}\right|",
    "relu": r"\mathrm{{relu}}\left({}\right)", "tanh": r"\tanh\left({}\right)", "exp": r"\exp\left({}\right)",
    "sqrt": r"\sqrt{{{}}}", "power": r"\left({}\right)^{{{}}}", "minimum": r"\min\left({}, {}\right)",
    "maximum": r"\max\left({}, {}\right)", "clip": r"\mathrm{{clip}}\left({}, {}, {}\right)",
    "where": r"\mathrm{{where}}\left({}, {}, {}\right)", "mean": r"\left\langle {} \right\rangle",
    "sum_in": r"\sum_{{j}}\left({}\right)", "sum_out": r"\sum_{{i}}\left({}\right)",
    "sum": r"\sum_{{i}}\left({}\right)", "max": r"\max_{{i}}\left({}\right)",
    "norm": r"\left\|{}\right\|", "softmax": r"\mathrm{{softmax}}_i\left({}\right)",
    "rank": r"\mathrm{{rank}}_i\left({}\right)",
    "max_in": r"\max_{{j}}\left({}\right)", "max_out": r"\max_{{i}}\left({}\right)",
}  # fmt: skip
ESCAPES = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", **{c: f"\\{c}" for c in "{}$&#_%"},
}  # fmt: skip


@dataclass(frozen=True)
class Formula:
    """An equation, as it is declared, and in LaTeX math mode without the dollar signs."""

    code: str
    latex: str


def escaped(text: str) -> str:
    """Escape LaTeX's special characters, and spell out in ASCII the characters that old fonts lack."""
    plain = "".join(map(_ascii, re.sub(r"\s+", " ", text)))
    return "".join(ESCAPES.get(character, character) for character in plain)


def _ascii(character: str) -> str:
    if character.isascii():
        return character if character.isprintable() else " "
    letters = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return letters or unicodedata.name(character, "unknown").rpartition(" ")[2].lower()


def latex_of(
    expression: sympy.Expr, states: frozenset[str] = frozenset(), synaptic: frozenset[str] = frozenset()
) -> str:
    """Return an expression of a motif as LaTeX; it may read states of neurons, and synaptic ones."""
    return str(_Printer(states, synaptic).doprint(expression))


def name_in_math(name: str) -> str:
    """Return a name as a symbol: a Greek letter if it names one, else upright text."""
    plain = escaped(name)
    return f"\\{plain}" if GREEK.fullmatch(plain) else rf"\mathrm{{{plain}}}"


class _Printer(LatexPrinter):
    def __init__(self, states: frozenset[str], synaptic: frozenset[str]) -> None:
        super().__init__()
        self._indexed = {name: f"{name_in_math(name)}_{{i}}" for name in states}
        self._indexed |= {f"{name}_pre": f"{name_in_math(name)}_{{j}}" for name in states}
        self._indexed |= {f"{name}_post": f"{name_in_math(name)}_{{i}}" for name in states}
        self._indexed |= {name: f"{name_in_math(name)}_{{ij}}" for name in synaptic}

    def _print_Symbol(self, symbol: sympy.Symbol) -> str:
        name = symbol.name
        if found := self._indexed.get(name) or QUANTITIES.get(name):
            return found
        kind, _, owner = name.partition("_")
        if owner and kind in INDEXED_BY_OWNER:
            return rf"{INDEXED_BY_OWNER[kind]}^{{\mathrm{{{escaped(owner)}}}}}"
        return name_in_math(name)

    def _print_Function(self, function: sympy.Function, exp: str | None = None) -> str:
        text = FUNCTIONS[type(function).__name__].format(*map(self._print, function.args))
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"


Cell = str | Formula | Sequence[Formula]


@dataclass(frozen=True)
class Table:
    """A table with a title.

    Args:
        widths: maps each column's name to its share of the text width in LaTeX.
        rows: the rows, each with one cell per column.
        notes: text below the table, such as the meaning of symbols, in LaTeX; Markdown leaves it out.
    """

    title: str
    widths: dict[str, float]
    rows: Sequence[Sequence[Cell]]
    notes: str = ""

    def markdown(self) -> str:
        """Return a heading and a table that GitHub and Pandoc can read, with formulas as code."""
        lines = [
            list(self.widths),
            ["---"] * len(self.widths),
            *([_markdown(cell) for cell in row] for row in self.rows),
        ]
        return "\n".join([f"### {self.title}", "", *(f"| {' | '.join(cells)} |" for cells in lines), ""])

    def latex(self) -> str:
        """Return a framed tabular with the title in the first row, as in Nordlie et al. (2009); it needs no package."""
        columns = "|".join(f"p{{{width:.2f}\\textwidth}}" for width in self.widths.values())
        rows = [
            [rf"\textbf{{{escaped(name)}}}" for name in self.widths],
            *([_latex(c) for c in row] for row in self.rows),
        ]
        return "\n".join(
            [
                rf"\noindent\begin{{tabular}}{{|{columns}|}}",
                rf"\hline \multicolumn{{{len(self.widths)}}}{{|c|}}{{\textbf{{{escaped(self.title)}}}}} \\ \hline",
                *(rf"{' & '.join(cells)} \\ \hline" for cells in rows),
                r"\end{tabular}",
                *([rf"\par\noindent {self.notes}"] if self.notes else []),
                r"\par\medskip",
                "",
            ]
        )


def _markdown(cell: Cell) -> str:
    if isinstance(cell, str):
        return " ".join(cell.split()).replace("|", r"\|")
    formulas = [cell] if isinstance(cell, Formula) else cell
    return ", ".join(f"`{formula.code}`" for formula in formulas).replace("|", r"\|")


def _latex(cell: Cell) -> str:
    if isinstance(cell, str):
        return escaped(cell)
    return ", ".join(f"${formula.latex}$" for formula in ([cell] if isinstance(cell, Formula) else cell))
