import pytest

from ingest.errors import UsageError
from ingest.settings import Milliseconds, Secret, catalog, load

TOML = """
[kafka]
bootstrap = ["a:9092", "b:9092"]

[worker]
drain = "2m"
in_flight = 3

[cost.book_by_service]
api = "list"
"""


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """Each test has a working folder without a configuration file."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def file(empty_folder):
    def write(text, name="own.toml"):
        path = empty_folder / name
        path.write_text(text)
        return path

    return write


def refusal(*args, **kwargs) -> str:
    with pytest.raises(UsageError) as error:
        load(*args, **kwargs)
    text = str(error.value)
    assert len(text.splitlines()) == 1
    return text


def test_without_anything_there_are_the_defaults():
    settings = load()
    assert settings.kafka.bootstrap == ("127.0.0.1:9092",)
    assert settings.worker.drain_s == 10
    assert set(settings.sources.values()) == {"default"}
    assert set(settings.sources) == {setting.name for setting in catalog()}


def test_a_file_goes_over_the_defaults(file):
    path = file(TOML)
    settings = load(path)
    assert settings.kafka.bootstrap == ("a:9092", "b:9092")
    assert (settings.worker.drain_s, settings.worker.in_flight) == (120, 3)
    assert settings.cost.book_by_service == {"api": "list"}
    assert settings.sources["worker.drain"] == f"file {path}"
    assert settings.sources["worker.instance"] == "default"


def test_the_environment_goes_over_the_file_and_flags_over_both(file):
    settings = load(
        file(TOML),
        {"INGEST_WORKER_DRAIN": "3m", "INGEST_WORKER_IN_FLIGHT": "4", "HOME": "/"},
        {"worker.in_flight": 5, "worker.drain": None},
    )
    assert (settings.worker.drain_s, settings.worker.in_flight) == (180, 5)
    assert settings.sources["worker.drain"] == "INGEST_WORKER_DRAIN"
    assert settings.sources["worker.in_flight"] == "flag"


def test_the_file_is_the_flags_then_the_variables_then_the_folders(file):
    file("[worker]\nin_flight = 1", "ingest.toml")
    variable = file("[worker]\nin_flight = 2", "variable.toml")
    flag = file("[worker]\nin_flight = 3", "flag.toml")
    environ = {"INGEST_CONFIG": str(variable)}
    assert load(flag, environ).worker.in_flight == 3
    assert load(None, environ).worker.in_flight == 2
    assert load(None, {"INGEST_CONFIG": ""}).worker.in_flight == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[kafak]\n", ["unknown section [kafak]", "did you mean kafka?"]),
        ("[kafka]\nbootstap = []", ["kafka.bootstap", "did you mean bootstrap?"]),
        ("[kafka]\nqqq = 1", ["kafka.qqq is not a setting", "there are bootstrap,"]),
        ("kafka = 1", ["kafka must be a section", "[kafka]"]),
        ("[kafka", ["not valid TOML"]),
        ("[worker]\nin_flight = 0", ["worker.in_flight must be a whole number from 1 to 1000"]),
        ("[worker]\nin_flight = '3'", ["worker.in_flight must be a whole number"]),
        ("[worker]\nin_flight = true", ["worker.in_flight must be a whole number"]),
        ("[worker]\nin_flight = 2.5", ["worker.in_flight must be a whole number"]),
        ("[worker]\ndrain = 10", ["worker.drain must be a time with a unit"]),
        ("[worker]\ndrain = '10 parsecs'", ["worker.drain must be a time with a unit"]),
        ("[elasticsearch]\nbulk_bytes = '5MB'", ["bulk_bytes must be a size"]),
        ("[kafka]\nsecurity_protocol = 'TLS'", ["must be one of PLAINTEXT, SSL"]),
        ("[kafka]\nbootstrap = []", ["kafka.bootstrap must be a text or a list of texts"]),
        ("[kafka]\npassword = ''", ["kafka.password must be a text"]),
        ("[tags]\nmodel = 'yes'", ["tags.model must be true or false"]),
        ("[[errors.rules]]\ncontains = ['x']", ["errors.rules must be", "`type`"]),
        ("[[errors.rules]]\ncontains = ['x']\ntype = 'a'\ncolour = 'b'", ["colour"]),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_place(file, text, words):
    path = file(text)
    told = refusal(path)
    assert str(path) in told
    for word in words:
        assert word in told


def test_files_that_cannot_be_read_are_named(empty_folder, file):
    assert "check-config --example" in refusal(empty_folder / "absent.toml")
    assert "cannot be read" in refusal(empty_folder)
    path = file("")
    path.write_bytes(b"\xff")
    assert "not UTF-8" in refusal(path)


@pytest.mark.parametrize(
    ("variable", "text", "words"),
    [
        ("INGEST_KAFKA_BOOTSTAP", "a:1", "did you mean INGEST_KAFKA_BOOTSTRAP?"),
        ("INGEST_WORKER_IN_FLIGHT", "many", "must be a whole number from 1 to 1000"),
        ("INGEST_TAGS_MODEL", "maybe", "must be true or false"),
        ("INGEST_COST_BOOK_BY_SERVICE", "a=b", "can only be set in a file"),
        ("INGEST_WORKER_DRAIN", "10", "must be a time with a unit"),
    ],
)
def test_a_mistake_in_the_environment_is_named(variable, text, words):
    told = refusal(None, {variable: text})
    assert variable in told
    assert words in told


def test_variables_are_read_as_what_they_stand_for():
    settings = load(
        None,
        {
            "INGEST_KAFKA_BOOTSTRAP": " a:1 ,b:2, ",
            "INGEST_WORKER_IN_FLIGHT": "7",
            "INGEST_TAGS_MODEL": "false",
            "INGEST_COST_HIGH_USD": "0.5",
            "INGEST_ELASTICSEARCH_BULK_BYTES": "1MiB",
            "INGEST_TIMESTAMPS_MAX_FUTURE": "2h",
            "INGEST_WORKER_INSTANCE": "",
        },
    )
    assert settings.kafka.bootstrap == ("a:1", "b:2")
    assert (settings.worker.in_flight, settings.tags.model) == (7, False)
    assert settings.cost.high_usd == 0.5
    assert settings.elasticsearch.bulk_bytes == 1024**2
    assert settings.timestamps.max_future_ms == Milliseconds(7_200_000)
    assert settings.sources["worker.instance"] == "default"


def test_variables_of_other_parts_are_no_settings():
    load(None, {"INGEST_JAVA_HOME": "/x", "INGEST_ENGINE_CACHE": "/y", "INGESTION": "z"})


def test_a_list_may_be_one_text_in_a_file_too(file):
    assert load(file("[privacy]\ndrop = 'a, b.c'")).privacy.drop == ("a", "b.c")


def test_a_mistake_in_a_flag_is_named():
    assert "flag for worker.in_flight" in refusal(None, None, {"worker.in_flight": 0})


def test_paths_in_a_file_are_relative_to_it(empty_folder):
    folder = empty_folder / "etc"
    folder.mkdir()
    (folder / "own.toml").write_text("[cost]\nbooks = ['b.toml']")
    (folder / "b.toml").write_text('name = "own"\nversion = "1"\nmodels = []\n')
    assert load(folder / "own.toml").cost.books == (str(folder / "b.toml"),)


LOGIN = "[elasticsearch]\nusername = 'u'\n"


def test_a_secret_may_stand_in_a_file_that_is_read_each_time(file):
    secret = file("hunter2\n", "secret")
    settings = load(file(LOGIN + "password_file = 'secret'"))
    password = settings.elasticsearch.password
    assert password.reveal() == "hunter2"
    secret.write_text("rotated")
    assert password.reveal() == "rotated"


def test_a_variable_may_name_a_secrets_file(file):
    environ = {
        "INGEST_ELASTICSEARCH_USERNAME": "u",
        "INGEST_ELASTICSEARCH_PASSWORD_FILE": str(file("hunter2", "secret")),
    }
    assert load(None, environ).elasticsearch.password.reveal() == "hunter2"


def test_a_secret_given_twice_is_refused(file):
    path = file(LOGIN + "password = 'hunter2'\npassword_file = 'x'")
    assert "both set" in refusal(path)
    variable = "INGEST_ELASTICSEARCH_PASSWORD"
    assert "both set" in refusal(None, {variable: "hunter2", f"{variable}_FILE": "x"})


@pytest.mark.parametrize("content", [None, "", " \n"])
def test_a_secrets_file_without_a_secret_is_refused(file, content):
    if content is not None:
        file(content, "secret")
    told = refusal(file(LOGIN + "password_file = 'secret'"))
    assert "elasticsearch.password" in told
    assert "secret" in told


def test_the_environments_secret_goes_over_the_files(file):
    path = file(LOGIN + "password = 'file'")
    settings = load(path, {"INGEST_ELASTICSEARCH_PASSWORD": "environment"})
    assert settings.elasticsearch.password == Secret("environment")


@pytest.mark.parametrize(
    "text",
    [
        LOGIN + "password = ['hunter2']",
        "[elasticsearch]\npassword = 'hunter2'",
        "[elasticsearch]\nurl = 'http://u:hunter2@h:1'",
        LOGIN + "password = 'hunter2'\napi_key = 'hunter2'",
        "[kafka]\npassword = 'hunter2'",
    ],
)
def test_no_message_shows_a_secret(file, text):
    assert "hunter2" not in refusal(file(text))


def test_settings_show_secrets_as_stars(file):
    settings = load(file(LOGIN + "password = 'hunter2'"))
    assert "hunter2" not in repr(settings)
    assert "***" in repr(settings)
