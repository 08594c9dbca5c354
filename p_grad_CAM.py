"""Which points made the network say so? Heat of p-grad-CAM for one point cloud, tested by dropping what is hot.

python p_grad_CAM.py --desired_label airplane
python p_grad_CAM.py --input my_chair.ply
"""

from utils import command_line
from utils.explain import flags as explain_flags
from utils.explain import run as explain_run

METHOD = "p-grad-cam"
DESCRIPTION = "Point cloud gradient class activation mapping (p-grad-CAM) of one cloud, tested by dropping points."


def main():
    flags = explain_flags.parse_flags(DESCRIPTION, METHOD)
    explain_run.run(flags, METHOD)


if __name__ == "__main__":
    command_line.run(main)
