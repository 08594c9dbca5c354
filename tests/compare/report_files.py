"""What tests of reports share: settings of a small comparison, and what its summary says."""

METHODS = ["asm", "random"]
CLASSES = ["chair", "cone"]
KEPT = {
    "protocol": "insert",
    "methods": METHODS,
    "classes": CLASSES,
    "class_names": ["airplane"] + CLASSES,
    "per_class": 2,
    "num_point": 16,
    "rotation": "none",
    "seed": 0,
    "model": "pointnet_cls",
    "weights": "0123456789abcdef0123",
    "power": 1.0,
    "colormap": "viridis",
    "scale": "rank",
}


def summary(folder):
    with open(folder + "/summary.md", encoding="utf-8") as file:
        return file.read()


def cells(text, first):
    """Cells of the first table line that begins with a text."""
    line = next(line for line in text.splitlines() if line.startswith("| {} ".format(first)))
    return [cell.strip() for cell in line.strip("|").split("|")]
