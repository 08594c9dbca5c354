"""PointNet++ with single-scale grouping as PyTorch users write it, to time ours against; for where torch is installed.

Farthest points one by one in a loop of Python, balls by sorting the numbers of the points, all rows of all balls, 1x1
convolutions of them. It works in a process of its own, as `torch_pointnet`.
"""

import numpy as np
import torch_pointnet


def demo_clouds(num_clouds, num_points):
    """Built-in shapes, of one class after another, float32 [B, N, 3]: how full balls are decides what they cost."""
    from utils.demo import shapes

    rng, classes = np.random.RandomState(0), shapes.DEMO_CLASSES
    return np.stack([shapes.sample_shape(classes[row % len(classes)], num_points, rng) for row in range(num_clouds)])


def training(clouds):
    """A function that takes one step of Adam on clouds [B, N, 3], each of a class of its own."""
    import torch

    network, points = _network().train(), torch.from_numpy(clouds)
    optimiser, labels = torch.optim.Adam(network.parameters()), torch.arange(len(clouds))

    def step():
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(points), labels)
        loss.backward()
        optimiser.step()
        return loss.detach().numpy()

    return step


def inference(clouds):
    """A function that classifies clouds [B, N, 3]: float32 array [B, C]."""
    import torch

    network, points = _network().eval(), torch.from_numpy(clouds)

    def classify():
        with torch.no_grad():
            return network(points).numpy()

    return classify


def _farthest_points(points, count):
    """Places [B, count] of farthest points of [B, N, 3]."""
    import torch

    num_clouds, num_points, _ = points.shape
    rows, newest = torch.arange(num_clouds), torch.zeros(num_clouds, dtype=torch.long)
    found, distances = torch.zeros(num_clouds, count, dtype=torch.long), torch.full((num_clouds, num_points), 1e10)
    for number in range(count):
        found[:, number] = newest
        to_newest = ((points - points[rows, newest].view(num_clouds, 1, 3)) ** 2).sum(dim=2)
        is_nearer = to_newest < distances
        distances[is_nearer] = to_newest[is_nearer]
        newest = distances.max(dim=1).indices
    return found


def _balls(points, centres, radius, size):
    """Places [B, M, size] of the first points [B, N, 3] around centres [B, M, 3]."""
    import torch

    num_points = points.shape[1]
    distances = (centres**2).sum(dim=2)[:, :, None] - 2 * torch.matmul(centres, points.transpose(1, 2))
    distances += (points**2).sum(dim=2)[:, None]
    places = torch.arange(num_points).repeat(distances.shape[:2] + (1,))
    places[distances > radius**2] = num_points
    places = places.sort(dim=2).values[:, :, :size]
    first = places[:, :, :1].repeat(1, 1, places.shape[2])
    is_missing = places == num_points
    places[is_missing] = first[is_missing]
    return places


def _taken(values, places):
    """Rows of each cloud of values [B, N, C], at places [B, ...]."""
    import torch

    clouds = torch.arange(len(values)).view([-1] + [1] * (places.dim() - 1)).expand_as(places)
    return values[clouds, places]


def _network(num_classes=40):
    """A torch.nn.Module: points [B, N, 3] -> logits [B, C]."""
    import torch
    from torch import nn

    def dense(width_in, width_out):
        return nn.Sequential(nn.Linear(width_in, width_out), nn.BatchNorm1d(width_out), nn.ReLU(), nn.Dropout(0.5))

    class SetAbstraction(nn.Module):
        def __init__(self, count, radius, size, *widths):
            super().__init__()
            self.count, self.radius, self.size = count, radius, size
            layers = []
            for width_in, width_out in zip(widths, widths[1:]):
                layers += [nn.Conv2d(width_in, width_out, 1), nn.BatchNorm2d(width_out), nn.ReLU()]
            self.layers = nn.Sequential(*layers)

        def forward(self, points, features):
            if self.count is None:
                centres, grouped = None, torch.cat([points, features], dim=2).unsqueeze(1)
            else:
                centres = _taken(points, _farthest_points(points, self.count))
                places = _balls(points, centres, self.radius, self.size)
                grouped = _taken(points, places) - centres.unsqueeze(2)
                if features is not None:
                    grouped = torch.cat([grouped, _taken(features, places)], dim=3)
            maximum = self.layers(grouped.permute(0, 3, 2, 1)).max(dim=2).values
            return centres, maximum.transpose(1, 2)

    class PointNet2(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = SetAbstraction(512, 0.2, 32, 3, 64, 64, 128)
            self.second = SetAbstraction(128, 0.4, 64, 131, 128, 128, 256)
            self.third = SetAbstraction(None, None, None, 259, 256, 512, 1024)
            self.cloud = nn.Sequential(dense(1024, 512), dense(512, 256), nn.Linear(256, num_classes))

        def forward(self, points):
            centres, features = self.first(points, None)
            centres, features = self.second(centres, features)
            return self.cloud(self.third(centres, features)[1].squeeze(1))

    return PointNet2()


if __name__ == "__main__":
    torch_pointnet.main({"training": training, "inference": inference}, demo_clouds)
