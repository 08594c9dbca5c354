"""Numbers as people read them."""

import os
import re

import numpy as np

from utils import wording
from utils.files import PROJECT_DIR


def test_a_share_is_written_one_way():
    assert [wording.percent(share) for share in (0.0, 1 / 3, 1.0, np.nan)] == ["0.0 %", "33.3 %", "100.0 %", "-"]
    assert wording.percent(0.87561, 2) == "87.56 %"


def test_one_thing_is_no_plural():
    assert [wording.counted(number, "point") for number in (0, 1, 2)] == ["0 points", "1 point", "2 points"]
    assert [wording.counted(number, "class", "classes") for number in (1, 2)] == ["1 class", "2 classes"]


def test_no_share_is_written_another_way():
    by_hand = []
    for folder, _, names in os.walk(os.path.join(PROJECT_DIR, "utils")):
        for name in names:
            if name.endswith(".py"):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    by_hand += re.findall(r".*:\.\d%\}.*", file.read())
    assert by_hand == []
