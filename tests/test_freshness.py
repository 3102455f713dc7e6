"""Freshness: what ages an adapter and what does not."""

from __future__ import annotations

from personalizer.freshness import compare, pair_names, trained_on
from tests.java_project import project_files, snapshot_of

TEST = "src/test/java/shapes/ShapeATest.java"
MAIN = "src/main/java/shapes/ShapeA.java"


def check_changes(change, expected: str) -> None:
    """Compares the project before and after ``change(files)``: unchanged/changed/new/removed."""
    files = project_files(classes=3, methods=2)
    before = trained_on(snapshot_of(files)).pairs
    changed = dict(files)
    change(changed)
    got = compare(before, pair_names(snapshot_of(changed).pairs))
    assert f"{got.unchanged}/{got.changed}/{got.new}/{got.removed}" == expected


def edit(files, path, old, new):
    assert old in files[path]
    files[path] = files[path].replace(old, new)


def test_nothing_changed_is_fresh():
    check_changes(lambda files: None, "6/0/0/0")


def test_white_space_and_comments_do_not_age():
    check_changes(
        lambda f: edit(f, TEST, "shape.growA(7)", "shape . growA( /* seven */ 7)"), "6/0/0/0"
    )


def test_a_moved_file_does_not_age():
    def move(files):
        files["moved/" + MAIN] = files.pop(MAIN)
        files["moved/" + TEST] = files.pop(TEST)

    check_changes(move, "6/0/0/0")


def test_another_test_body_is_a_changed_pair():
    check_changes(lambda f: edit(f, TEST, "shape.growA(7)", "shape.growA(8)"), "5/1/0/0")


def test_another_focal_body_is_a_changed_pair():
    check_changes(lambda f: edit(f, MAIN, "by * 1 + 0", "by * 1"), "5/1/0/0")


def test_a_new_test_and_a_deleted_test_are_counted():
    def swap(files):
        edit(files, TEST, "growA_addsToTheSize", "growA_worksToo")

    check_changes(swap, "5/0/1/1")


def test_a_deleted_test_class_removes_its_pairs():
    check_changes(lambda files: files.pop(TEST), "4/0/0/2")
