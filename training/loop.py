"""What every training loop does: learning rate, mixed precision, a checkpoint that a cut-off run goes on from."""

import json
import math
import os
import time

import numpy as np
import torch

from common import WORK

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


class Loop:
    """`groups` are optimiser groups with their own `lr`; `steps` the length of the whole run."""

    def __init__(self, name, model, groups, steps, warmup=0.06, minutes=4):
        self.name, self.model, self.steps, self.every = name, model.to(DEVICE), steps, minutes * 60
        self.path = WORK / f"{name}.checkpoint.pt"
        self.optimizer = torch.optim.AdamW(groups, weight_decay=0.01, betas=(0.9, 0.98), fused=True)
        self.base = [g["lr"] for g in self.optimizer.param_groups]
        self.warmup = max(1, int(steps * warmup))
        self.step, self.saved, self.began, self.tokens, self.sums = 0, time.time(), time.time(), 0, {}
        if self.path.exists():
            state = torch.load(self.path, map_location=DEVICE)
            model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step = state["step"]
            print(f"{name}: goes on at step {self.step} of {steps}", flush=True)

    def rate(self):
        if self.step < self.warmup:
            return (self.step + 1) / self.warmup
        return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (self.step - self.warmup) / max(1, self.steps - self.warmup)))

    def autocast(self):
        return torch.autocast(DEVICE, dtype=torch.bfloat16)

    def update(self, loss, tokens, **shown):
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for g in self.optimizer.param_groups for p in g["params"]], 1.0)
        for group, lr in zip(self.optimizer.param_groups, self.base):
            group["lr"] = lr * self.rate()
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self.tokens += tokens
        for key, value in shown.items():
            self.sums.setdefault(key, []).append(float(value.detach() if hasattr(value, "detach") else value))
        if self.step % 25 == 0 or self.step == self.steps:
            spent = time.time() - self.began
            means = {k: round(float(np.mean(v)), 4) for k, v in self.sums.items()}
            print(f"{self.name} {self.step}/{self.steps} {self.tokens / spent:.0f} tokens/s {spent:.0f} s {json.dumps(means)}",
                  flush=True)
            self.sums = {}
        if time.time() - self.saved > self.every:
            self.save()

    def save(self):
        part = self.path.with_suffix(".part")
        torch.save({"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "step": self.step}, part)
        os.replace(part, self.path)
        self.saved = time.time()

    def done(self, out):
        torch.save(self.model.state_dict(), out)
        self.path.unlink(missing_ok=True)
