"""Names of classes and files are text: never a path, a formula, markup, or a command to the terminal."""

import os

import pytest

from utils.disk import names

HOSTILE = [
    "../../../x",
    "/etc/x",
    "C:\\x",
    "..",
    ".",
    "",
    "a/b",
    "CON",
    "nul.txt",
    "com1",
    "x.",
    "x ",
    ".x",
    "*",
    "a?",
    "a:b",
]
HOSTILE += ["\x1b[2J", "a\nb", "a\0b", "\udcff", "x" * 300, "\u00fc" * 200, "<b>", '"', "a|b"]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_folder_named_after_any_text_is_one_new_folder_where_it_belongs(text, tmp_path):
    name = names.folder_name(text)
    os.mkdir(str(tmp_path / name))
    assert os.listdir(str(tmp_path)) == [name] and name.isprintable()
    assert not set(name) & set('<>:"/\\|?*') and not name.startswith(".") and name[-1] not in ". "
    assert name.split(".")[0].lower() not in ("con", "nul", "com1") and len(name.encode("utf-8")) <= 100


def test_texts_that_differ_have_folders_that_differ():
    texts = HOSTILE + ["a_b", "_", "a_b-", "x" * 301]
    assert len({names.folder_name(text).casefold() for text in texts}) == len(texts)


@pytest.mark.parametrize(
    "text", ["cone_0", "d.npy_0", "night_stand_12_as_chair", "Teil 1 (neu)_0", "St\u00fchle_0", "con_0"]
)
def test_a_name_that_every_system_takes_stays_as_it_is(text):
    assert names.folder_name(text) == text


def test_case_and_composed_letters_make_no_other_folder():
    assert names.same_folder("Chair_0", "chair_0") and names.same_folder("u\u0308", "\u00dc")
    assert not names.same_folder("chair_0", "chair_1")


@pytest.mark.parametrize(
    "text, cell",
    [
        ("=1+1", "'=1+1"),
        ("@x", "'@x"),
        ("-5", "'-5"),
        ("+1", "'+1"),
        ("\tx", "'\tx"),
        ("'=x", "''=x"),
        ("'tis", "'tis"),
        ("a=b", "a=b"),
    ],
)
def test_no_cell_is_a_formula_and_each_reads_back_the_same(text, cell):
    assert names.to_cell(text) == cell and names.from_cell(cell) == text


def test_markdown_shows_a_name_as_it_stands():
    assert names.markdown("a|<img src=x>&lt;\n![b](c) `d` *e* night_stand") == (
        r"a\|&lt;img src=x>&amp;lt;\\n!\[b\](c) \`d\` \*e\* night_stand"
    )
