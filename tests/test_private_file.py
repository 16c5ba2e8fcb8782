"""A secret's file: whole or not at all, for its owner only."""

import os
from pathlib import Path

import pytest

from conflux.private_file import write_private


def test_it_is_for_its_owner_only_and_leaves_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    before = os.umask(0)
    try:
        write_private(path, "one\n")
        write_private(path, "two\n")
    finally:
        os.umask(before)
    assert path.read_text() == "two\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["secret"]


def test_what_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret"
    write_private(path, "one\n")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_private(path, "two\n")
    assert path.read_text() == "one\n"


def test_who_makes_it_anew_never_takes_anothers_place(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    write_private(path, "one\n", anew=True)
    with pytest.raises(FileExistsError):
        write_private(path, "two\n", anew=True)
    assert (path.read_text(), os.listdir(tmp_path)) == ("one\n", ["secret"])
    assert path.stat().st_mode & 0o777 == 0o600


def test_where_there_are_no_links_it_is_made_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", none)
    write_private(tmp_path / "secret", "one\n", anew=True)
    assert os.listdir(tmp_path) == ["secret"]
