"""To declare and check many phases takes time in proportion to their number."""

import cProfile
import pstats

import circuitsim as cs
from circuitsim.motif import expressions
from circuitsim.rules import vocabulary


def many_phases(n: int) -> cs.Motif:
    """Two streams of five layers; each phase has its own soma projections and its own plastic ones."""
    motif = cs.Motif("many")
    for k in range(5):
        up = cs.Population(f"u{k}", 4, activation="relu", state={"theta": "theta + (activity - theta) / 10"})
        motif.add(up, cs.Population(f"d{k}", 4, stream="descending", activation=cs.GatedBy(f"u{k}")))
    motif.add(cs.Objective("u4", "d4", "mse"))
    for k in range(1, 5):
        rule = cs.Rule(f"eta * (slope_post * (I_V{k} + dendrite_post) * pre - gamma * w)", eta=0.1, gamma=1e-3)
        motif.connect(f"u{k - 1}", f"u{k}", name=f"W{k}", rule=rule)
        motif.connect(f"d{k}", f"d{k - 1}", name=f"B{k}", rule=cs.Rule("eta * hetero * pre", eta=0.1))
        motif.connect(f"d{k}", f"u{k}", name=f"V{k}", compartment="dendrite", rule=cs.Rule("eta * post * pre", eta=0.1))
    up, down = ([f"{kind}{k}" for k in range(1, 5)] for kind in "WB")
    for k in range(n):
        soma = (up + down, up, dict.fromkeys(down, 0.5))[k % 3]
        plastic = [up[k % 4], f"V{1 + k % 4}", "u1"]
        motif.add(cs.Phase(f"p{k}", soma=soma, plastic=plastic, errors=k % 2 == 0, noise={"u2": 0.1 * (k % 5)}))
    return motif


def n_calls(n_phases: int) -> int:
    """How many functions `validate` calls."""
    motif = many_phases(n_phases)
    profile = cProfile.Profile()
    profile.runcall(motif.validate)
    return pstats.Stats(profile).total_calls


def test_calls_grow_with_the_number_of_phases_and_not_with_its_square():
    n_calls(2)  # SymPy keeps what it met
    few, some, many = map(n_calls, (1, 41, 81))
    assert many - few < 2.2 * (some - few)


def test_the_number_of_phases_does_not_change_what_is_parsed(monkeypatch):
    for module in (expressions, vocabulary):
        monkeypatch.setattr(module, "parse", lambda *a, f=module.parse, **k: parsed.append(f) or f(*a, **k))
    counts = []
    for n in (1, 21):
        parsed = []
        many_phases(n).validate()
        counts.append(len(parsed))
    assert counts == [10 + 10 + 5 + 12] * 2
