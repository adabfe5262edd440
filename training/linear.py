"""Softmax regression with sparse rows, L2 and partly labelled rows, by L-BFGS."""

import numpy as np
from scipy.optimize import minimize


def softmax(z):
    z = z - z.max(1, keepdims=True)
    np.exp(z, out=z)
    z /= z.sum(1, keepdims=True)
    return z


def fit(x, allowed, l2, iterations, weight=None):
    """Weights (features, labels) and bias (labels,). `allowed` (rows, labels) marks the labels a row may have:
    one for a plain label, several where the annotation leaves it open (their summed probability is maximised)."""
    n, d = x.shape
    k = allowed.shape[1]
    allowed = allowed.astype(np.float32)
    weight = np.ones(n, np.float32) if weight is None else weight.astype(np.float32)
    total = float(weight.sum())
    xt = x.T.tocsr()

    def loss(flat):
        w = flat[: d * k].reshape(d, k).astype(np.float32)
        b = flat[d * k :].astype(np.float32)
        p = softmax(x @ w + b)
        inside = p * allowed
        mass = np.maximum(inside.sum(1), 1e-12)
        value = -float((weight * np.log(mass)).sum()) / total + 0.5 * l2 * float((flat[: d * k] ** 2).sum())
        g = (p - inside / mass[:, None]) * (weight / total)[:, None]
        grad = np.empty_like(flat)
        grad[: d * k] = (xt @ g).ravel() + l2 * flat[: d * k]
        grad[d * k :] = g.sum(0)
        return value, grad

    result = minimize(loss, np.zeros(d * k + k), jac=True, method="L-BFGS-B", options={"maxiter": iterations, "maxcor": 6})
    return result.x[: d * k].reshape(d, k).astype(np.float32), result.x[d * k :].astype(np.float32)


def one_hot(labels, k):
    out = np.zeros((len(labels), k), bool)
    out[np.arange(len(labels)), labels] = True
    return out


def temperature(logits, labels):
    """The divisor in 0.2..5 that gives held-out logits the least log loss."""
    grid = np.geomspace(0.2, 5, 60)
    rows = np.arange(len(labels))
    return float(min(grid, key=lambda t: -np.log(softmax(logits / t)[rows, labels] + 1e-12).mean()))
