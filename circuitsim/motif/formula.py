"""Expressions of the rule language as LaTeX, in the notation of papers, and tables of them.

``w`` becomes w_ij, ``pre`` and ``post`` become a_j and a_i, ``I_V1`` becomes I_i^V1, and a comparison becomes an
Iverson bracket. The output is ASCII and needs no LaTeX package.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy
from sympy.printing.latex import LatexPrinter
from sympy.printing.pretty.pretty_symbology import greek_unicode

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
GREEK_LETTERS = {letter: name for name, letter in greek_unicode.items() if GREEK.fullmatch(name)}
ACCENTS = {
    "\u0300": "grave", "\u0301": "acute", "\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0306": "breve",
    "\u0307": "dot", "\u0308": "ddot", "\u030a": "mathring", "\u030c": "check",
}  # fmt: skip


@dataclass(frozen=True)
class Formula:
    """An equation, as it is declared, and in LaTeX math mode without the dollar signs."""

    code: str
    latex: str


def escaped(text: str) -> str:
    """Return text as LaTeX. A character for which pylatexenc knows no command appears as its code point."""
    return str(_encoder().unicode_to_latex(re.sub(r"\s+", " ", text)))


@functools.cache
def _encoder() -> Any:
    from pylatexenc import latexencode as encode  # late: few programs print LaTeX

    bar = encode.UnicodeToLatexConversionRule(encode.RULE_DICT, {ord("|"): r"\textbar"})  # a dash in TeX's own fonts
    return encode.UnicodeToLatexEncoder(
        conversion_rules=[bar, "defaults"], unknown_char_policy="unihex", unknown_char_warning=False
    )


def latex_of(
    expression: sympy.Expr, states: frozenset[str] = frozenset(), synaptic: frozenset[str] = frozenset()
) -> str:
    """Return an expression of a motif as LaTeX; it may read states of neurons, and synaptic ones."""
    return str(_Printer(states, synaptic).doprint(expression))


def name_in_math(name: str) -> str:
    """Return a name as a symbol: a Greek letter if it names or is one, else upright text."""
    name = GREEK_LETTERS.get(name, name)
    return f"\\{name}" if GREEK.fullmatch(name) else rf"\mathrm{{{_letters(name)}}}"


def _letters(name: str) -> str:
    """The letters of an identifier in math mode, those without a command by their code points."""
    return "".join(map(_letter, name))


def _letter(character: str) -> str:
    decomposed = unicodedata.normalize("NFD", character)
    base, accents = decomposed[0], decomposed[1:]
    if base in GREEK_LETTERS:
        found = rf"\{GREEK_LETTERS[base]} "
    elif base.isascii():
        found = base.replace("_", r"\_")
    else:
        found = ""
    for accent in accents:
        found = rf"\{ACCENTS[accent]}{{{found}}}" if found and accent in ACCENTS else ""
    return found or f"U{{+}}{ord(character):04X}"


class _Printer(LatexPrinter):
    def __init__(self, states: frozenset[str], synaptic: frozenset[str]) -> None:
        super().__init__({"mul_symbol": r" \, "})  # else "e" times "x" would be set as one word
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
            return rf"{INDEXED_BY_OWNER[kind]}^{{\mathrm{{{_letters(owner)}}}}}"
        return name_in_math(name)

    def _print_Function(self, function: sympy.Function, exp: str | None = None) -> str:
        text = FUNCTIONS[type(function).__name__].format(*map(self._print, function.args))
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"


Cell = str | Formula | Sequence[Formula]


@dataclass(frozen=True)
class Table:
    """A table with a title."""

    title: str
    widths: dict[str, float]  # column -> its share of the text width in LaTeX
    rows: Sequence[Sequence[Cell]]
    notes: str = ""  # text below the table, such as the meaning of symbols, in LaTeX; Markdown leaves it out

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
