"""Which points made the network say so? Adapted saliency maps (ASM) of one point cloud, for comparison with p-grad-CAM.

    python ASM.py --desired_label airplane
    python ASM.py --input my_chair.ply
"""
import provider
from utils import command_line, explain_run

METHOD = "asm"
DESCRIPTION = "Adapted saliency map (ASM) of one cloud, tested by dropping points."


def main():
    flags = explain_run.parse_flags(DESCRIPTION, num_votes=100, drop_mode="top")
    cloud = provider.load_cloud(flags)
    folder = explain_run.output_folder(cloud, METHOD, flags)
    with explain_run.open_explainer(flags) as explainer:
        cloud, logits = explain_run.recognise(explainer, cloud)
        run = explain_run.drop_until_lost(explainer, cloud, METHOD, flags)
    explain_run.save(folder, run, cloud, logits, METHOD, flags)
    explain_run.show(run, cloud, METHOD, flags)


if __name__ == "__main__":
    command_line.run(main)
