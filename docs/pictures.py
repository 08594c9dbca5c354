"""Makes the pictures of these pages anew, by the commands that the pages name.

    python docs/pictures.py
    python docs/pictures.py --only gallery.png --data_dir my_modelnet40

Those of results/ are of comparisons that take hours: `compare.py --report FOLDER` draws them. That of the page needs
what the tests of the page need: Playwright, and a Chromium of the system.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from typing import NamedTuple

HERE = os.path.dirname(os.path.abspath(__file__))
PROJECT_DIR = os.path.dirname(HERE)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
# WebGL by software, for machines without a GPU.
BROWSER_FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
PAGE_SIZE = {"width": 1280, "height": 800}
SECONDS_TO_DRAW = 5
CHAIR = "p_grad_CAM.py --desired_label chair --compare --num_votes 50 --num_drop 8 --no_window"
GUITAR = "ASM.py --desired_label guitar --compare --num_votes 50 --num_drop 8 --no_window"
GALLERY = (
    "compare.py --protocol insert --methods p-grad-cam asm runner-up runner-up-path grad-cam hirescam feature-norm "
    "critical --classes airplane chair guitar lamp person --per_class 1"
)


class Picture(NamedTuple):
    """A picture of the pages.

    Attributes:
      command: that makes it, without python; several pictures can be of one.
      made: the file that it is of, within the folder that the command writes to; of a page it is what a browser shows.
      width: in pixels, of the picture here; wider ones are made smaller.
    """

    command: str
    made: str
    width: int


PICTURES = {
    "p_grad_CAM_chair.png": Picture(CHAIR, "p-grad-cam/chair_0/heat.png", 1600),
    "ASM_chair.png": Picture(CHAIR, "asm/chair_0/heat.png", 1600),
    "gallery.png": Picture(GALLERY, "clouds.png", 1600),
    "heat_html.png": Picture(GUITAR, "compare/guitar_0/compare.html", 1280),
}


def main():
    flags = parse_flags()
    wanted = {name: PICTURES[name] for name in flags.only or PICTURES}
    for command in dict.fromkeys(picture.command for picture in wanted.values()):
        with tempfile.TemporaryDirectory() as folder:
            run(command.split() + ["--dump_dir", folder], flags.data_dir)
            for name, picture in wanted.items():
                if picture.command == command:
                    make(os.path.join(folder, *picture.made.split("/")), os.path.join(HERE, name), picture.width)
                    print("Made docs/{}".format(name))


def parse_flags():
    parser = argparse.ArgumentParser(description="Makes the pictures of the documents anew.")
    parser.add_argument("--only", nargs="+", choices=sorted(PICTURES), metavar="NAME", help="these alone")
    parser.add_argument("--data_dir", metavar="FOLDER", help="ModelNet40, as for the scripts")
    return parser.parse_args()


def run(arguments, data_dir):
    """Runs a script of the project; its failure ends this one."""
    # The scripts run in the project's folder.
    data = [] if data_dir is None else ["--data_dir", os.path.abspath(data_dir)]
    print("python {}".format(" ".join(arguments)), flush=True)
    status = subprocess.call([sys.executable] + arguments + data, cwd=PROJECT_DIR)
    if status:
        sys.exit("docs/pictures.py: error: {} ended with exit status {}".format(arguments[0], status))


def make(source, target, width):
    """Puts a picture, or what a browser shows of a page, at its place here, no wider than so many pixels."""
    from PIL import Image

    if source.endswith(".html"):
        shoot(source, target)
        return
    with Image.open(source) as image:
        if image.width > width:
            image = image.resize((width, round(image.height * width / image.width)), Image.LANCZOS)
        image.convert("RGB").save(target, optimize=True)


def shoot(source, target):
    """Saves what a Chromium shows of a page."""
    from playwright.sync_api import sync_playwright

    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        sys.exit("docs/pictures.py: error: {} needs one of {}".format(os.path.basename(target), ", ".join(BROWSERS)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=BROWSER_FLAGS)
        page = browser.new_page(viewport=PAGE_SIZE)
        page.goto("file://" + source)
        page.wait_for_timeout(1000 * SECONDS_TO_DRAW)
        page.screenshot(path=target)
        browser.close()


if __name__ == "__main__":
    main()
