"""A figure is saved whole or not at all."""

import pytest

import circuitsim as cs
from circuitsim.plots.picture import Picture, save


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_a_figure_that_cannot_be_drawn_leaves_the_file_as_it_was(kind, tmp_path):
    path, figure = tmp_path / f"figure.{kind}", Picture(2, 1)
    save(figure, path)
    before = path.read_bytes()
    assert len(before) > 500
    figure.text(0.5, 0.5, r"$\no_such_command$")
    with pytest.raises(ValueError, match="no_such"):
        save(figure, path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_a_folder_is_no_place_for_a_figure(tmp_path):
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(cs.ArchiveError, match=r"folder\.png: cannot be written"):
        save(Picture(2, 1), tmp_path / "folder.png")
