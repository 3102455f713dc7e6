"""Keeps a small model from writing brackets and quotes that no parser could close."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import lru_cache
from typing import NamedTuple

import torch
from transformers import LogitsProcessor

from indexer.languages.lexis import Token, block_end, tokens

__all__ = ["Brackets"]

_KNOWN = 16
"""Texts whose state is kept: as many as a batch or a beam search has rows."""
_SIGNS = frozenset("()[]{};\"'/*\\\n")
_CLOSED_BY = {"(": ")", "[": "]", "{": "}", "for(": ")"}


class Brackets(LogitsProcessor):
    """Forbids a token after which a Java method could not parse, as far as brackets tell.

    That is a bracket that closes another one than the last opened, a statement's end inside an
    argument list, a line's end inside a string, and an end of the text before its first block is
    closed. Such a completion would be thrown away; so the next likely token is taken instead.
    """

    def __init__(
        self,
        start: int,
        decode: Callable[[list[int]], str],
        ends: Collection[int],
        likeliest: int = 12,
    ) -> None:
        """
        Args:
            start: Tokens of the prompt.
            decode: Token ids to text.
            ends: Tokens that end a text.
            likeliest: Tokens of a row that are looked at; others are hardly ever chosen.
        """
        self._start = start
        self._decode = decode
        self._likeliest = likeliest
        self._ends = frozenset(ends)
        self._known: dict[str, _State] = {}
        self._piece = lru_cache(maxsize=None)(lambda token: decode([token]))

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Shapes: B completions, T tokens so far, V vocabulary.

        Args:
            input_ids: ``(B, T)``, int64, the prompt included.
            scores: ``(B, V)``, any float dtype.

        Returns:
            ``(B, V)``; minus infinity for what is forbidden among the likeliest tokens of a row,
            unless that is all of them.
        """
        likeliest = scores.topk(min(self._likeliest, scores.shape[1])).indices.tolist()
        rows: list[int] = []
        forbidden: list[int] = []
        written = input_ids[:, self._start :].tolist()
        for row, (ids, candidates) in enumerate(zip(written, likeliest, strict=True)):
            code = self._decode(ids)
            state, rest = self._read(code)
            bad = [
                token
                for token in candidates
                if (
                    block_end(code) is None
                    if token in self._ends
                    else not self._fits(state, rest, token)
                )
            ]
            if len(bad) < len(candidates):
                rows += [row] * len(bad)
                forbidden += bad
        if not rows:
            return scores
        scores = scores.clone()
        scores[rows, forbidden] = -torch.inf
        return scores

    def _read(self, code: str) -> tuple[_State, str]:
        """The state before the last lexical token, and that token.

        What was read of a text that this one goes on from is not read again.
        """
        known = next((text for text in reversed(self._known) if code.startswith(text)), "")
        row = list(tokens(code[len(known) :]))
        last = len(known) + (row[-1].start if row else 0)
        state = self._known.get(known, _State()).after(row[:-1]) or _State()
        self._known[code[:last]] = state
        if len(self._known) > _KNOWN:
            del self._known[next(iter(self._known))]
        return state, code[last:]

    def _fits(self, state: _State, rest: str, token: int) -> bool:
        piece = self._piece(token)
        return _SIGNS.isdisjoint(piece) or state.after(tokens(rest + piece)) is not None


class _State(NamedTuple):
    """How far a text has come, but for its last token, which the next piece may go on with."""

    open: tuple[str, ...] = ()
    """Brackets that are not closed; ``for(`` where semicolons may stand inside."""
    word: str = ""
    """The token before."""

    def after(self, row: Iterable[Token]) -> _State | None:
        """The state behind some tokens; None if they do not fit.

        Example:
            >>> _State().after(tokens("for (int i = 0; f(")).open, _State().after(tokens("f(;"))
            (('for(', '('), None)
        """
        stack, word = list(self.open), self.word
        for token in row:
            sign = token.text
            if sign in ("(", "[", "{"):
                stack.append("for(" if sign == "(" and word in ("for", "try") else sign)
            elif sign in (")", "]", "}"):
                if not stack or _CLOSED_BY[stack.pop()] != sign:
                    return None
            elif _cut_short(token) or (sign == ";" and stack and stack[-1] in ("(", "[")):
                return None
            word = sign
        return _State(tuple(stack), word)


def _cut_short(token: Token) -> bool:
    """Whether a line ended before the string or the character that a quote began."""
    return token.kind == "sign" and token.text in ('"', "'")
