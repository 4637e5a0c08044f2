import pytest

from ingest.errors import UsageError
from ingest.settings import load, load_books, settings_from_json, settings_to_json, warnings, zone

BOOK = 'name = "own"\nversion = "1"\nmodels = []\n'
KEYS_THAT_NEED_TABLES = "[elasticsearch.index_prefix_by_service]\n"


@pytest.fixture
def written(tmp_path):
    (tmp_path / "book.toml").write_text(BOOK)
    (tmp_path / "list.toml").write_text(BOOK.replace("own", "list"))
    (tmp_path / "broken.toml").write_text("name = 1")

    def write(text):
        path = tmp_path / "ingest.toml"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[kafka]\nbootstrap = ['nohost']", "kafka.bootstrap: each must be host:port"),
        ("[kafka]\nbootstrap = ['h:0']", "kafka.bootstrap"),
        ("[kafka]\nbootstrap = ['h:65536']", "kafka.bootstrap"),
        ("[kafka]\nsecurity_protocol = 'SASL_SSL'", "needs kafka.username and kafka.password"),
        ("[kafka]\nusername = 'u'", "kafka.username: is not used with PLAINTEXT"),
        ("[kafka]\nca_file = 'x'", "kafka.ca_file: is not used with PLAINTEXT"),
        ("[kafka]\nsecurity_protocol = 'SSL'\nca_file = 'x'", "cannot be read"),
        ("[topics]\nraw = 'a b'", "topics.raw: a topic's name"),
        ("[topics]\nraw = '..'", "topics.raw"),
        ("[topics]\ndead = 'llm-requests-raw'", "topics.dead: is the same topic as topics.raw"),
        ("[topics]\nretention_raw = '0s'", "topics.retention_raw: must be more than 0"),
        ("[elasticsearch]\nurl = 'localhost:9200'", "elasticsearch.url"),
        ("[elasticsearch]\nurl = 'http://h:99999'", "elasticsearch.url"),
        ("[elasticsearch]\nurl = 'http://h/?a=b'", "elasticsearch.url"),
        ("[elasticsearch]\nurl = 'http://u:p@h'", "no user or password in the address"),
        ("[elasticsearch]\nurl = ['https://a', 'http://b']", "mixes http and https"),
        ("[elasticsearch]\nusername = 'u'", "elasticsearch.username: needs elasticsearch.password"),
        ("[elasticsearch]\npassword = 'p'", "elasticsearch.password: needs elasticsearch.username"),
        (
            "[elasticsearch]\nusername='u'\npassword='p'\napi_key = 'k'",
            "elasticsearch.api_key: is set beside",
        ),
        ("[elasticsearch]\nca_file = 'x'", "elasticsearch.ca_file: is not used"),
        ("[elasticsearch]\nindex_prefix = 'Upper'", "elasticsearch.index_prefix: 'Upper'"),
        ("[elasticsearch]\nindex_prefix = '_x'", "elasticsearch.index_prefix"),
        (f"[elasticsearch]\nindex_prefix = '{'x' * 245}'", "elasticsearch.index_prefix"),
        (KEYS_THAT_NEED_TABLES + "a = 'llm-requests-a'", "falls under the pattern llm-requests-*"),
        ("[elasticsearch]\nbulk_bytes = 0", "elasticsearch.bulk_bytes: must be more than 0"),
        ("[limits]\nmax_event_bytes = '2MiB'", "limits.max_event_bytes: at most 1 MiB"),
        ("[worker]\nsession_timeout = '5s'", "worker.session_timeout: must be from 6s to 30m"),
        ("[worker]\ngroup_prefix = ''", "worker.group_prefix: must not be empty"),
        ("[worker]\ninstance = 'a/b'", "worker.instance"),
        ("[metrics]\nlisten = 'nine'", "metrics.listen: must be host:port"),
        ("[gateway]\nhttp_listen = 'nine'", "gateway.http_listen: must be host:port"),
        ("[gateway]\nhttp_listen = '0.0.0.0:8080'", "set gateway.cert_file, or plaintext = true"),
        (
            "[gateway]\nhttp_listen = '0.0.0.0:8080'\nplaintext = true",
            "set gateway.keys_file or client_ca_file",
        ),
        ("[gateway]\ntcp_listen = 'nine'", "gateway.tcp_listen: must be host:port"),
        ("[gateway]\nbeats_listen = '0.0.0.0:5044'", "set gateway.cert_file, or plaintext = true"),
        (
            "[gateway]\ntcp_listen = '0.0.0.0:5055'\ncert_file = 'a'\nkey_file = 'b'\n"
            "keys_file = 'c'",
            "gateway.tcp_listen: 0.0.0.0:5055 is not this machine alone: set "
            "gateway.client_ca_file, or plaintext = true",
        ),
        ("[gateway]\ncert_file = 'a.pem'", "gateway.cert_file: it needs gateway.key_file"),
        ("[gateway]\nclient_ca_file = 'a.pem'", "without gateway.cert_file nobody is asked"),
        ("[gateway]\nbuffer_bytes = '1MiB'", "must be 4 times gateway.max_body_bytes"),
        ("[timestamps]\nnaive_zone = 'Mars'", "no time zone 'Mars'"),
        ("[timestamps]\nnaive_zone = '../etc/passwd'", "timestamps.naive_zone"),
        ("[latency]\nwarning_ms = 20000", "latency.warning_ms: must not exceed"),
        ("[[errors.rules]]\ncontains = []\ntype = 'x'", "errors.rules"),
        ("[[errors.rules]]\ncontains = ['']\ntype = 'x'", "errors.rules"),
        ("[privacy]\ndrop = ['a..b']", "privacy.drop"),
        ("[cost]\ndefault_book = 'lst'", "cost.default_book: no book has this name"),
        ("[cost.book_by_service]\na = 'lst'", "service 'a' names book 'lst'"),
        ("[cost]\nbooks = ['absent.toml']", "absent.toml cannot be read"),
        ("[cost]\nbooks = ['broken.toml']", "broken.toml: price book:"),
        ("[cost]\nbooks = ['list.toml']", "there is already a book 'list'"),
        ("[cost]\nbooks = ['book.toml', 'book.toml']", "there is already a book 'own'"),
    ],
)
def test_what_cannot_work_is_refused_with_its_place(written, text, words):
    path = written(text)
    with pytest.raises(UsageError) as error:
        load(path)
    assert words in str(error.value)
    assert str(error.value).startswith(f"file {path}: ")


@pytest.mark.parametrize(
    "text",
    [
        "[kafka]\nbootstrap = ['[::1]:9092', 'a.b-c_d:1']",
        "[elasticsearch]\nurl = ['https://h', 'https://[::1]:9200/path']",
        "[cost]\nbooks = ['book.toml']\ndefault_book = 'own'",
        KEYS_THAT_NEED_TABLES + "a = 'holysheep-logs'\nb = 'holysheep-logs'\nc = 'llm-requests'",
        "[timestamps]\nnaive_zone = 'Asia/Seoul'",
    ],
)
def test_what_works_is_taken(written, text):
    load(written(text))


def test_own_books_stand_beside_the_shipped_ones(written):
    settings = load(written("[cost]\nbooks = ['book.toml']"))
    assert set(load_books(settings)) == {"list", "tutorial", "own"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[elasticsearch]\nretention_days = 30", "exceeds elasticsearch.retention_days"),
        (
            "[elasticsearch]\nurl = 'http://far:9200'\nusername = 'u'\npassword = 'p'",
            "unencrypted",
        ),
        ("[elasticsearch]\nurl = 'http://far:9200'\napi_key = 'k'", "unencrypted"),
        (
            "[kafka]\nsecurity_protocol = 'SASL_PLAINTEXT'\nusername = 'u'\npassword = 'p'",
            "does not encrypt",
        ),
        (
            "[gateway]\nhttp_listen = '0.0.0.0:1'\nplaintext = true\nkeys_file = 'k'",
            "come unencrypted",
        ),
    ],
)
def test_what_may_be_regretted_is_a_warning(written, text, words):
    (warning,) = warnings(load(written(text)))
    assert words in warning


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[elasticsearch]\nurl = 'http://127.0.0.1:9200'\napi_key = 'k'",
        "[elasticsearch]\nurl = 'https://far:9200'\napi_key = 'k'",
    ],
)
def test_the_usual_warns_of_nothing(written, text):
    assert warnings(load(written(text))) == []


def test_zones_are_found_by_name():
    assert str(zone("UTC")) == "UTC"
    assert str(zone("Asia/Seoul")) == "Asia/Seoul"


def test_packed_settings_come_back_whole(written, tmp_path):
    (tmp_path / "secret").write_text("hunter2")
    path = written(
        """
        [kafka]
        security_protocol = "SASL_PLAINTEXT"
        username = "u"
        password = "hunter2"
        [elasticsearch]
        username = "u"
        password_file = "secret"
        bulk_bytes = "1MiB"
        [elasticsearch.index_prefix_by_service]
        a = "other"
        [worker]
        drain = "1500ms"
        [[errors.rules]]
        contains = ["a", "b"]
        type = "own"
        [cost]
        books = ["book.toml"]
        """
    )
    settings = load(path)
    copy = settings_from_json(settings_to_json(settings))
    assert copy == settings
    assert copy.kafka.password.reveal() == copy.elasticsearch.password.reveal() == "hunter2"
    assert type(copy.worker.drain_s) is type(settings.worker.drain_s)
    assert copy.errors.rules == settings.errors.rules


def test_the_packed_form_names_the_secrets_file_and_not_its_content(written, tmp_path):
    (tmp_path / "secret").write_text("hunter2")
    settings = load(written("[elasticsearch]\nusername = 'u'\npassword_file = 'secret'"))
    assert b"hunter2" not in settings_to_json(settings)
