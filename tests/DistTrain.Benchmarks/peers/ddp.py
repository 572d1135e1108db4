"""Data-parallel training in PyTorch (DistributedDataParallel, gloo), the peer of the processes engine: dense layers, ReLU, SGD, cross-entropy.

usage: ddp.py SIZES ROWS BATCH EPOCHS MOMENTUM THREADS REPLICAS

BATCH is a step's, over all replicas. Each line "round" on standard input is answered by one JSON line with the seconds of all epochs in the
slowest process, from a barrier to a barrier: the processes are there, connected, and have trained before.
"""
import json
import os
import sys
import tempfile
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as processes


def epochs_of(model, loss, optimizer, x, y, batch, count):
    for _ in range(count):
        order = torch.randperm(len(x))
        for first in range(0, len(x), batch):
            rows = order[first:first + batch]
            optimizer.zero_grad()
            loss(model(x[rows]), y[rows]).backward()
            optimizer.step()


def worker(rank, arguments, address, commands, answers):
    sizes = [int(size) for size in arguments[0].split(",")]
    rows, batch, epochs = map(int, arguments[1:4])
    momentum, threads, replicas = float(arguments[4]), int(arguments[5]), int(arguments[6])
    torch.set_num_threads(threads)
    dist.init_process_group("gloo", init_method=f"file://{address}", rank=rank, world_size=replicas)
    torch.manual_seed(1 + rank)
    x = torch.rand(rows // replicas, sizes[0]) * 2 - 1
    y = torch.arange(rows // replicas) % sizes[-1]
    layers = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
    model = torch.nn.parallel.DistributedDataParallel(torch.nn.Sequential(*layers[:-1]), gradient_as_bucket_view=True)
    loss = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=momentum)
    epochs_of(model, loss, optimizer, x, y, batch // replicas, 1)
    answers.put(None)
    while commands[rank].get():
        dist.barrier()
        start = time.perf_counter()
        epochs_of(model, loss, optimizer, x, y, batch // replicas, epochs)
        dist.barrier()
        answers.put(time.perf_counter() - start)


def blas():
    """The BLAS that is loaded; torch's products go there."""
    with open("/proc/self/maps") as maps:
        text = maps.read()
    return next((name for name in ("openblas", "mkl", "blis") if name in text), "reference")


def main():
    arguments = sys.argv[1:]
    replicas = int(arguments[6])
    torch.mm(torch.rand(8, 8), torch.rand(8, 8))
    spawner = processes.get_context("spawn")
    answers = spawner.Queue()
    commands = [spawner.Queue() for _ in range(replicas)]
    with tempfile.TemporaryDirectory() as folder:
        running = processes.spawn(worker, (arguments, os.path.join(folder, "store"), commands, answers), nprocs=replicas, join=False)
        for _ in range(replicas):
            answers.get(timeout=120)
        print(json.dumps({"torch": torch.__version__, "threads": int(arguments[5]), "blas": blas()}), flush=True)
        for line in sys.stdin:
            if line.strip() == "round":
                for queue in commands:
                    queue.put(True)
                print(json.dumps({"seconds": max(answers.get(timeout=600) for _ in range(replicas))}), flush=True)
        for queue in commands:
            queue.put(False)
        running.join()


if __name__ == "__main__":
    main()
