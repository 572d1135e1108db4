"""Backpropagation in PyTorch, the peer of the benchmarks: dense layers with ReLU between them, SGD, cross-entropy.

usage: training.py SIZES ROWS BATCH EPOCHS MOMENTUM THREADS

SIZES are the widths from inputs to outputs, such as 784,128,10. With one output the loss is the squared error and the hidden activation is the
logistic function, else cross-entropy and ReLU. Each line "round" on standard input is answered by one JSON line with the seconds of a whole run:
model drawn, shuffled batches, all epochs, the loss over all rows at the end. Rows are random: dense products take the same time whatever
stands in them.
"""
import json
import sys
import time

import torch


def run(x, y, sizes, batch, epochs, momentum):
    start = time.perf_counter()
    layers = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU() if sizes[-1] > 1 else torch.nn.Sigmoid()]
    model = torch.nn.Sequential(*layers[:-1])
    loss = torch.nn.CrossEntropyLoss() if sizes[-1] > 1 else torch.nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=momentum)
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
    sizes = [int(size) for size in sys.argv[1].split(",")]
    rows, batch, epochs = map(int, sys.argv[2:5])
    momentum, threads = float(sys.argv[5]), int(sys.argv[6])
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    x = torch.rand(rows, sizes[0]) * 2 - 1
    y = torch.arange(rows) % sizes[-1] if sizes[-1] > 1 else torch.rand(rows, 1)
    for _ in range(2):
        run(x, y, sizes, batch, min(epochs, 5), momentum)
    print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads(), "blas": blas()}), flush=True)
    for line in sys.stdin:
        if line.strip() == "round":
            seconds, final = run(x, y, sizes, batch, epochs, momentum)
            print(json.dumps({"seconds": seconds, "loss": final}), flush=True)


main()
