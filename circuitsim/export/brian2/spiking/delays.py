"""Conduction delays: how long spikes are under way, and whether a trial leaves them the time to arrive."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from circuitsim.export.brian2.spiking.model import Delay, Spiking
from circuitsim.plan import Plan


def delay_faults(plan: Plan, spiking: Spiking, only: Collection[str]) -> Iterator[str]:
    """Yield the reasons why spikes would arrive in the next trial, or never.

    Args:
        plan: the plan of the circuit, whose populations are in the order of the sweep.
        spiking: delays and trial.
        only: the populations that are exported.
    """
    trial, none = spiking.trial, Delay(0.0)
    if trial is None:
        return
    starts = {"ascending": 0.0, "descending": trial.onset_ms + trial.lag}
    first: dict[str, float] = {}  # the time in the trial before which a population cannot spike
    under_way: dict[str, float] = {}  # the longest delays on the way to a population, added up
    for p in (p for p in plan.populations.values() if p.name in only):
        onto = [plan.projections[name] for name in p.soma]
        delays = [(q.pre, spiking.delays.get(q.name, none)) for q in onto]
        first[p.name] = min((first[pre] + d.shortest for pre, d in delays), default=starts[p.stream])
        under_way[p.name] = max((under_way[pre] + d.longest for pre, d in delays), default=0.0)
    for name, delay in spiking.delays.items():
        pre = plan.projections[name].pre
        if pre not in only or plan.projections[name].post not in only:
            continue
        total = under_way[pre] + delay.longest
        if first[pre] + delay.longest >= trial.length_ms:
            yield (
                f"projection {name!r}: spikes that leave {pre!r} at {first[pre]:g} ms of a trial or later and take "
                f"{delay.longest:g} ms never arrive before the trial ends ({trial.length_ms:g} ms); shorten the delay, "
                "or lengthen the trial"
            )
        elif not trial.rests and total > trial.silence_ms:
            yield (
                f"projection {name!r}: spikes can be under way for {total:g} ms (the delays along their path, added "
                f"up), but trials are only {trial.silence_ms:g} ms of silence apart, so that they would act in the "
                f"next trial; use Trial(rests=True), which ends them with their trial, or silence_ms={total:g}"
            )
    for name in plan.outputs:
        if first.get(name, 0.0) >= trial.ascending_ms:
            yield (
                f"output {name!r}: no spike reaches it during the ascending volley ({trial.ascending_ms:g} ms), since "
                f"the delays on the shortest way to it add up to {first[name]:g} ms; shorten them, or lengthen the "
                "volley"
            )
