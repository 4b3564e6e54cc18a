"""Tables of text and formulas, as Markdown or LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from circuitsim.motif.formula import Formula, escaped

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
