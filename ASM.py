"""Which points made the network say so? Adapted saliency maps (ASM) of one cloud, for comparison with p-grad-CAM.

    python ASM.py --desired_label airplane
    python ASM.py --input my_chair.ply
    python ASM.py --input my_scan.ply --up z --target_label sofa

`experiment.explain_clouds` is the experiment: a network, a cloud, its heat, what is left without the hottest points,
files and pictures.
"""

from utils import streams

with streams.one_line_interrupts():
    from utils import command_line
    from utils.explain import experiment
    from utils.explain import flags as explain_flags
    from utils.explain.methods import METHODS

METHOD = METHODS["asm"]
DESCRIPTION = "Adapted saliency map (ASM) of one cloud, tested by dropping points."

EXAMPLES = (
    "python ASM.py --desired_label airplane",
    "python ASM.py --input my_chair.ply",
    "python ASM.py --input my_scan.ply --up z --target_label sofa",
)


def main():
    experiment.explain_clouds(explain_flags.parse_flags(DESCRIPTION, EXAMPLES, METHOD))


if __name__ == "__main__":
    command_line.run(main)
