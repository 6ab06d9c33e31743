# SPDX-License-Identifier: MIT
"""By how much a calculation in float may be off, to first order.

Each step of it gives a tensor t whose elements are off by at most `units` of 2^-24: that is what
the step adds by itself, as the count of its roundings times the size of what is rounded. An
invisible zero is added to t, and autograd tells what a result R makes of it. So

    |error of R|  <=  sum over all steps and elements of  |dR/dt| units 2^-24

for any roundings, of whatever signs. Terms of 2^-48 are left out. What OpenCL promises of a
function is from the specification of OpenCL C 1.2, 7.4; a unit of the last place is at most 2
units of roundoff."""

import math

import torch

U = 2.0**-24
EXP, ERF, DIVISION = 2 * 3, 2 * 16, 2 * 2.5


class Steps:
    def __init__(self):
        self.zeros, self.errors = [], []

    def step(self, value, units):
        zero = torch.zeros_like(value, requires_grad=True)
        self.zeros.append(zero)
        self.errors.append(U * units.detach())
        return value + zero

    def bounds(self, result):
        """Of each element of a tensor that these steps made."""
        rows = torch.eye(result.numel(), dtype=result.dtype)
        found = torch.autograd.grad(result.reshape(-1), self.zeros, rows, is_grads_batched=True,
                                    retain_graph=True, allow_unused=True)
        total = torch.zeros(result.numel(), dtype=result.dtype)
        for slope, error in zip(found, self.errors):
            if slope is not None:
                total += (slope.abs() * error).flatten(1).sum(1)
        return total.reshape(result.shape)

    # ---- sums and products --------------------------------------------------------------------

    def add(self, a, b):
        return self.step(a + b, (a + b).abs())

    def sum_rows(self, a):
        return self.step(a.sum(0), len(a) * a.abs().sum(0))

    def product(self, a, b, alpha=1.0, plus=None):
        """alpha a b + plus: n products and sums in any order; alpha, its own rounding; the sum."""
        value, size = alpha * (a @ b), alpha * (a.abs() @ b.abs())
        units = (a.shape[-1] + 2) * size
        return self.step(value, units) if plus is None else \
            self.step(value + plus, units + (value + plus).abs())

    # ---- attention and MLP --------------------------------------------------------------------

    def softmax(self, s):
        """exp(s - largest), divided by their sum."""
        z = (s - s.max(-1, keepdim=True).values).abs()
        of_exp = z + EXP
        of_sum = of_exp.max(-1, keepdim=True).values + s.shape[-1]
        p = s.softmax(-1)
        return self.step(p, p * (of_exp + of_sum + DIVISION))

    def softmax_backward(self, p, dp):
        dot = (p * dp).sum(-1, keepdim=True)
        size = (p * dp).abs().sum(-1, keepdim=True)
        return self.step(p * (dp - dot), p * (p.shape[-1] * size + 2 * (dp - dot).abs()))

    def gelu(self, h):
        """h (1 + erf(h / sqrt 2)) / 2."""
        return self.step(h * phi(h), h.abs() * of_phi(h))

    def gelu_backward(self, h, da):
        """da (phi(h) + h exp(-h^2 / 2) / sqrt(2 pi)); the argument of exp is off by 2 units."""
        bell = h * torch.exp(-h * h / 2) / math.sqrt(2 * math.pi)
        slope = phi(h) + bell
        units = of_phi(h) + bell.abs() * (h * h + EXP + 3) + 2 * slope.abs()
        return self.step(da * slope, da.abs() * units)

    # ---- layer norm: docs/numerics.md, "The bound" --------------------------------------------

    def norm(self, s, weight, bias, eps):
        xhat, rstd, spread = normalized(s, eps)
        y = xhat * weight + bias
        units = (10 + depth(s) / 2) * weight.abs() * (spread + xhat.abs()) + bias.abs() + y.abs()
        return self.step(y, units)

    def norm_backward(self, s, weight, dy, eps, dsum=None):
        """dx, dweight, dbias, and the sum of dx over rows."""
        xhat, rstd, spread = normalized(s, eps)
        h = dy * weight
        dx = rstd * (h - mean(h) - xhat * mean(h * xhat))
        k = xhat.abs()
        grown = (12 + depth(s)) * rstd * (h.abs() + mean(h.abs()) * (1 + spread * k) +
                                          (spread + k) * mean((h * xhat).abs()))
        if dsum is not None:
            dx = dx + dsum
        dx = self.step(dx, grown + dx.abs())
        rows = len(s) + 2
        dweight = self.step((dy * xhat).sum(0), (10 + depth(s) / 2 + rows / 2) *
                            (dy.abs() * (spread + k)).sum(0))
        dbias = self.step(dy.sum(0), (4 + depth(s) / 2 + rows / 2) * dy.abs().sum(0))
        return dx, dweight, dbias, self.step(dx.sum(0), rows * dx.abs().sum(0) + grown.sum(0))


def depth(s):
    """Of additions to a sum over a row of less than 64 columns, in whatever form the device takes:
    the row, two folds, up to 16 lanes and 1024 work-items."""
    return s.shape[-1] + 2 + 4 + 10


def mean(a):
    return a.mean(-1, keepdim=True)


def normalized(s, eps):
    e = s - mean(s)
    rstd = (mean(e * e) + eps).rsqrt()
    return e * rstd, rstd, mean(e * e).sqrt() * rstd


def phi(h):
    return (1 + torch.erf(h / math.sqrt(2))) / 2


def of_phi(h):
    """Units of phi: erf, its argument (off by 2), 1 + erf; the halves are exact, and one product
    with h follows."""
    t = h / math.sqrt(2)
    slope = 2 / math.sqrt(math.pi) * torch.exp(-t * t)
    return (ERF * torch.erf(t).abs() + 2 * (t * slope).abs()) / 2 + 2 * phi(h)
