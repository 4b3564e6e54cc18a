"""A spiking circuit that assembles itself on handwritten digits, written by hand in plain Brian2, for speed.

    python benchmarks/spiking_by_hand.py --seed 0 --samples 6000

The circuit has two streams, 64-32-10 and back. One unit of activity is a rate of 100 Hz. Each sample is a trial of an
ascending volley (50 ms), a descending volley (50 ms) and silence (40 ms). The weights change every 2 ms by local rules.
The test images follow the training images in the same run, without plasticity. This script was written before the
exporter, as the reference for its speed (`benchmarks/spiking_export.py`). It does not use circuitsim, and must not be
adapted to it.
"""

import argparse
import tempfile
import time

import brian2 as b2
import numpy as np
from brian2 import Hz, ms
from sklearn.datasets import load_digits

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--samples", type=int, default=6000)
parser.add_argument("--directory", default=None, help="of the C++ program")
args = parser.parse_args()

rng = np.random.default_rng(args.seed)
images, labels = load_digits(return_X_y=True)
order = rng.permutation(len(images))
images, labels = images[order] / 16, labels[order]
train, test = np.arange(1437), np.arange(1437, 1797)
shown = np.concatenate([rng.permutation(train) for _ in range(args.samples // len(train) + 1)])[: args.samples]
shown = np.concatenate([shown, test])

n_in, n_hidden, n_out = 64, 32, 10
b2.prefs.devices.cpp_standalone.extra_make_args_unix = ["-j1"]
b2.set_device("cpp_standalone", build_on_run=False)
b2.defaultclock.dt = 0.5 * ms

window, trial, every = 50 * ms, 140 * ms, 2 * ms
ascends = b2.TimedArray(np.tile([1.0] * 5 + [0.0] * 9, len(shown)), dt=10 * ms)
descends = b2.TimedArray(np.tile([0.0] * 5 + [1.0] * 5 + [0.0] * 4, len(shown)), dt=10 * ms)
pixel = b2.TimedArray(images[shown], dt=trial)
wanted = b2.TimedArray(np.eye(n_out)[labels[shown]], dt=trial)
learns = b2.TimedArray(np.append(np.ones(args.samples), np.zeros(len(test))), dt=trial)

r1, kd = 100 * Hz, 4.0  # one unit of activity; spikes per unit in the descending stream
tau_m, tau_s = 20 * ms, 5 * ms  # membrane, synapse
tau_x, tau_z = 50 * ms, 10 * ms  # traces of the ascending and of the descending stream
eta_w, eta_v, eta_wt, gamma = 0.12, 0.12, 0.04, 3e-4  # of one sample
share, decay = float(every / window), gamma * float(every / trial)  # of one update

image = b2.NeuronGroup(
    n_in,
    """dv/dt = r1*ascends(t)*pixel(t, i) : 1
       dx/dt = -x/tau_x : 1""",
    threshold="v >= 1", reset="v -= 1; x += 1/(r1*tau_x)", method="euler", name="image",
)  # fmt: skip
hidden = b2.NeuronGroup(
    n_hidden,
    """dv/dt = (0.9 + 2.1*I - v)/tau_m : 1 (unless refractory)
       dI/dt = -I/tau_s : 1
       dx/dt = -x/tau_x : 1
       dD/dt = -D/tau_z : 1""",
    threshold="v >= 1", reset="v = 0; x += 1/(r1*tau_x)", refractory=2 * ms, method="euler", name="hidden",
)  # fmt: skip
label = b2.NeuronGroup(
    n_out,
    """dF/dt = ascends(t)*I/window : 1
       dI/dt = -I/tau_s : 1
       dD/dt = -D/tau_z : 1""",
    method="euler", name="label",
)  # fmt: skip
error = b2.NeuronGroup(
    n_out,
    """dv/dt = kd*r1*descends(t)*(wanted(t, i) - F) : 1
       dz/dt = -z/tau_z : 1
       F : 1 (linked)""",
    threshold="abs(v) >= 1", reset="z += sign(v)/(kd*r1*tau_z); v -= sign(v)", method="euler", name="error",
)  # fmt: skip
error.F = b2.linked_var(label, "F")
back = b2.NeuronGroup(
    n_hidden,
    """dv/dt = kd*r1*I : 1
       dI/dt = -I/tau_s : 1
       dz/dt = -z/tau_z : 1
       dD/dt = -D/tau_x : 1""",
    threshold="abs(v) >= 1", reset="z += sign(v)/(kd*r1*tau_z); v -= sign(v)", method="euler", name="back",
)  # fmt: skip
hidden.v = 0.9
label.run_regularly("F = 0", dt=trial, when="start", order=1)


def connect(name, pre, post, on_pre, std, rule):
    synapses = b2.Synapses(pre, post, "w : 1", on_pre=on_pre, name=name)
    synapses.connect()
    synapses.w = std * rng.standard_normal(len(pre) * len(post))
    synapses.run_regularly(f"w += learns(t)*(share*{rule} - decay*w)", dt=every, when="end")
    return synapses


W0 = connect("W0", image, hidden, "I_post += w/(r1*tau_s)", np.sqrt(2 / n_in), "eta_w*x_pre*D_post*int(x_post > 0.02)")
W1 = connect("W1", hidden, label, "I_post += w/(r1*tau_s)", np.sqrt(2 / n_hidden), "eta_w*x_pre*D_post")
Wt = connect("Wt", error, back, "I_post += w*sign(v_pre)/(kd*r1*tau_s)", np.sqrt(1 / n_hidden), "eta_wt*D_post*z_pre")
small = 0.05 / np.sqrt(n_hidden)
V = connect("V", back, hidden, "D_post += w*sign(v_pre)/(kd*r1*tau_z)", small, "eta_v*x_post*z_pre")
Vt = connect("Vt", hidden, back, "D_post += w/(r1*tau_x)", small, "eta_v*x_pre*z_post")
E = b2.Synapses(error, label, on_pre="D_post += sign(v_pre)/(kd*r1*tau_z)", name="E")
E.connect(j="i")
read = b2.StateMonitor(label, "F", record=True, dt=trial, when="start", order=0)

duration = len(shown) * trial
b2.run(duration)
with tempfile.TemporaryDirectory() as temporary:
    started = time.perf_counter()
    b2.device.build(directory=args.directory or temporary, compile=True, run=False, with_output=False)
    built = time.perf_counter()
    b2.device.run(with_output=False)
    seconds = time.perf_counter() - built

    def dense(synapses, n_pre, n_post):
        return np.array(synapses.w).reshape(n_pre, n_post).T

    output = np.column_stack([read.F[:, 1:], label.F]).T  # read when the next trial begins: the last is still there
    w1, wt = dense(W1, n_hidden, n_out), dense(Wt, n_out, n_hidden)
    v, vt = dense(V, n_hidden, n_hidden), dense(Vt, n_hidden, n_hidden)


def cosine(a, b):
    return float((a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b))


correct = output.argmax(1) == labels[shown]
assert np.isfinite(output).all()
print(f"build {built - started:.1f} s, run {seconds:.2f} s for {float(duration / b2.second):.0f} s of circuit time")
print(f"accuracy: last 1000 training samples {correct[: args.samples][-1000:].mean():.3f}, "
      f"test {correct[args.samples :].mean():.3f}")  # fmt: skip
print(f"cos(V, Vt^T) {cosine(v, vt.T):.3f}, cos(W1 Vt^T, Wt^T) {cosine(w1 @ vt.T, wt.T):.3f}")
