"""One page of HTML that shows a run: circuit, curves, weights over epochs. It needs no server and no network."""

from circuitsim.studies.view.page import write_page

__all__ = ["write_page"]
