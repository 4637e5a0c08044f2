from pathlib import Path

import pytest

from ingest.engines.java import find_java
from ingest.errors import EngineError

JDK = "java.base@21.0.1\\njdk.jlink@21.0.1"


@pytest.fixture
def java(tmp_path):
    """Make a Java that lists the given modules; its home."""

    def java(name, modules):
        program = tmp_path / name / "bin" / "java"
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\nprintf '{modules}\\n'\n")
        program.chmod(0o755)
        return tmp_path / name

    return java


def test_the_wish_comes_first(java, own_account):
    environ = {
        "INGEST_JAVA_HOME": str(java("wish", JDK)),
        "JAVA_HOME": str(java("home", JDK)),
        "PATH": str(java("path", JDK) / "bin"),
    }
    assert find_java(environ, own_account, []).name == "wish"
    del environ["INGEST_JAVA_HOME"]
    assert find_java(environ, own_account, []).name == "home"
    del environ["JAVA_HOME"]
    assert find_java(environ, own_account, []).name == "path"


def test_the_systems_folder_comes_last(java, own_account):
    home = java("jvm/jdk-21", JDK)
    assert find_java({}, own_account, [home.parent]) == home


def test_a_program_on_the_path_may_be_a_link(java, own_account, tmp_path):
    home = java("jdk", JDK)
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "java").symlink_to(home / "bin" / "java")
    assert find_java({"PATH": str(tmp_path / "links")}, own_account, []) == home


def test_an_unsuitable_one_is_passed_over(java, own_account):
    environ = {"JAVA_HOME": str(java("old", "java.base@11.0.2")), "PATH": ""}
    good = java("jvm/good", JDK)
    assert find_java(environ, own_account, [good.parent]) == good


@pytest.mark.parametrize(
    ("modules", "words"),
    [
        ("java.base@11.0.2\\njdk.jlink@11.0.2", "Java 11, older than 17"),
        ("java.base@21.0.1", "without module jdk.jlink"),
        ("java.base@21.0.1\\njdk.jlinker@21.0.1", "without module jdk.jlink"),
        ("nonsense", "older than Java 17"),
    ],
)
def test_a_wish_is_used_or_refused_with_the_reason(java, own_account, modules, words):
    environ = {"INGEST_JAVA_HOME": str(java("wish", modules)), "JAVA_HOME": str(java("ok", JDK))}
    with pytest.raises(EngineError, match="no suitable Java") as error:
        find_java(environ, own_account, [])
    assert words in str(error.value)
    assert "Install a JDK 17" in str(error.value)


def test_where_there_is_none_the_error_names_the_places(own_account):
    with pytest.raises(EngineError) as error:
        find_java({}, own_account, [Path("/nowhere")])
    assert "INGEST_JAVA_HOME, JAVA_HOME, PATH" in str(error.value)
    assert "apt-get install" in str(error.value)


def test_a_folder_without_java_is_said_to_be_so(tmp_path, own_account):
    with pytest.raises(EngineError, match="no bin/java"):
        find_java({"INGEST_JAVA_HOME": str(tmp_path)}, own_account, [])
