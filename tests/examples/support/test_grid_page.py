"""The page shows differences to SGD, frames missed goals, and hatches what is missing."""

from support.grid import whole_grid
from support.grid_page import AGAINST, COSINES, LOST, page, table
from tests.plots.figures import named


def row(test, seeds=2, **changes):
    found = {"test": test, "seeds": seeds, "ran away": [], "collapsed": [], "gradient_cosine": {"W0": [0.7, 0.8]}}
    found |= {"seconds": 1.0, "seconds of tuning": 2.0}
    return {**found, **changes}


def test_the_page_shows_the_difference_to_sgd_frames_missed_goals_and_hatches_what_is_missing():
    found = {
        "digits/base/SAL": row([0.96, 0.97]),
        "digits/base/SGD": row([0.97, 0.97]),
        "digits/width 16/SAL": row([0.9, None], **{"ran away": [1]}, gradient_cosine={"W0": [0.5, None]}),
        "digits/width 16/SGD": row([0.95, 0.95]),
    }
    figure = page(whole_grid(), found)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert "−0.5" in texts and "−5.0" in texts and "96.5" in texts and ".75" in texts
    title = "digits, one factor at a time"
    for heading in (AGAINST, COSINES, LOST):
        named(figure, f"{title}:width 16:{heading}:frame")
    framed = {artist.get_gid() for artist in figure.findobj() if str(artist.get_gid()).endswith(":frame")}
    assert len(framed) == 3
    assert named(figure, f"{title}:width 64:{AGAINST}:0").get_hatch()
    assert not named(figure, f"{title}:width 16:{AGAINST}:0").get_hatch()
    shown = table(whole_grid(), found)
    assert list(shown["minus SGD"]) == ["-0.50", "", "-5.00", ""] and shown["lost"][2] == "1 of 2"
