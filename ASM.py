"""Which points made the network say so? Adapted saliency maps (ASM) of one point cloud, for comparison with p-grad-CAM.

python ASM.py --desired_label airplane
python ASM.py --input my_chair.ply
"""

from utils import command_line
from utils.explain import flags as explain_flags
from utils.explain import run as explain_run

METHOD = "asm"
DESCRIPTION = "Adapted saliency map (ASM) of one cloud, tested by dropping points."


def main():
    flags = explain_flags.parse_flags(DESCRIPTION, METHOD)
    explain_run.run(flags, METHOD)


if __name__ == "__main__":
    command_line.run(main)
