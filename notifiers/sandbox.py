"""Templates that cannot reach out, loop for ever or grow without bound.

Jinja2's sandbox keeps a template from Python's insides. What it does not bound is added here: steps (each turn of a
loop, each call of a macro or block), the size of any text that is put together, which filters and methods there are.
"""

from __future__ import annotations

from typing import Any, Final

from jinja2 import ChainableUndefined, Template, TemplateSyntaxError, nodes
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS
from jinja2.loaders import BaseLoader
from jinja2.runtime import markup_join, str_join
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

STEPS_MAX: Final = 10_000
TEXT_MAX: Final = 256 * 1024  # characters of one text
MADE_MAX: Final = 4 * TEXT_MAX  # characters that all parts put out together, those of macros and set blocks too
SOURCE_MAX: Final = 64 * 1024
NUMBER_MAX: Final = 10**18
RANGE_MAX: Final = 1_000
ALLOWED_FILTERS: Final = (
    "abs", "capitalize", "count", "d", "default", "dictsort", "e", "escape", "first", "float", "int", "items", "join",
    "last", "length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "round", "select", "selectattr",
    "sort", "string", "striptags", "title", "trim", "truncate", "unique", "upper", "urlencode", "wordcount",
)  # fmt: skip
_METHODS: Final = {
    str: frozenset({"upper", "lower", "title", "strip", "startswith", "endswith", "split"}),
    dict: frozenset({"get", "items", "keys", "values"}),
    list: frozenset({"index", "count"}),
    tuple: frozenset({"index", "count"}),
}


class TooMuch(SecurityError):  # noqa: N818 - Jinja2's way of saying no
    """A template takes too many steps or makes too much text."""


class Sandbox(ImmutableSandboxedEnvironment):
    """One environment for all templates; `render` bounds one rendering at a time."""

    intercepted_binops = frozenset({"+", "*", "%", "**"})

    def __init__(self, loader: BaseLoader) -> None:
        """Names that end in `.html` escape what they show."""
        super().__init__(
            loader=loader,
            autoescape=lambda name: name is not None and name.endswith(".html"),
            undefined=ChainableUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self.filters = {name: FILTERS[name] for name in ALLOWED_FILTERS}
        self.globals = {"range": _range, "namespace": self.globals["namespace"]}
        self._steps_count = 0
        self._made_count = 0

    def bounded(self, template: Template, context: dict[str, Any]) -> str:
        """Render; raises `jinja2.TemplateError` or what the template's own mistakes raise."""
        self._steps_count = self._made_count = 0
        parts: list[str] = []
        size = 0
        for part in template.generate(context):
            size += len(part)
            if size > TEXT_MAX:
                raise TooMuch(f"it makes more than {TEXT_MAX} characters")
            parts.append(part)
        return "".join(parts)

    # -- called from the compiled templates

    def step(self) -> str:
        """One turn of a loop, one call of a macro or block."""
        self._steps_count += 1
        if self._steps_count > STEPS_MAX:
            raise TooMuch(f"it takes more than {STEPS_MAX} steps")
        return ""

    def made(self, part: Any) -> Any:
        """What is put out, wherever it is collected: counted before it is."""
        self._made_count += len(part) if isinstance(part, str) else 1
        if self._made_count > MADE_MAX:
            raise TooMuch(f"it makes more than {MADE_MAX} characters in its parts")
        return part

    def filtered(self, value: Any) -> Any:
        """What a filter made, bounded."""
        return _bounded(value)

    def joined(self, *parts: Any) -> str:
        """`a ~ b`, bounded."""
        whole = markup_join(parts) if any(hasattr(part, "__html__") for part in parts) else str_join(parts)
        found: str = _bounded(whole)
        return found

    # -- what Jinja2 asks

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        if len(source) > SOURCE_MAX:
            raise TemplateSyntaxError(f"it is longer than {SOURCE_MAX} characters", 1, name, filename)
        parsed: nodes.Template = _Counted().visit(super()._parse(source, name, filename))
        return parsed

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic on numbers of a sensible size, and `+` on texts."""
        are_numbers = all(isinstance(each, int | float) and abs(each) <= NUMBER_MAX for each in (left, right))
        if operator == "**" or (operator != "+" and not are_numbers):
            raise TooMuch(f"{operator} is not for {type(left).__name__} and {type(right).__name__} here")
        return _bounded(super().call_binop(context, operator, left, right))

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Of texts, lists and mappings a few methods; of anything else what the sandbox lets through."""
        for kind, allowed in _METHODS.items():
            if isinstance(obj, kind):
                return attr in allowed
        return super().is_safe_attribute(obj, attr, value)


def _range(*bounds: int) -> range:
    found = range(*bounds)
    if len(found) > RANGE_MAX:
        raise TooMuch(f"range() has more than {RANGE_MAX} members")
    return found


def _bounded(value: Any) -> Any:
    if isinstance(value, str | list | tuple) and len(value) > TEXT_MAX:
        raise TooMuch(f"it makes a text of more than {TEXT_MAX} characters")
    return value


class _Counted(NodeTransformer):
    """Puts a step into whatever can be gone through again, and bounds `~`. A template cannot name what is called."""

    def _stepped(self, node: Any) -> Any:
        self.generic_visit(node)
        call = nodes.Call(nodes.EnvironmentAttribute("step"), [], [], None, None)
        node.body.insert(0, nodes.ExprStmt(call).set_lineno(node.lineno))
        return node

    visit_For = visit_Macro = visit_CallBlock = visit_Block = visit_Template = _stepped  # noqa: N815 - Jinja2's names

    def visit_Output(self, node: nodes.Output) -> nodes.Node | list[nodes.Node]:  # noqa: N802 - Jinja2's name
        """Text as it stands, and `{{ a }}`."""
        self.generic_visit(node)
        parts: list[nodes.Node] = []
        for part in node.nodes:
            if isinstance(part, nodes.TemplateData):
                parts += [nodes.ExprStmt(_call("made", nodes.Const(part.data))), nodes.Output([part])]
            else:
                parts.append(nodes.Output([_call("made", part)]))
        return [part.set_lineno(node.lineno) for part in parts]

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:  # noqa: N802 - Jinja2's name
        """`a | b`; that of a block has nothing before it, and what it makes is counted where it is put out."""
        self.generic_visit(node)
        first: nodes.Node | None = node
        while isinstance(first, nodes.Filter):
            first = first.node
        return node if first is None else _call("filtered", node).set_lineno(node.lineno)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - Jinja2's name
        """`a ~ b ~ c`."""
        self.generic_visit(node)
        call = nodes.Call(nodes.EnvironmentAttribute("joined"), list(node.nodes), [], None, None)
        return call.set_lineno(node.lineno)


def _call(name: str, value: nodes.Expr) -> nodes.Call:
    return nodes.Call(nodes.EnvironmentAttribute(name), [value], [], None, None)
