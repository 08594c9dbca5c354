"""Which points made the network say so? Heat of p-grad-CAM for one point cloud, tested by dropping what is hot.

    python p_grad_CAM.py --desired_label airplane
    python p_grad_CAM.py --input my_chair.ply
"""
import provider
from utils import command_line, explain_run

METHOD = "p-grad-cam"
DESCRIPTION = "Point cloud gradient class activation mapping (p-grad-CAM) of one cloud, tested by dropping points."


def main():
    flags = explain_run.parse_flags(DESCRIPTION, num_votes=500, drop_mode="+midrange")
    cloud = provider.load_cloud(flags)
    folder = explain_run.output_folder(cloud, METHOD, flags)
    with explain_run.open_explainer(flags) as explainer:
        cloud, logits = explain_run.recognise(explainer, cloud)
        run = explain_run.drop_until_lost(explainer, cloud, METHOD, flags)
    explain_run.save(folder, run, cloud, logits, METHOD, flags)
    explain_run.show(run, cloud, METHOD, flags)


if __name__ == "__main__":
    command_line.run(main)
