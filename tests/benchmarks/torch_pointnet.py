"""PointNet for classification as PyTorch users write it, to time ours against; for where torch is installed.

It works in a process of its own: torch and TensorFlow in one have crashed each other.
"""

import importlib.util
import os
import subprocess
import sys
import time

import numpy as np

REGULARISER_WEIGHT = 0.001


def is_installed():
    return importlib.util.find_spec("torch") is not None


def start(work, num_clouds, num_points, opened, script=__file__):
    """A function that does a work of a script once on so many clouds and returns the seconds.

    Args:
      work: a key of what the script gives `main`.
      num_clouds, num_points: of the clouds.
      opened: an ExitStack.
      script: path of this file or another one.
    """
    process = subprocess.Popen(
        [sys.executable, os.path.abspath(script), work, str(num_clouds), str(num_points)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        universal_newlines=True,
        bufsize=1,
    )
    opened.enter_context(process)

    def seconds():
        process.stdin.write("go\n")
        return float(process.stdout.readline())

    return seconds


def main(works, clouds_of):
    """Does what `start` asks of this process.

    Args:
      works: dictionary of functions of clouds, float32 [B, N, 3] -> function that does the work once.
      clouds_of: function of their number and that of their points -> clouds.
    """
    work, num_clouds, num_points = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    once = works[work](clouds_of(num_clouds, num_points))
    for _ in sys.stdin:
        begun = time.perf_counter()
        once()
        print(time.perf_counter() - begun, flush=True)


def random_clouds(num_clouds, num_points):
    """Clouds [B, N, 3] that fill a cube."""
    return np.random.RandomState(0).uniform(-0.6, 0.6, (num_clouds, num_points, 3)).astype(np.float32)


def training(clouds):
    """A function that takes one step of Adam on clouds [B, N, 3], each of a class of its own."""
    import torch

    network, points = _network().train(), channels_first(clouds)
    optimiser, labels = torch.optim.Adam(network.parameters()), torch.arange(len(clouds))

    def step():
        optimiser.zero_grad()
        logits, matrix = network(points)
        distance = torch.bmm(matrix, matrix.transpose(1, 2)) - torch.eye(matrix.shape[1])
        loss = torch.nn.functional.cross_entropy(logits, labels) + REGULARISER_WEIGHT * (distance**2).sum() / 2
        loss.backward()
        optimiser.step()
        return loss.detach().numpy()

    return step


def inference(clouds):
    """A function that classifies clouds [B, N, 3]: float32 array [B, C]."""
    import torch

    network, points = _network().eval(), channels_first(clouds)

    def classify():
        with torch.no_grad():
            return network(points)[0].numpy()

    return classify


def gradient(clouds):
    """A function that gives the gradient of the loss of class 0 by the points of clouds [B, N, 3]: [B, 3, N]."""
    import torch

    network, points = _network().eval(), channels_first(clouds).requires_grad_()
    labels = torch.zeros(len(clouds), dtype=torch.long)

    def differentiate():
        loss = torch.nn.functional.cross_entropy(network(points)[0], labels, reduction="sum")
        return torch.autograd.grad(loss, points)[0].numpy()

    return differentiate


def channels_first(clouds):
    import torch

    return torch.from_numpy(np.ascontiguousarray(clouds.transpose(0, 2, 1)))


def _network(num_classes=40):
    """A torch.nn.Module: points [B, 3, N] -> logits [B, C] and the matrix of the feature T-Net [B, 64, 64]."""
    from torch import bmm, eye, nn

    def pointwise(*widths):
        layers = []
        for width_in, width_out in zip(widths, widths[1:]):
            layers += [nn.Conv1d(width_in, width_out, 1), nn.BatchNorm1d(width_out), nn.ReLU()]
        return nn.Sequential(*layers)

    def dense(*widths, keep=1.0):
        layers = []
        for width_in, width_out in zip(widths, widths[1:]):
            layers += [nn.Linear(width_in, width_out), nn.BatchNorm1d(width_out), nn.ReLU(), nn.Dropout(1 - keep)]
        return nn.Sequential(*layers)

    class TransformNet(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.width = width
            self.points, self.cloud = pointwise(width, 64, 128, 1024), dense(1024, 512, 256)
            self.matrix = nn.Linear(256, width * width)
            nn.init.zeros_(self.matrix.weight)
            nn.init.zeros_(self.matrix.bias)

        def forward(self, features):
            found = self.matrix(self.cloud(self.points(features).max(dim=2).values))
            return found.view(-1, self.width, self.width) + eye(self.width)

    class PointNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.input_transform, self.feature_transform = TransformNet(3), TransformNet(64)
            self.low, self.high = pointwise(3, 64, 64), pointwise(64, 64, 128, 1024)
            self.cloud, self.logits = dense(1024, 512, 256, keep=0.7), nn.Linear(256, num_classes)

        def forward(self, points):
            low = self.low(bmm(self.input_transform(points).transpose(1, 2), points))
            matrix = self.feature_transform(low)
            high = self.high(bmm(matrix.transpose(1, 2), low))
            return self.logits(self.cloud(high.max(dim=2).values)), matrix

    return PointNet()


if __name__ == "__main__":
    main({"training": training, "inference": inference, "gradient": gradient}, random_clouds)
