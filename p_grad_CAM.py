"""Which points made the network say so? Heat of p-grad-CAM for one point cloud, tested by dropping what is hot.

    python p_grad_CAM.py --desired_label airplane
    python p_grad_CAM.py --input my_chair.ply
    python p_grad_CAM.py --desired_label chair --compare --shape_index 5

`experiment.explain_clouds` is the experiment: a network, a cloud, its heat, what is left without the hottest points,
files and pictures.
"""

from utils import streams

with streams.one_line_interrupts():
    from utils import command_line
    from utils.explain import experiment
    from utils.explain import flags as explain_flags
    from utils.explain.methods import METHODS

METHOD = METHODS["p-grad-cam"]
DESCRIPTION = "Point cloud gradient class activation mapping (p-grad-CAM) of one cloud, tested by dropping points."

EXAMPLES = (
    "python p_grad_CAM.py --desired_label airplane",
    "python p_grad_CAM.py --input my_chair.ply",
    "python p_grad_CAM.py --desired_label chair --compare --shape_index 5",
)


def main():
    experiment.explain_clouds(explain_flags.parse_flags(DESCRIPTION, EXAMPLES, METHOD))


if __name__ == "__main__":
    command_line.run(main)
