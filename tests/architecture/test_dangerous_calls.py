"""Ways in which data becomes code, or a connection is not checked: none of them is in the code."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    path
    for folder in ("ingest", "schemas", "compose", "scripts")
    for path in ROOT.glob(f"{folder}/**/*.py")
)
IMPORTS = {
    "pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "shelve",
    "marshal",
    "jsonpickle",
    "telnetlib",
}
CALLS = {"eval", "exec", "compile", "__import__", "execfile"}
ATTRIBUTES = {
    "CERT_NONE",
    "_create_unverified_context",
    "_create_stdlib_context",
    "system",
    "popen",
    "mktemp",
    "unsafe_load",
    "full_load",
}
NO_TEXTS = {"msgspec.json", "self"}  # their `format` is another one
FALSE_NEVER = {
    "verify_certs",
    "ssl_assert_hostname",
    "check_hostname",
    "verify",
    "ssl_check_hostname",
}


def findings(tree):
    """Say what is dangerous, and on which line."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (each.name for each in names if each.name.split(".")[0] in IMPORTS)
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in IMPORTS:
                yield module
            case ast.Call(func=ast.Name(id=name)) if name in CALLS:
                yield f"{name}()"
            case ast.Call(func=ast.Attribute(value=ast.Name(id="yaml"), attr="load" | "load_all")):
                yield "yaml.load()"
            case ast.Call(func=ast.Attribute(value=template, attr="format" | "format_map")):
                if not _is_constant(template):
                    yield "format() of what is no constant"
            case ast.Attribute(attr=name) if name in ATTRIBUTES:
                yield name
            case ast.keyword(arg="shell", value=ast.Constant(value=True)):
                yield "shell=True"
            case ast.keyword(arg=name, value=ast.Constant(value=False)) if name in FALSE_NEVER:
                yield f"{name}=False"


def _is_constant(template):
    """Tell whether a text is written in the code; by our naming a constant is in capitals."""
    if isinstance(template, ast.Constant) or ast.unparse(template) in NO_TEXTS:
        return True
    return isinstance(template, ast.Name) and template.id.isupper()


ALLOWED = {"ingest/core/specialise.py": ["exec()", "compile()"]}
"""It copies functions of this project, whose source is all that it ever compiles."""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_does_what_is_dangerous(path):
    allowed = ALLOWED.get(str(path.relative_to(ROOT)), [])
    assert list(findings(ast.parse(path.read_text("utf-8")))) == allowed


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from marshal import loads",
        "eval(text)",
        "yaml.load(text)",
        "template.format(name=1)",
        "context.verify_mode = ssl.CERT_NONE",
        "run(command, shell=True)",
        "connect(url, verify_certs=False)",
    ],
)
def test_what_is_dangerous_is_found(code):
    assert len(list(findings(ast.parse(code)))) == 1
