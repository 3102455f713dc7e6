"""The store: kept between runs, shared by processes, never precious."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from indexer import FileFacts, Store, StoreUnavailable
from indexer.languages.java import parse
from indexer.store import Row, content_hash, pack_row

SOURCE = b"class A { /** D */ void a(String s) { b(s); } }"


def row(source: bytes = SOURCE) -> Row:
    return pack_row(content_hash(source), source, parse(source))


def check_holds(path: Path, *sources: bytes) -> None:
    """The store at a path opens, and holds facts and texts of just these sources."""
    with Store(path) as store:
        names = [content_hash(source) for source in sources]
        assert store.facts(names) == {content_hash(s): parse(s) for s in sources}
        assert [store.source(name) for name in names] == list(sources)
        other = content_hash(b"other")
        assert store.known([*names, other]) == set(names)


def test_what_is_put_is_there_in_the_next_run(tmp_path: Path):
    with Store(tmp_path / "deep" / "index.sqlite") as store:
        store.put([row(), row(b"")])
        store.put([row()])
    check_holds(tmp_path / "deep" / "index.sqlite", SOURCE, b"")


def test_facts_come_back_as_they_were(tmp_path: Path):
    with Store() as store:
        store.put([row()])
        facts = store.facts([content_hash(SOURCE)])[content_hash(SOURCE)]
    assert isinstance(facts, FileFacts)
    assert facts == parse(SOURCE)
    assert facts.methods[0].calls[0].name == "b"


def test_an_unknown_text_is_a_key_error():
    with Store() as store, pytest.raises(KeyError):
        store.source("00")


def test_the_same_text_has_a_name_of_its_own_in_each_language():
    assert content_hash(SOURCE, "java") == content_hash(SOURCE) != content_hash(SOURCE, "python")


def test_notes_are_kept_and_replaced(tmp_path: Path):
    with Store(tmp_path / "s") as store:
        assert store.note("a") is None
        store.set_note("a", b"1")
        store.set_note("a", b"2")
    with Store(tmp_path / "s") as store:
        assert store.note("a") == b"2"


def test_what_was_cleared_is_nowhere_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Nor where SQLite does not overwrite what it deletes, as Debian's does."""
    connect = sqlite3.connect

    def as_elsewhere(*place, **how):
        database = connect(*place, **how)
        database.execute("PRAGMA secure_delete = OFF")
        return database

    monkeypatch.setattr(sqlite3, "connect", as_elsewhere)
    with Store(tmp_path / "s") as store:
        sources = [b"class A%d { void secretly%d() { } }" % (n, n) for n in range(200)]
        store.put(map(row, sources))
        store.set_seen({f"Secret{n}.java": ("1", "h", None) for n in range(200)}, [])
        store.clear()
        left = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"secretly" not in left
    assert b"Secret" not in left


def test_what_was_seen_is_kept_and_forgotten():
    with Store() as store:
        store.set_seen({"a": ("1", "h", None), "b": ("2", None, "ignored")}, [])
        store.set_seen({"a": ("3", "h", None)}, ["b"])
        assert store.seen() == {"a": ("3", "h", None)}


def test_rows_that_no_file_needed_for_a_week_are_dropped(monkeypatch: pytest.MonkeyPatch):
    now = 1_000_000.0
    monkeypatch.setattr("indexer.store.time.time", lambda: now)
    day = 24 * 3600
    with Store() as store:
        rows = [row(b"class A%d { }" % i) for i in range(1200)]
        names = [name for name, _, _ in rows]
        store.put(rows)
        store.keep_only({names[0]})
        assert store.known(names) == set(names)  # another process may hold a snapshot of them
        now += 6 * day
        store.keep_only({names[0], names[1]})
        now += 2 * day
        store.keep_only({names[0]})
        assert store.known(names) == {names[0], names[1]}
        now += 8 * day
        store.keep_only({names[0]})
        assert store.known(names) == {names[0]}


def test_a_clock_that_was_ahead_keeps_no_row_for_longer(monkeypatch: pytest.MonkeyPatch):
    day = 24 * 3600
    with Store() as store:
        store.put([row()])
        for now in (1000 * day, day, 9 * day):
            monkeypatch.setattr("indexer.store.time.time", lambda now=now: now)
            store.keep_only(set())
        assert store.known([content_hash(SOURCE)]) == set()


def test_a_few_unused_rows_are_kept_for_the_next_branch():
    with Store() as store:
        store.put([row(), row(b"class B { }")])
        store.keep_only(set())
        assert len(store.known([content_hash(SOURCE), content_hash(b"class B { }")])) == 2


# ---------------------------------------------------------------- damage


@pytest.mark.parametrize("left", [0, 1, 100, 4096, 5000])
def test_a_cut_file_is_rebuilt(tmp_path: Path, left: int):
    path = tmp_path / "index.sqlite"
    with Store(path) as store:
        store.put(row(b"class A%d { }" % i) for i in range(100))
    data = path.read_bytes()
    assert len(data) > 5000
    path.write_bytes(data[:left])
    with Store(path) as store:
        store.put([row()])
    check_holds(path, SOURCE)


def test_a_file_that_is_no_database_is_rebuilt(tmp_path: Path):
    path = tmp_path / "index.sqlite"
    path.write_text("not a database " * 1000)
    with Store(path) as store:
        store.put([row()])
    check_holds(path, SOURCE)


def test_a_page_damaged_behind_our_back_empties_the_store(tmp_path: Path):
    path = tmp_path / "index.sqlite"
    with Store(path) as store:
        store.put(row(b"class A%d { }" % i) for i in range(500))
    data = bytearray(path.read_bytes())
    for page in range(4096 * 4, len(data), 4096):
        data[page : page + 200] = b"\xff" * 200
    path.write_bytes(data)
    with Store(path) as store:
        store.facts(content_hash(b"class A%d { }" % i) for i in range(500))
        store.put([row()])
        assert store.known([content_hash(SOURCE)]) == {content_hash(SOURCE)}


def test_a_row_that_cannot_be_read_is_unknown():
    with Store() as store:
        store.put([("aa", b"no zlib", b"no facts")])
        assert store.facts(["aa"]) == {}
        with pytest.raises(KeyError):
            store.source("aa")


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE file SET source = zeroblob(9)",
        "UPDATE file SET source = 'text'",
        "UPDATE file SET facts = 7",
        "UPDATE file SET facts = NULL",
        "UPDATE file SET hash = 'aa'",
        "UPDATE seen SET hash = 'aa'",
        "UPDATE seen SET reason = 'none'",
        "UPDATE seen SET path = CAST(x'ff' AS TEXT)",
        "UPDATE note SET value = 'text'",
    ],
)
def test_a_row_that_was_changed_is_not_there(edit: str):
    name = content_hash(SOURCE)
    with Store() as store:
        store.put([row()])
        store.set_seen({"A.java": ("1", name, None)}, [])
        store.set_note("a", b"1")
        store._db.execute(edit)
        held = store.facts([name]), store.seen(), store.note("a")
        assert sum(map(bool, held)) == 2
        store.put([row()])
        assert (store.facts([name]), store.source(name)) == ({name: parse(SOURCE)}, SOURCE)


def test_a_text_in_the_row_of_another_is_not_there():
    with Store() as store:
        store.put([row(), row(b"class B { }")])
        store._db.execute("UPDATE file SET source = (SELECT max(source) FROM file)")
        with pytest.raises(KeyError):
            [store.source(content_hash(source)) for source in (SOURCE, b"class B { }")]


@pytest.mark.parametrize(
    ("code", "writable", "left"),
    [
        (sqlite3.SQLITE_CORRUPT, True, False),
        (sqlite3.SQLITE_NOTADB, True, False),
        (sqlite3.SQLITE_IOERR_SHORT_READ, True, False),
        (sqlite3.SQLITE_READONLY, True, False),
        (sqlite3.SQLITE_READONLY, False, True),
        (sqlite3.SQLITE_BUSY, True, True),
        (sqlite3.SQLITE_CANTOPEN, True, True),
        (sqlite3.SQLITE_FULL, True, True),
        (sqlite3.SQLITE_IOERR_READ, True, True),
        (sqlite3.SQLITE_LOCKED, True, True),
        (sqlite3.SQLITE_NOMEM, True, True),
        (sqlite3.SQLITE_PERM, True, True),
    ],
)
def test_only_damage_empties_the_store_and_no_trouble_of_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, writable: bool, left: bool
):
    def fails_once(database: sqlite3.Connection) -> None:
        if not failures:
            failures.append(sqlite3.OperationalError("failed"))
            failures[0].sqlite_errorcode = code
            raise failures[0]

    failures: list[sqlite3.OperationalError] = []
    monkeypatch.setattr("indexer.store.os.access", lambda path, mode: writable)
    with Store(tmp_path / "s") as store:
        store.put([row()])
        with pytest.raises(StoreUnavailable) if left else nullcontext():
            store._do(fails_once)
    check_holds(tmp_path / "s", *([SOURCE] if left else []))


@pytest.mark.parametrize("name", [b"source", b"CREATE TABLE", b"PRIMARY"])
def test_names_that_are_no_text_are_damage(tmp_path: Path, name: bytes):
    path = tmp_path / "index.sqlite"
    with Store(path) as store:
        store.put([row(b"class A { }")])
    data = path.read_bytes()
    assert name in data
    path.write_bytes(data.replace(name, b"\xb6" + name[1:]))
    with Store(path) as store:
        store.put([row()])
    check_holds(path, SOURCE)


def test_a_header_that_forbids_to_write_is_damage(tmp_path: Path):
    path = tmp_path / "index.sqlite"
    with Store(path) as store:
        store.put([row(b"class A { }")])
    data = bytearray(path.read_bytes())
    data[18] = 99
    path.write_bytes(data)
    with Store(path) as store:
        store.put([row()])
    check_holds(path, SOURCE)


@pytest.mark.parametrize("version", [0, 1, 999])
def test_another_schema_is_replaced(tmp_path: Path, version: int):
    path = tmp_path / "index.sqlite"
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE file (other TEXT)")
    database.execute("CREATE TABLE old (x TEXT)")
    database.execute(f"PRAGMA user_version = {version}")
    database.close()
    with Store(path) as store:
        store.put([row()])
    check_holds(path, SOURCE)


# ---------------------------------------------------------------- disks and processes


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable) as caught:
        Store(tmp_path / "file" / "index.sqlite")
    text = str(caught.value)
    assert text.startswith(f"cannot use the index at {tmp_path}/file/index.sqlite: ")
    assert "\n" not in text and "PERSONALIZER_DATA_DIR" in text


def test_a_folder_in_the_place_of_the_file_is_one_clear_line(tmp_path: Path):
    with pytest.raises(StoreUnavailable, match="cannot use the index"):
        Store(tmp_path)


def test_a_full_disk_is_one_clear_line_and_keeps_what_was_there(tmp_path: Path):
    path = tmp_path / "index.sqlite"
    with Store(path) as store:
        store.put([row()])
        store._db.execute("PRAGMA max_page_count = 10")
        big = [row(os.urandom(60_000).hex().encode())]
        with pytest.raises(StoreUnavailable, match="disk is full"):
            store.put(big)
        store.set_note("derived", b"x" * 100_000)  # no error: it can be made again
        assert store.note("derived") is None
    check_holds(path, SOURCE)


WRITER = """
import sys
from pathlib import Path
from indexer import Store
from indexer.languages.java import parse
from indexer.store import content_hash, pack_row
with Store(Path(sys.argv[1])) as store:
    print("open", flush=True)
    for i in range(int(sys.argv[2]), int(sys.argv[3])):
        source = b"class A%d { }" % i
        store.put([pack_row(content_hash(source), source, parse(source))])
"""


def writer(path: Path, first: int, end: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(first), str(end)], stdout=subprocess.PIPE
    )


def test_two_processes_may_write_at_once(tmp_path: Path):
    path = tmp_path / "index.sqlite"
    with writer(path, 0, 150) as one, writer(path, 100, 250) as two:
        assert one.wait(60) == two.wait(60) == 0
    check_holds(path, *(b"class A%d { }" % i for i in range(250)))


def test_a_killed_writer_leaves_a_usable_store(tmp_path: Path):
    path = tmp_path / "index.sqlite"
    with writer(path, 0, 1_000_000) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with Store(path) as store:
            while not store.known([content_hash(b"class A50 { }")]):
                assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    with Store(path) as store:
        held = store.facts(content_hash(b"class A%d { }" % i) for i in range(51))
        assert len(held) == 51
        store.put([row()])
    check_holds(path, SOURCE)
