"""Which points made the network say so? Heat of a point cloud by any method, from the command line and from Python.

    python explain.py --method runner-up asm --desired_label airplane
    python explain.py --method critical --input my_chair.ply
    python explain.py --input scans --no_window --colormap viridis

`experiment.explain_clouds` is the experiment, as of p_grad_CAM.py and ASM.py. In a notebook, or in Python of one's own,

    import explain
    network = explain.open_network()
    heat = network.heat(points, method="runner-up")
    names, probabilities = network.classify(points)
    explain.save_page("heat.html", points, {"runner-up": heat})
"""

import contextlib

from utils import streams

# Who imports this file keeps the Ctrl-C that they have.
with streams.one_line_interrupts() if __name__ == "__main__" else contextlib.ExitStack():
    from utils import command_line
    from utils.explain import experiment
    from utils.explain import flags as explain_flags
    from utils.explain.notebook import OpenNetwork, demo_cloud, open_network, place, read_cloud
    from utils.explain.pages import Page, save_page, show

__all__ = ["OpenNetwork", "Page", "demo_cloud", "open_network", "place", "read_cloud", "save_page", "show"]
DESCRIPTION = "Heat of one cloud by any method, tested by dropping points."
EXAMPLES = (
    "python explain.py --method runner-up asm --desired_label airplane",
    "python explain.py --method critical --input my_chair.ply",
    "python explain.py --input scans --no_window --colormap viridis",
)


def main():
    experiment.explain_clouds(explain_flags.parse_flags(DESCRIPTION, EXAMPLES))


if __name__ == "__main__":
    command_line.run(main)
