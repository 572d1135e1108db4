"""Backpropagation in PyTorch, for the `front` benchmark: inputs > hidden (ReLU) > classes (softmax), cross-entropy, SGD with momentum.

usage: front_contribution.py ROWS INPUTS HIDDEN CLASSES BATCH EPOCHS THREADS

Each line "round" on standard input is answered by one JSON line with the seconds of a whole run: model drawn, shuffled batches, all
epochs, the loss over all rows at the end. Rows are random: dense products take the same time whatever stands in them.
"""
import json
import sys
import time

import torch


def run(x, y, hidden, classes, batch, epochs):
    start = time.perf_counter()
    model = torch.nn.Sequential(torch.nn.Linear(x.shape[1], hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, classes))
    loss = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9)
    for _ in range(epochs):
        order = torch.randperm(len(x))
        for first in range(0, len(x), batch):
            rows = order[first:first + batch]
            optimizer.zero_grad()
            loss(model(x[rows]), y[rows]).backward()
            optimizer.step()
    with torch.no_grad():
        final = loss(model(x), y).item()
    return time.perf_counter() - start, final


def blas():
    """The BLAS that is loaded; torch's products go there. The reference BLAS would make a peer that nobody uses."""
    with open("/proc/self/maps") as maps:
        text = maps.read()
    return next((name for name in ("openblas", "mkl", "blis") if name in text), "reference")


def main():
    rows, inputs, hidden, classes, batch, epochs, threads = map(int, sys.argv[1:])
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    x = torch.rand(rows, inputs) * 2 - 1
    y = torch.arange(rows) % classes
    for _ in range(2):
        run(x, y, hidden, classes, batch, min(epochs, 5))
    print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads(), "blas": blas()}), flush=True)
    for line in sys.stdin:
        if line.strip() == "round":
            seconds, final = run(x, y, hidden, classes, batch, epochs)
            print(json.dumps({"seconds": seconds, "loss": final}), flush=True)


main()
