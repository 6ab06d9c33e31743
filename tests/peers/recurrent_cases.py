# SPDX-License-Identifier: MIT
"""Recurrent nets in plain PyTorch, in double, and their gradients by autograd.

Written from Ba, Kiros and Hinton (arXiv:1607.06450) and the definition of each cell. Where PyTorch
has the cell itself, without norms, that is what computes it: its gates are put into its order."""

import torch
import torch.nn.functional as F

from record import Numbers, field, number

CELLS = ["rnn", "lstm", "gru"]
GATES = {"rnn": 1, "lstm": 4, "gru": 3}
EPS = 1e-3


class Net:
    """steps x batch x features to hidden; switches: norm, norm_gates, nonlinearity, lengths, and
    names of tensors that are left out."""

    def __init__(self, name, cell, features=2, hidden=3, steps=3, batch=2, norm=1, norm_gates=0,
                 nonlinearity=0, lengths=None, without=()):
        self.name, self.cell, self.features, self.hidden = name, cell, features, hidden
        self.steps, self.batch, self.norm, self.norm_gates = steps, batch, norm, norm_gates
        self.nonlinearity, self.without = nonlinearity, without
        self.lengths = lengths or [steps] * batch
        self.written_lengths = lengths
        numbers = Numbers(sum(map(ord, name)))
        self.given = {n: torch.tensor(numbers.fill(*s) / (4 if n.startswith("w_") else 1))
                      for n, s in self.shapes().items() if n not in without}
        self.cotangents = {"d" + n: torch.tensor(numbers.fill(*s))
                           for n, s in self.result_shapes().items() if "d" + n not in without}

    def result_shapes(self):
        state = (self.batch, self.hidden)
        shapes = {"y": (self.steps, *state), "h_n": state}
        return shapes | ({"c_n": state} if self.cell == "lstm" else {})

    def shapes(self):
        wide = GATES[self.cell] * self.hidden
        state = (self.batch, self.hidden)
        shapes = {"x": (self.steps, self.batch, self.features), "h0": state}
        if self.cell == "lstm":
            shapes["c0"] = state
        shapes |= {"w_x": (wide, self.features), "w_h": (wide, self.hidden)}
        if self.cell != "gru" or not self.norm:
            shapes["bias"] = (wide,)
        if self.norm and self.cell == "rnn":
            shapes["weight"] = (wide,)
        elif self.norm:
            shapes |= {n: (wide,) for n in ("weight_x", "bias_x", "weight_h", "bias_h")}
        if self.norm and self.cell == "lstm":
            shapes |= {"weight_c": (self.hidden,), "bias_c": (self.hidden,)}
        return shapes

    def parameter(self, name, default=None):
        return self.given.get(name, default)

    def text(self):
        desc = {"cell": CELLS.index(self.cell), "nonlinearity": self.nonlinearity,
                "features": self.features, "hidden": self.hidden, "norm": self.norm,
                "norm_gates": self.norm_gates, "eps": EPS, "steps": self.steps,
                "batch": self.batch}
        lines = [f"case torch.{self.name}",
                 "net " + " ".join(f"{k}={field(v)}" for k, v in desc.items())]
        if self.written_lengths:
            lines.append("lengths " + " ".join(map(str, self.written_lengths)))
        results, gradients = run(self)
        for way, tensors in (("in", self.given | self.cotangents), ("out", results | gradients)):
            for name, values in tensors.items():
                values = values.detach().numpy()
                lines.append(f"{way} {name} " + "x".join(map(str, values.shape)))
                lines += [" ".join(map(number, row)) for row in values.reshape(-1,
                                                                            values.shape[-1])]
        return "\n".join(lines) + "\nend\n"


# ---- cells with norms -------------------------------------------------------------------------

def norm(net, v, weight, bias, sizes):
    """Each of `sizes` consecutive columns by itself."""
    eps = float(torch.tensor(EPS, dtype=torch.float32))
    parts = [F.layer_norm(p, p.shape[-1:], eps=eps) for p in v.split(sizes, -1)]
    y = torch.cat(parts, -1)
    weight, bias = net.parameter(weight), net.parameter(bias)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def f_of(net):
    return torch.relu if net.nonlinearity else torch.tanh


def zeros(net):
    return torch.zeros(net.batch, net.hidden, dtype=torch.float64)


def ln_rnn(net, x, h, c):
    a = h @ net.given["w_h"].T + x @ net.given["w_x"].T
    return f_of(net)(norm(net, a, "weight", "bias", [net.hidden])), c


def ln_lstm(net, x, h, c):
    n = net.hidden
    sizes = [n] * 4 if net.norm_gates else [4 * n]
    p = (norm(net, h @ net.given["w_h"].T, "weight_h", "bias_h", sizes)
         + norm(net, x @ net.given["w_x"].T, "weight_x", "bias_x", sizes))
    p = p + net.parameter("bias", 0)
    f, i, o, g = p.chunk(4, -1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * norm(net, c, "weight_c", "bias_c", [n]).tanh(), c


def ln_gru(net, x, h, c):
    n = net.hidden
    sizes = [n] * 3 if net.norm_gates else [2 * n, n]
    u = norm(net, h @ net.given["w_h"].T, "weight_h", "bias_h", sizes)
    v = norm(net, x @ net.given["w_x"].T, "weight_x", "bias_x", sizes)
    z, r = (u[:, :n] + v[:, :n]).sigmoid(), (u[:, n:2 * n] + v[:, n:2 * n]).sigmoid()
    return (1 - z) * h + z * (v[:, 2 * n:] + r * u[:, 2 * n:]).tanh(), c


# ---- PyTorch's own cells ----------------------------------------------------------------------

def torch_rnn(net, x, h, c):
    bias = net.parameter("bias", torch.zeros(net.hidden, dtype=torch.float64))
    function = torch.rnn_relu_cell if net.nonlinearity else torch.rnn_tanh_cell
    return function(x, h, net.given["w_x"], net.given["w_h"], bias, torch.zeros_like(bias)), c


def torch_lstm(net, x, h, c):
    """f, i, o, g becomes i, f, g, o."""
    def order(t):
        f, i, o, g = t.chunk(4)
        return torch.cat([i, f, g, o])
    bias = order(net.parameter("bias", torch.zeros(4 * net.hidden, dtype=torch.float64)))
    return torch.lstm_cell(x, (h, c), order(net.given["w_x"]), order(net.given["w_h"]), bias,
                           torch.zeros_like(bias))


def torch_gru(net, x, h, c):
    """z, r, n becomes r, 1 - z, n: sigmoid(-a) is 1 - sigmoid(a)."""
    def order(t):
        z, r, n = t.chunk(3)
        return torch.cat([r, -z, n])
    bias = order(net.parameter("bias", torch.zeros(3 * net.hidden, dtype=torch.float64)))
    return torch.gru_cell(x, h, order(net.given["w_x"]), order(net.given["w_h"]), bias,
                          torch.zeros_like(bias)), c


STEPS = {("rnn", 1): ln_rnn, ("lstm", 1): ln_lstm, ("gru", 1): ln_gru,
         ("rnn", 0): torch_rnn, ("lstm", 0): torch_lstm, ("gru", 0): torch_gru}


# ---- sequences --------------------------------------------------------------------------------

def forward(net):
    step = STEPS[net.cell, net.norm]
    h, c = net.parameter("h0", zeros(net)), net.parameter("c0", zeros(net))
    rows = []
    for t in range(net.steps):
        runs = torch.tensor([t < n for n in net.lengths])[:, None]
        new_h, new_c = step(net, net.given["x"][t], h, c)
        h, c = torch.where(runs, new_h, h), torch.where(runs, new_c, c)
        rows.append(torch.where(runs, new_h, torch.zeros_like(h)))
    results = {"y": torch.stack(rows), "h_n": h}
    return results | ({"c_n": c} if net.cell == "lstm" else {})


def run(net):
    for t in net.given.values():
        t.requires_grad_()
    results = forward(net)
    loss = sum((results[n[1:]] * g).sum() for n, g in net.cotangents.items())
    found = torch.autograd.grad(loss, list(net.given.values()), allow_unused=True)
    return results, {"d" + n: torch.zeros_like(t) if g is None else g
                     for (n, t), g in zip(net.given.items(), found)}


def cases():
    yield Net("rnn", "rnn")
    yield Net("rnn.relu", "rnn", nonlinearity=1, lengths=[3, 2])
    yield Net("rnn.bare", "rnn", without=("weight", "bias", "h0", "dh_n"))
    yield Net("rnn.plain", "rnn", norm=0)
    yield Net("rnn.plain.relu", "rnn", norm=0, nonlinearity=1, features=4, without=("bias",))
    yield Net("lstm", "lstm")
    yield Net("lstm.lengths", "lstm", batch=3, lengths=[1, 3, 0])
    yield Net("lstm.norm_gates", "lstm", norm_gates=1, hidden=4)
    yield Net("lstm.bare", "lstm", without=("weight_x", "bias_x", "weight_h", "bias_h", "bias",
                                            "weight_c", "bias_c", "h0", "c0", "dh_n", "dc_n"))
    yield Net("lstm.state_only", "lstm", steps=4, without=("dy", "weight_c", "bias_x"))
    yield Net("lstm.plain", "lstm", norm=0, lengths=[2, 3])
    yield Net("gru", "gru")
    yield Net("gru.lengths", "gru", batch=3, lengths=[0, 3, 2])
    yield Net("gru.norm_gates", "gru", norm_gates=1, hidden=4)
    yield Net("gru.bare", "gru", without=("weight_x", "bias_x", "weight_h", "bias_h", "h0",
                                          "dh_n"))
    yield Net("gru.plain", "gru", norm=0, lengths=[3, 1])
    yield Net("gru.one_step", "gru", steps=1, batch=1, hidden=5)
