"""DGCNN as PyTorch users write it, to time ours against; for where torch is installed.

Neighbours by topk of all distances, the features of every edge side by side, 1x1 convolutions of them: the layers of
`models.dgcnn`, the T-Net among them. It works in a process of its own, as `torch_pointnet`.
"""

import torch_pointnet

NUM_NEIGHBOURS = 20
EDGE_WIDTHS = (64, 64, 64, 128)


def training(clouds):
    """A function that takes one step of Adam on clouds [B, N, 3], each of a class of its own."""
    import torch

    network, points = _network().train(), torch_pointnet.channels_first(clouds)
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

    network, points = _network().eval(), torch_pointnet.channels_first(clouds)

    def classify():
        with torch.no_grad():
            return network(points).numpy()

    return classify


def _edges(features):
    """[x_i, x_j - x_i] of the nearest neighbours j of each point i of features [B, C, N]: [B, 2 C, N, k]."""
    import torch

    num_clouds, num_channels, num_points = features.shape
    squares = (features**2).sum(dim=1, keepdim=True)
    distances = squares.transpose(1, 2) - 2 * torch.matmul(features.transpose(1, 2), features) + squares
    neighbours = distances.topk(NUM_NEIGHBOURS, dim=2, largest=False).indices
    rows = (neighbours + torch.arange(num_clouds).view(-1, 1, 1) * num_points).view(-1)
    points = features.transpose(1, 2).contiguous()
    others = points.view(-1, num_channels)[rows].view(num_clouds, num_points, NUM_NEIGHBOURS, num_channels)
    own = points.unsqueeze(2).expand_as(others)
    return torch.cat([own, others - own], dim=3).permute(0, 3, 1, 2).contiguous()


def _network(num_classes=40):
    """A torch.nn.Module: points [B, 3, N] -> logits [B, C]."""
    import torch
    from torch import nn

    def convolution(width_in, width_out):
        return nn.Sequential(nn.Conv2d(width_in, width_out, 1), nn.BatchNorm2d(width_out), nn.ReLU())

    def pointwise(width_in, width_out):
        return nn.Sequential(nn.Conv1d(width_in, width_out, 1), nn.BatchNorm1d(width_out), nn.ReLU())

    def dense(*widths, keep=1.0):
        layers = []
        for width_in, width_out in zip(widths, widths[1:]):
            layers += [nn.Linear(width_in, width_out), nn.BatchNorm1d(width_out), nn.ReLU(), nn.Dropout(1 - keep)]
        return nn.Sequential(*layers)

    class TransformNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.edges = nn.Sequential(convolution(6, 64), convolution(64, 128))
            self.points, self.cloud = pointwise(128, 1024), dense(1024, 512, 256)
            self.matrix = nn.Linear(256, 9)
            nn.init.zeros_(self.matrix.weight)
            nn.init.zeros_(self.matrix.bias)

        def forward(self, points):
            features = self.points(self.edges(_edges(points)).max(dim=3).values)
            return self.matrix(self.cloud(features.max(dim=2).values)).view(-1, 3, 3) + torch.eye(3)

    class DGCNN(nn.Module):
        def __init__(self):
            super().__init__()
            self.transform = TransformNet()
            widths = (3,) + EDGE_WIDTHS
            self.edges = nn.ModuleList([convolution(2 * a, b) for a, b in zip(widths, widths[1:])])
            self.points = pointwise(sum(EDGE_WIDTHS), 1024)
            self.cloud, self.logits = dense(1024, 512, 256, keep=0.5), nn.Linear(256, num_classes)

        def forward(self, points):
            features = torch.bmm(self.transform(points).transpose(1, 2), points)
            maps = []
            for layer in self.edges:
                features = layer(_edges(features)).max(dim=3).values
                maps.append(features)
            return self.logits(self.cloud(self.points(torch.cat(maps, dim=1)).max(dim=2).values))

    return DGCNN()


if __name__ == "__main__":
    torch_pointnet.main({"training": training, "inference": inference}, torch_pointnet.random_clouds)
