"""Expressions of Python code rewritten by what is known of the variables in them."""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

import msgspec

N = TypeVar("N", bound=ast.AST)

_CONSTANTS = bool | int | float | str | bytes | None
_COMPARED: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.Gt: operator.gt,
}


class At(msgspec.Struct, frozen=True):
    """Says that a value is not known, but where it is found: at attributes, one in another."""

    path: tuple[str, ...]


class Constant(msgspec.Struct, frozen=True):
    """A known value that can stand in code; `kind` tells True from 1."""

    value: Any
    kind: type


class Global(msgspec.Struct, frozen=True):
    """Says that a known value is an object, to be found under a name of its own."""

    name: str


Stand: TypeAlias = At | Constant | Global
"""What is to stand where code reads an attribute of which something is known."""

Layout: TypeAlias = tuple[tuple[str, tuple[tuple[str, Stand], ...]], ...]
"""By the names of variables and of their attributes: what is to stand for these."""


def layout_of(known: Mapping[str, Mapping[str, object]]) -> Layout:
    """Say what is to stand for attributes that have such values, or are found at such places."""
    return tuple(
        (
            variable,
            tuple(
                (name, _stand(f"{variable}_{name}", found)) for name, found in attributes.items()
            ),
        )
        for variable, attributes in known.items()
    )


def _stand(name: str, found: object) -> Stand:
    if isinstance(found, At):
        return found
    return Constant(found, type(found)) if isinstance(found, _CONSTANTS) else Global(name)


class Folder(ast.NodeTransformer):
    """Rewrites expressions in place; `constants` are variables that have one value."""

    def __init__(self, layout: Layout) -> None:
        self.stands = {variable: dict(attributes) for variable, attributes in layout}
        self.constants: dict[str, ast.Constant] = {}

    def knows(self, variable: str) -> bool:
        """Tell whether there is nothing left to ask a variable for."""
        stands = self.stands.get(variable)
        return stands is not None and not any(isinstance(each, At) for each in stands.values())

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Put a constant for a variable that is one; raises ValueError for what is gone."""
        if self.knows(node.id):
            raise ValueError(f"nothing is left of {node.id} but its attributes")
        found = self.constants.get(node.id) if isinstance(node.ctx, ast.Load) else None
        return found or node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Put what is known of an attribute."""
        if not isinstance(node.value, ast.Name) or node.value.id not in self.stands:
            return self.generic_visit(node)
        match self.stands[node.value.id][node.attr]:
            case Constant(value):
                return like(node, ast.Constant(value))
            case Global(name):
                return like(node, ast.Name(name, ast.Load()))
            case At(path):
                inner: ast.expr = node.value
                for attribute in path:
                    inner = like(node, ast.Attribute(inner, attribute, ast.Load()))
                return inner

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        """Refuse: its parameters are not told from other variables."""
        raise ValueError(f"a lambda is not copied (line {node.lineno})")

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """Compare constants."""
        self.generic_visit(node)
        match node:
            case ast.Compare(ast.Constant(one), [how], [ast.Constant(other)]):
                compare = _COMPARED.get(type(how))
                if compare and (type(one) is type(other) or compare is not operator.gt):
                    return like(node, ast.Constant(compare(one, other)))
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        """Negate a constant."""
        self.generic_visit(node)
        if isinstance(node.op, ast.Not) and isinstance(node.operand, ast.Constant):
            return like(node, ast.Constant(not node.operand.value))
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        """Leave out constants that do not decide, and what follows one that does."""
        self.generic_visit(node)
        decisive = isinstance(node.op, ast.Or)
        *first, last = node.values
        kept: list[ast.expr] = []
        for value in first:
            if not isinstance(value, ast.Constant):
                kept.append(value)
            elif bool(value.value) is decisive:
                last = value
                break
        return like(node, ast.BoolOp(node.op, [*kept, last])) if kept else last

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        """Take the branch that a constant chooses."""
        self.generic_visit(node)
        if isinstance(node.test, ast.Constant):
            return node.body if node.test.value else node.orelse
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        """Join texts that are known."""
        self.generic_visit(node)
        parts: list[ast.expr] = []
        for part in node.values:
            text = _text_of(part)
            before = _text_of(parts[-1]) if parts else None
            if text is not None and before is not None:
                parts[-1] = like(part, ast.Constant(before + text))
            elif text != "":
                parts.append(part if text is None else like(part, ast.Constant(text)))
        return like(node, ast.JoinedStr(parts))


def _text_of(part: ast.expr) -> str | None:
    match part:
        case ast.Constant(str(text)) | ast.FormattedValue(ast.Constant(str(text)), -1, None):
            return text
    return None


def like(node: ast.AST, made: N) -> N:
    """Give a node the place of another in the source."""
    return ast.copy_location(made, node)
