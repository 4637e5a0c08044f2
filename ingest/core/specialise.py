"""Functions made anew for what is known beforehand: a partial evaluator for straight Python code.

A function that handles many layouts asks of each event what its layout alone decides. Here it is
copied for one layout: what is known stands in the copy as a constant, branches that cannot be taken
are gone, and the small functions it calls stand in line. The original stays an ordinary function,
read by type checkers, linters and people, and gives the same results, only later.

A copy is made of this project's own source, and of constants and attribute names that it has given
itself. Nothing that an event holds gets into it.
"""

import ast
import inspect
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from itertools import chain
from textwrap import dedent
from types import CodeType
from typing import Any, TypeAlias, TypeVar

import msgspec

from ingest.core.folding import Folder, Global, Layout, layout_of, like

F = TypeVar("F", bound=Callable[..., Any])

_SOURCE = "source_to_copy"
_MARK = "stands_in_line"

Block: TypeAlias = list[ast.stmt]


def to_copy(function: F) -> F:
    """Mark a function that is going to be copied.

    Its source is read now: an upgrade may put another one into its file while this process runs.
    """
    lines, first = inspect.getsourcelines(function)
    setattr(function, _SOURCE, "\n" * (first - 1) + dedent("".join(lines)))
    return function


def in_line(function: F) -> F:
    """Mark a function that stands in line where a copied one says `name = function(...)`.

    It takes positional parameters, assigns to none of them, and returns at the ends of its
    branches, not out of loops.
    """
    setattr(function, _MARK, True)
    return to_copy(function)


def specialised(
    function: Callable[..., Any], known: Mapping[str, Mapping[str, object]]
) -> Callable[..., Any]:
    """Copy a function for what is known: by names of variables and attributes, values or places.

    Parameters of which everything is known are gone.
    """
    layout = layout_of(known)
    code, names = _copied(function, layout)
    objects = {
        stand.name: known[variable][attribute]
        for variable, attributes in layout
        for attribute, stand in attributes
        if isinstance(stand, Global)
    }
    meanings = names | objects
    exec(code, meanings)  # noqa: S102 - see above
    return meanings[function.__name__]  # type: ignore[no-any-return]  # what was just defined


@lru_cache(maxsize=256)
def _copied(function: Callable[..., Any], layout: Layout) -> tuple[CodeType, dict[str, Any]]:
    """Return the code that defines the copy, and what the names in it mean."""
    tree = _definition(function)
    file = inspect.getfile(function)
    copier = _Copier(layout, file)
    tree.body = copier.copied(tree.body, function)
    tree.args.args = [each for each in tree.args.args if not copier.knows(each.arg)]
    return compile(ast.Module([tree], []), file, "exec"), copier.names


def _definition(function: Callable[..., Any]) -> ast.FunctionDef:
    """Parse a function's source, without what only people and checkers read."""
    tree = ast.parse(getattr(function, _SOURCE)).body[0]
    if not isinstance(tree, ast.FunctionDef):
        raise TypeError(f"{function} is not a plain function")
    tree.decorator_list.clear()
    tree.returns = None
    for argument in tree.args.args:
        argument.annotation = None
    if ast.get_docstring(tree) is not None:
        del tree.body[0]
    return tree


class _Variables(msgspec.Struct, frozen=True):
    """The names in a function's body: its own, those of them that it assigns once, and others."""

    own: frozenset[str]
    once: frozenset[str]
    others: frozenset[str]


@lru_cache(maxsize=64)
def _variables(function: Callable[..., Any]) -> _Variables:
    names = [node for node in ast.walk(_definition(function)) if isinstance(node, ast.Name)]
    assigned = Counter(node.id for node in names if isinstance(node.ctx, ast.Store))
    return _Variables(
        frozenset(assigned),
        frozenset(name for name, times in assigned.items() if times == 1),
        frozenset(node.id for node in names) - assigned.keys(),
    )


class _Copier(Folder):
    """Rewrites statements by what is known; `names` gathers what the globals in them mean."""

    def __init__(self, layout: Layout, file: str) -> None:
        super().__init__(layout)
        self.names: dict[str, Any] = {}
        self._file = file
        self._once: set[str] = set()
        self._calls = 0

    def copied(self, body: Block, function: Any, call: int = 0) -> Block:
        """Rewrite the body of a function as one that the copy calls; its globals are the copy's."""
        variables = _variables(function)
        self._once |= {_renamed(name, call) for name in variables.once}
        for name in variables.others & function.__globals__.keys():
            meaning = function.__globals__[name]
            if self.names.setdefault(name, meaning) is not meaning:
                raise ValueError(f"{name} means two things in functions that stand in line")
        return self.block(body)

    def block(self, statements: Block) -> Block:
        """Rewrite statements in their order, up to one behind which nothing can follow."""
        made: Block = []
        for statement in statements:
            made += self._statement(statement)
            if _ends(made):
                break
        return made

    def _statement(self, statement: ast.stmt) -> Block:
        match statement:
            case ast.Assign([target], ast.Call(ast.Name(name)) as call) if self._in_line(name):
                return self._called(target, self.names[name], call)
            case ast.Return(ast.Call(ast.Name(name)) as call) if self._in_line(name):
                return self._body_of(self.names[name], call)
            case ast.Assign([target], value):
                return self._assign(target, self.visit(value))
            case ast.If(test, body, orelse):
                test = self.visit(test)
                if isinstance(test, ast.Constant):
                    return self.block(body if test.value else orelse)
                body = self.block(body) or [like(statement, ast.Pass())]
                return [like(statement, ast.If(test, body, self.block(orelse)))]
            case ast.For(orelse=[]):
                statement.iter = self.visit(statement.iter)
                statement.body = self.block(statement.body)
                return [statement]
            case ast.Try(finalbody=[]):
                for handler in statement.handlers:
                    handler.body = self.block(handler.body)
                statement.body = self.block(statement.body)
                statement.orelse = self.block(statement.orelse)
                return [statement]
            case ast.Return() | ast.Raise() | ast.Expr() | ast.AugAssign() | ast.Break():
                return [self.visit(statement)]
        raise ValueError(f"{type(statement).__name__} is not copied")

    def _assign(self, target: ast.expr, value: ast.expr) -> Block:
        match target, value:
            case ast.Name(name), ast.Constant() if name in self._once:
                self.constants[name] = value
                return []
            case ast.Tuple(targets), ast.Tuple(values) if not _names(target) & _names(value):
                pairs = zip(targets, values, strict=True)
                return [made for pair in pairs for made in self._assign(*pair)]
        return [like(value, ast.Assign([target], value))]

    def _is_asked(self, argument: ast.expr) -> bool:
        """Tell whether it is passed on whole, to be asked for what is known of it."""
        return isinstance(argument, ast.Name) and argument.id in self.stands

    def _in_line(self, name: str) -> bool:
        return hasattr(self.names.get(name), _MARK)

    def _called(self, target: ast.expr, function: Any, call: ast.Call) -> Block:
        """Put a function's body where it is called, and assign what it returns."""
        body = self._body_of(function, call)
        if not isinstance(body[-1], ast.Return) or any(map(_returns, body[:-1])):
            self._once -= _names(target)  # several branches assign it
        return self._delivered(body, target)

    def _body_of(self, function: Any, call: ast.Call) -> Block:
        """Return the body of what is called, its variables under names of their own."""
        self._calls += 1
        number = self._calls
        tree = _definition(function)
        given: dict[str, ast.expr] = {}
        before: Block = []
        if call.keywords:
            raise ValueError("a function that stands in line takes no keyword")
        for parameter, passed in zip(tree.args.args, call.args, strict=True):
            argument = passed if self._is_asked(passed) else self.visit(passed)
            given[parameter.arg] = argument
            if not isinstance(argument, ast.Name | ast.Constant):
                name = _renamed(parameter.arg, number)
                target = like(argument, ast.Name(name, ast.Store()))
                before.append(like(argument, ast.Assign([target], argument)))
                given[parameter.arg] = like(argument, ast.Name(name, ast.Load()))
        renamer = _Renamer(given, _variables(function).own, number)
        body = [renamer.visit(statement) for statement in tree.body]
        if inspect.getfile(function) != self._file:
            for node in chain.from_iterable(map(ast.walk, body)):
                like(call, node)  # a traceback shows lines of one file only
        return before + self.copied(body, function, number)

    def _delivered(self, body: Block, target: ast.expr) -> Block:
        """Assign what a body returns; what follows a branch that returns becomes its other."""
        made: Block = []
        for position, statement in enumerate(body):
            match statement:
                case ast.Return(ast.expr() as value):
                    return made + self._assign(target, value)
                case ast.If(test, inner, orelse) if _returns(statement):
                    rest = body[position + 1 :]
                    inner = self._delivered(inner if _ends(inner) else inner + rest, target)
                    orelse = self._delivered(orelse if _ends(orelse) else orelse + rest, target)
                    return [*made, like(statement, ast.If(test, inner, orelse))]
            if _returns(statement):
                raise ValueError("a function that stands in line returns out of a loop")
            made.append(statement)
        if not _ends(made):
            raise ValueError("a function that stands in line has to return")
        return made


class _Renamer(ast.NodeTransformer):
    """Gives a body its arguments, and its own variables names that only this call has."""

    def __init__(self, given: Mapping[str, ast.expr], own: Collection[str], call: int) -> None:
        self._given = given
        self._own = own
        self._call = call

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Rename one."""
        if node.id in self._given:
            return self._given[node.id]
        if node.id in self._own:
            return like(node, ast.Name(_renamed(node.id, self._call), node.ctx))
        return node


def _renamed(name: str, call: int) -> str:
    return f"{name}_{call}" if call else name


def _names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _returns(statement: ast.AST) -> bool:
    """Tell whether a statement, or one in it, returns."""
    if isinstance(statement, ast.Return):
        return True
    return any(map(_returns, filter(_holds_statements, ast.iter_child_nodes(statement))))


def _holds_statements(node: ast.AST) -> bool:
    return isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case)


def _ends(body: Block) -> bool:
    """Tell whether nothing can follow."""
    match body[-1:]:
        case [ast.Return() | ast.Raise()]:
            return True
        case [ast.If(_, inner, orelse)]:
            return _ends(inner) and _ends(orelse)
    return False
