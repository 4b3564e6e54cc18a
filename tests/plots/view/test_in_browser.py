"""The page in a real browser: no errors, no requests; the slider, the keyboard and the mouse do what they say."""

import json
import re
import shutil
import time

import numpy as np
import pytest

import circuitsim as cs
from circuitsim.plots.style import colour_table
from circuitsim.plots.view import write_page
from tests.plots.view.runs import odd, trained

webdriver = pytest.importorskip("selenium.webdriver", reason="the Python package selenium is not installed")
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (BROWSER and DRIVER), reason="no chromium and chromedriver on PATH")

OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
    "--disable-dev-shm-usage", "--window-size=1400,1800", "--force-device-scale-factor=1",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for option in (*OPTIONS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("run"))


@pytest.fixture
def page(browser, run):
    """The page of a run, opened anew."""
    browser.get(write_page(run).as_uri())
    return browser


def one(page, selector):
    return page.find_element(By.CSS_SELECTOR, selector)


def choose(page, name):
    """Show the group of matrices that begins with this projection; returns its canvas."""
    page.execute_script(
        "[...document.querySelectorAll('#choice label')].find(l => l.textContent.startsWith(arguments[0])).click()",
        name,
    )
    return one(page, f"canvas[data-name='{name}']")


def pixels(page, canvas):
    """Colours in the middles of all cells, shape [row, column, rgb]."""
    size = int(canvas.get_attribute("data-cell"))
    width, height, flat = page.execute_script(
        "const c = arguments[0]; const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        "return [c.width, c.height, Array.from(d)]", canvas,
    )  # fmt: skip
    return np.array(flat, dtype=int).reshape(height, width, 4)[size // 2 :: size, size // 2 :: size, :3]


def point_at(page, canvas, row, column):
    size = int(canvas.get_attribute("data-cell"))
    box = page.execute_script(
        "arguments[0].scrollIntoView({block: 'center'}); const b = arguments[0].getBoundingClientRect();"
        "return [b.left, b.top + 4]", canvas,
    )  # fmt: skip
    x, y = (round(edge + size * (k + 0.5)) for edge, k in zip(box, (column, row), strict=True))
    actions = ActionChains(page)
    actions.w3c_actions.pointer_action.move_to_location(x, y)
    actions.perform()
    return one(page, "#tooltip").text


def data_of(page):
    return json.loads(one(page, "#data").get_attribute("textContent"))


def group_of(page, name):
    return next(group for group in data_of(page)["groups"] if name in group["names"])


def test_the_page_has_no_errors_and_asks_for_nothing_but_itself(browser, run, tmp_path):
    for folder in (run, odd(tmp_path)):
        uri = write_page(folder).as_uri()
        browser.get_log("performance")
        browser.get(uri)
        assert browser.title and not browser.get_log("browser")
        events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
        asked = {e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"}
        own = ("data:", "chrome:")  # Chromium has icons of its own
        assert {url for url in asked if not url.startswith(own)} == {uri}


def test_pixels_are_the_weights_and_the_slider_changes_them(page, run):
    kept, table = cs.WeightHistory.load(run / "weights.npz"), colour_table()
    colours = np.array([[int(colour[k : k + 2], 16) for k in (1, 3, 5)] for colour in table])
    canvas, group = choose(page, "V1"), group_of(page, "V1")

    def expected(moment):
        weights = kept.weights["V1"][moment][np.ix_(group["rows"], group["columns"])].astype(float)
        place = np.floor((weights / group["limit"] + 1) / 2 * 254 + 0.5)
        return colours[np.clip(place, 0, 254).astype(int)]

    last = pixels(page, canvas)
    assert np.abs(last - expected(3)).max() <= 0
    slider = one(page, "#moment")
    slider.send_keys(Keys.ARROW_LEFT)
    assert one(page, "#epoch").text == "2 of 3" and (pixels(page, canvas) == expected(2)).all()
    slider.send_keys(Keys.HOME)
    assert one(page, "#epoch").text == "0 of 3"
    first = pixels(page, canvas)
    assert (first == expected(0)).all() and (first != last).any(axis=2).mean() > 0.5


def test_pointing_at_a_synapse_shows_its_weight_and_rule(page, run):
    kept, circuit = (
        cs.WeightHistory.load(run / "weights.npz"),
        cs.load_circuit(run / "circuit.safetensors", device="cpu"),
    )
    for name, row, column in (("V1", 0, 0), ("Vt1", 5, 11), ("W0", 7, 2)):
        group = group_of(page, name)
        choose(page, group["names"][0])
        text = point_at(page, one(page, f"canvas[data-name='{name}']"), row, column)
        pre, post = group["columns"][column], group["rows"][row]
        if name != group["names"][0]:  # it is shown transposed
            pre, post = post, pre
        p = circuit.motif.projection(name)
        assert text.startswith(f"{name}: {p.pre}[{pre}] → {p.post}[{post}]\n")
        shown = float(re.search(r"weight (\S+) at epoch 3", text)[1].replace("−", "-"))
        assert shown == pytest.approx(circuit.synapse(name, post=post, pre=pre).weight, rel=1e-5)
        assert f"Δw = {p.rule.expression}" in text and f"gamma = {p.rule.parameters['gamma']:.6g}" in text
    one(page, "#moment").send_keys(Keys.HOME)
    text = point_at(page, choose(page, "W0"), 3, 4)
    group = group_of(page, "W0")
    shown = float(re.search(r"weight (\S+) at epoch 0", text)[1].replace("−", "-"))
    assert shown == pytest.approx(kept.weights["W0"][0, group["rows"][3], group["columns"][4]], rel=1e-5)


def test_arrow_keys_walk_over_the_synapses(page, run):
    kept, canvas, group = cs.WeightHistory.load(run / "weights.npz"), choose(page, "V1"), group_of(page, "V1")
    canvas.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_DOWN)
    text = one(page, "#synapse").text
    pre, post = group["columns"][1], group["rows"][1]
    assert text.startswith(f"V1: down1[{pre}] → up1[{post}], weight ")
    shown = float(re.search(r"weight (\S+);", text)[1].replace("−", "-"))
    assert shown == pytest.approx(kept.weights["V1"][3, post, pre], rel=1e-5)


def test_where_there_is_no_synapse_the_page_says_so(browser, tmp_path):
    browser.get(write_page(odd(tmp_path)).as_uri())
    circuit = cs.load_circuit(tmp_path / "circuit.safetensors", device="cpu")
    data, canvas = data_of(browser), one(browser, "canvas[data-name='W']")
    y, x = (np.array(data["populations"][name]["kept"]) for name in ("y", "x"))
    group = data["groups"][0]
    present = circuit.mask("W").to_dense()[0].numpy()[np.ix_(y[group["rows"]], x[group["columns"]])]
    grey = (pixels(browser, canvas) == 0xCF).all(axis=2)
    assert (grey == ~present).all() and 0.2 < present.mean() < 0.4
    row, column = np.argwhere(~present)[0]
    text = point_at(browser, canvas, row, column)
    assert text.startswith(f"W: x[{x[group['columns'][column]]}] → y[{y[group['rows'][row]]}]\nno synapse")
    assert not one(browser, "#time").is_displayed() and not one(browser, "#curves").is_displayed()


def test_the_drawing_tells_rules_and_chooses_what_is_shown(page):
    label = page.execute_script("return document.getElementById('label:W1')")
    ActionChains(page).move_to_element(label).perform()
    assert one(page, "#tooltip").text.startswith("W1: up1 → up2\nplastic, onto somata\nΔw = eta *")
    ActionChains(page).move_to_element(label).click().perform()
    assert one(page, "#panels canvas").get_attribute("data-name") == "W1"
    assert one(page, "#choice input:checked").get_attribute("value") == page.execute_script(
        "return String(DATA.groups.findIndex(g => g.names.includes('W1')))"
    )


def test_curves_are_drawn_and_their_numbers_follow_the_slider(page):
    panel = next(p for p in data_of(page)["panels"] if p["title"] == "validation accuracy")
    chart = next(c for c in page.find_elements(By.CSS_SELECTOR, ".chart") if c.text.startswith("validation accuracy"))
    points = chart.find_element(By.CSS_SELECTOR, ".curve").get_attribute("points").split()
    heights = [float(point.split(",")[1]) for point in points]
    mean = panel["lines"][0]["mean"]
    assert len(points) == len(mean) == 3 and np.isfinite(heights).all()
    assert np.corrcoef(heights, mean)[0, 1] == pytest.approx(-1)  # y runs downwards
    for keys, k in (([], 2), ([Keys.ARROW_LEFT], 1)):
        one(page, "#moment").send_keys(*keys)
        assert float(chart.find_element(By.CSS_SELECTOR, "li b").text) == pytest.approx(mean[k], rel=5e-3)


def test_play_runs_from_the_start_to_the_end(page):
    one(page, "#play").click()
    seen = set()
    deadline = time.monotonic() + 20
    while one(page, "#play").get_attribute("aria-label") == "pause" and time.monotonic() < deadline:
        seen.add(one(page, "#epoch").text)
    assert {"0 of 3", "1 of 3", "2 of 3"} <= seen and one(page, "#epoch").text == "3 of 3"
