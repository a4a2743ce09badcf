"""The strict side of the pack's expressions: what may be written at all, before ZEN sees it.

ZEN is lenient (an unknown word is null, `a = b` assigns, `d()` reads the clock), so an expression is cut into tokens and
everything outside a short allow-list is refused. What is left is a pure, total-looking formula over named values:

    names        question ids, built-in names, facts                 club.number
    values       'text' "text" (no escapes) 12 1.5 true false ['a', 'b']
    comparisons  == != < <= > >= in, not in                          (order of numbers only)
    logic        and or not ( )
    functions    len trim lower upper contains startsWith endsWith matches
    over lists   some all none one count filter                      some(list, # == 'a')

`len` of a text counts bytes of its UTF-8, of a list its items.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

FUNCTIONS = frozenset({"len", "trim", "lower", "upper", "contains", "startsWith", "endsWith", "matches"})
OVER_LISTS = frozenset({"some", "all", "none", "one", "count", "filter"})
KEYWORDS = frozenset({"and", "or", "not", "in", "true", "false"})
OPERATORS = frozenset({"==", "!=", "<", "<=", ">", ">=", "(", ")", "[", "]", ",", "#"})
RESERVED = KEYWORDS | {"null"}
"""Words that no part of a name may be."""

TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'[^']*'|"[^"]*")
    | (?P<number>\d+(?:\.\d+)?(?![\w.]))
    | (?P<word>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
    | (?P<operator>==|!=|<=|>=|[<>()\[\],\#])
    )""",
    re.VERBOSE,
)
HINTS = {"=": "'=' would assign; write '=='", "!": "write 'not' or '!='", "?": "write 'and', 'or'", "&": "write 'and'"}


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of an expression: `kind` is text, number, word or operator."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What an expression says: the names it reads, the literals it compares with, and what is not allowed in it."""

    names: tuple[str, ...]
    texts: tuple[str, ...]
    numbers: tuple[int, ...]
    problems: tuple[str, ...]


def read(expression: str) -> Reading:
    """Cut and check an expression. `problems` is empty when all of it is allowed."""
    tokens, problems = _tokenise(expression)
    problems += _misplaced(tokens)
    names = dict.fromkeys(token.text for token, after in _pairs(tokens) if _is_name(token, after))
    return Reading(
        names=tuple(names),
        texts=tuple(token.text[1:-1] for token in tokens if token.kind == "text"),
        numbers=tuple(int(float(token.text)) for token in tokens if token.kind == "number"),
        problems=tuple(problems),
    )


def _tokenise(expression: str) -> tuple[list[Token], list[str]]:
    tokens: list[Token] = []
    position = 0
    expression = expression.rstrip()
    while position < len(expression):
        found = TOKEN.match(expression, position)
        if found is None or found.lastgroup is None:
            rest = expression[position:].lstrip()
            hint = HINTS.get(rest[0], "only names, texts, numbers, and, or, not, in and comparisons are")
            return tokens, [f"'{rest[:12]}' is not allowed here: {hint}"]
        tokens.append(Token(found.lastgroup, found.group(found.lastgroup)))
        position = found.end()
    return tokens, [] if tokens else ["the expression is empty"]


def _pairs(tokens: list[Token]) -> Iterator[tuple[Token, str]]:
    """Each token with the text of the one after it."""
    for index, token in enumerate(tokens):
        yield token, tokens[index + 1].text if index + 1 < len(tokens) else ""


def _is_name(token: Token, after: str) -> bool:
    return token.kind == "word" and token.text not in KEYWORDS and after != "("


def _misplaced(tokens: list[Token]) -> list[str]:
    problems: list[str] = []
    calls: list[str] = []
    before = Token("operator", "(")
    for token, after in _pairs(tokens):
        if token.kind == "word" and after == "(" and token.text not in FUNCTIONS | OVER_LISTS | KEYWORDS:
            problems.append(f"'{token.text}' is not a function of ours")
        elif _is_name(token, after) and RESERVED & set(token.text.split(".")):
            problems.append(f"'{token.text}' is not a name")
        elif token.text == "#" and token.kind == "operator" and not OVER_LISTS & set(calls):
            problems.append("'#' stands for an item and has no meaning outside some(…), all(…) and the like")
        elif token.text == "[" and (before.text in (")", "]") or _is_value(before)):
            problems.append("an item cannot be picked from a list by its position")
        if token.text == "(" and token.kind == "operator":
            calls.append(before.text if before.kind == "word" else "")
        elif token.text == ")" and token.kind == "operator" and calls:
            calls.pop()
        before = token
    return problems


def _is_value(token: Token) -> bool:
    return token.kind == "text" or (token.kind == "word" and token.text not in KEYWORDS)
