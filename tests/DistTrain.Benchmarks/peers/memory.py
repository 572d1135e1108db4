"""Peak resident memory of training Fashion-MNIST in PyTorch, the peer of the benchmark `memory`.

usage: memory.py FOLDER

784-256-128-10, batch 64, SGD, two epochs. Images stay bytes and become numbers batch by batch, which is as sparing as such a program gets. Prints KiB.
"""
import gzip
import os
import resource
import sys

import numpy
import torch


def read(name, offset):
    with gzip.open(os.path.join(sys.argv[1], name)) as file:
        file.read(offset)
        return torch.from_numpy(numpy.frombuffer(file.read(), dtype=numpy.uint8).copy())


def main():
    x = read("train-images-idx3-ubyte.gz", 16).reshape(-1, 784)
    y = read("train-labels-idx1-ubyte.gz", 8).long()
    test = read("t10k-images-idx3-ubyte.gz", 16).reshape(-1, 784)
    model = torch.nn.Sequential(
        torch.nn.Linear(784, 256), torch.nn.ReLU(), torch.nn.Linear(256, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10))
    loss = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
    for _ in range(2):
        order = torch.randperm(len(x))
        for first in range(0, len(x), 64):
            rows = order[first:first + 64]
            optimizer.zero_grad()
            loss(model(x[rows].float() / 255), y[rows]).backward()
            optimizer.step()
        with torch.no_grad():
            for first in range(0, len(test), 256):
                model(test[first:first + 256].float() / 255)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


main()
