"""Mistakes in people's files are told with file, line, and the nearest valid word."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.files import FileError, load_schema, open_toml, schemas
from scenarios.mistakes import find_mistakes
from scenarios.toml_lines import line_numbers

TEXT = '''\
title = "x"          # 1
a.b.c = [            # 2
  1,                 # 3
  { d = "[", "e f" = 2 },
]
[[fleet]]            # 6
kind = """
two
lines"""
count = 1            # 10
[fleet.behaviour]    # 11
period = 3           # 12
[[fleet]]            # 13
kind = 'it"s'        # 14
[[fleet.key]]        # 15
name = "n" # a ] comment
[last]
x = 1979-05-27T07:32:00Z
'''


def test_every_key_table_and_item_has_its_line() -> None:
    assert line_numbers(TEXT) == {
        (): 1,
        ("title",): 1,
        ("a",): 2,
        ("a", "b"): 2,
        ("a", "b", "c"): 2,
        ("a", "b", "c", 0): 3,
        ("a", "b", "c", 1): 4,
        ("a", "b", "c", 1, "d"): 4,
        ("a", "b", "c", 1, "e f"): 4,
        ("fleet",): 6,
        ("fleet", 0): 6,
        ("fleet", 0, "kind"): 7,
        ("fleet", 0, "count"): 10,
        ("fleet", 0, "behaviour"): 11,
        ("fleet", 0, "behaviour", "period"): 12,
        ("fleet", 1): 13,
        ("fleet", 1, "kind"): 14,
        ("fleet", 1, "key"): 15,
        ("fleet", 1, "key", 0): 15,
        ("fleet", 1, "key", 0, "name"): 16,
        ("last",): 17,
        ("last", "x"): 18,
    }


def opened(folder: Path, data: bytes) -> str:
    path = folder / "f.toml"
    path.write_bytes(data)
    with pytest.raises(FileError) as caught:
        open_toml(path)
    return str(caught.value).removeprefix(f"{path}")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"a = 1\nb 2\n", ":2: expected TOML; expected '=' after a key", id="equals"),
        pytest.param(b"a = 1\na = 2\n", ":2: expected TOML; cannot overwrite a value", id="twice"),
        pytest.param(b'a = 1\nb = "x\n', ":2: expected TOML; ", id="open text"),
        pytest.param(b"a = [1,\n2", ":2: expected TOML; ", id="open list"),
        pytest.param(b"a = 1\n# \xff\n", ":2: expected UTF-8 text; got the byte 0xff", id="bytes"),
        pytest.param(b"a = " + b"9" * 5000, ":1: expected TOML; ", id="endless number"),
    ],
)
def test_broken_toml_names_its_line(tmp_path: Path, data: bytes, message: str) -> None:
    assert opened(tmp_path, data).startswith(message)


def test_missing_file_has_no_line(tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        open_toml(tmp_path / "gone.toml")
    assert str(caught.value) == (
        f"{tmp_path / 'gone.toml'}: expected a readable file; got 'no such file or directory'"
    )


def test_dates_become_text(tmp_path: Path) -> None:
    (tmp_path / "f.toml").write_text("a = 2024-01-01T00:00:00Z\nb = [2024-02-03]\n")
    assert open_toml(tmp_path / "f.toml").document == {
        "a": "2024-01-01T00:00:00Z",
        "b": ["2024-02-03"],
    }


def test_windows_line_ends_count_once(tmp_path: Path) -> None:
    (tmp_path / "f.toml").write_bytes(b"\xef\xbb\xbfa = 1\r\nb = 2\r\n")
    assert open_toml(tmp_path / "f.toml").line(("b",)) == 2


def test_unknown_schema_names_the_nearest() -> None:
    assert schemas() == sorted(schemas())
    for name in schemas():
        assert load_schema(name)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    with pytest.raises(KeyError, match="expected one of "):
        load_schema("no such schema")


SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "minLength": 2},
        "count": {"type": "integer", "minimum": 1},
        "clock": {"enum": ["virtual", "wall"]},
        "at": {"type": "string", "pattern": "^[0-9]+s$", "description": "a time such as 90s"},
        "code": {"type": "string", "writeOnly": True},
        "limits": {"type": "object", "additionalProperties": False, "properties": {"a": {}}},
    },
}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "expected the key 'name' in the file; got none"),
        ({"name": 3}, "expected name to be text; got 3"),
        ({"name": ""}, "expected name to be text of at least 2 characters; got ''"),
        ({"name": "ab", "count": 0}, "expected count to be at least 1; got 0"),
        ({"name": "ab", "count": True}, "expected count to be a whole number; got true"),
        ({"name": "ab", "code": 12345}, "expected code to be text; got a secret"),
        ({"name": "ab", "at": "9"}, "expected at to be a time such as 90s; got '9'"),
        (
            {"name": "ab", "clock": "virtal"},
            "expected clock to be one of virtual, wall; got 'virtal'; did you mean 'virtual'?",
        ),
        (
            {"nmae": "ab"},
            "expected a key of the file (at, clock, code, count, limits, name); "
            "got 'nmae'; did you mean 'name'?",
        ),
        ({"name": "ab", "limits": {"q": 1}}, "expected a key of [limits] (a); got 'q'"),
    ],
)
def test_a_mistake_is_one_phrase(document: object, message: str) -> None:
    from jsonschema import Draft202012Validator

    assert [m.message for m in find_mistakes(document, Draft202012Validator(SCHEMA))] == [message]
