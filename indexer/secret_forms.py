"""Secrets in source code: detect-secrets finds them, and forms of tokens that it does not know.

The scanner takes ten times as long as all other screening of a file, so it is shown only lines in
which something of a form stands that it may know. Each form begins with a fixed text, which ``re``
looks for about ten times as fast as for a choice, and looks no further from there than is bounded,
or never again at what it has passed.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from detect_secrets.plugins.base import BasePlugin

__all__ = ["secret_in"]


def secret_in(source: bytes) -> str | None:
    """Kind of a secret in a text; None where there is none.

    Only what has the form of a token counts: guesses by randomness or by names would leave out
    every test that sets ``password = "secret"``. A private key counts with its key behind it, not
    by its first line alone. A made-up token may stay where its line ends in
    ``// pragma: allowlist secret``, as scanners of repositories have it.

    Example:
        >>> secret_in(b'String token = "npm_' + b"a1B2" * 9 + b'";')
        'NPM tokens'
    """
    for form in _FORMS:
        shown = 0
        for found in form.regex.finditer(source):
            if found.start() < shown or (form.regex.groups and not found.lastindex):
                continue
            line, shown = _line_around(source, found)
            kind = _scanned(line) if form.kind is None else form.kind
            if kind and not _ALLOWED.search(line):
                return kind
    return None


_AROUND = 10_000
"""Bytes of an endless line that are shown before and behind a place: a search may be quadratic."""


def _line_around(source: bytes, found: re.Match[bytes]) -> tuple[str, int]:
    """The line, or lines, with what was found, and where they end."""
    start = source.rfind(b"\n", max(0, found.start() - _AROUND), found.start()) + 1
    start = start or max(0, found.start() - _AROUND)
    end = source.find(b"\n", found.end(), found.end() + _AROUND)
    end = end if end >= 0 else min(len(source), found.end() + _AROUND)
    return source[start:end].decode("utf-8", "replace"), end


_ALLOWED = re.compile(r"\bpragma: ?allowlist[ -]secret\b")


class _Form(NamedTuple):
    """What a kind of secrets looks like."""

    regex: re.Pattern[bytes]
    """Where it has a group, what has nothing there is none, and only passed over."""
    kind: str | None = None
    """None where detect-secrets knows it, and has the last word."""


def _known(*regexes: bytes) -> list[_Form]:
    return [_Form(re.compile(regex)) for regex in regexes]


def _further(kind: str, *regexes: bytes) -> list[_Form]:
    return [_Form(re.compile(regex), kind) for regex in regexes]


_AWS_SECRET = rb"%b.{0,20}?(?i:key|pwd|pw|password|pass|token).{0,20}?[\"'][0-9a-zA-Z/+]{40}[\"']"
_BEHIND_AN_ID = b"|".join(rb"(?<=[MNO][\w-]{%d}\.[\w-]{6}\.)" % size for size in (23, 24, 25))
_KEY = (
    rb"(?s:(?!----).){0,400}?(?<![\w+/])(?=[A-Za-z+/]{0,31}\d)[A-Za-z0-9+/]{32,}+(?=[-=\\\"'\r\n])"
)
_PLAIN = rb"[\w.!*+~^-]"
_PASSWORD = (
    rb"(?=%b{0,99}[a-z])(?=%b{0,99}[A-Z])(?=%b{0,99}\d)(?!%b{0,99}(?i:passw(?:or)?d|pwd|secret|hello"
    rb"|admin|user|test|example|sample|dummy|change|encrypted|xxx|abc|123))%b{10,100}+"
) % (_PLAIN, _PLAIN, _PLAIN, _PLAIN, _PLAIN)
"""One that nobody makes up for a test: with letters of both kinds and digits, and no such word."""
_FORMS = (
    *_known(
        rb"A(?:3T[A-Z0-9]|BIA|CCA|KIA|SIA)[0-9A-Z]{16}",  # AWS
        *(_AWS_SECRET % name for name in (b"aws", b"AWS", b"Aws")),
        rb"AccountKey=[a-zA-Z0-9+/=]{88}",  # Azure
        rb"\.[\w-]{6}\.(?:%b)[\w-]{27}" % _BEHIND_AN_ID,  # Discord
        rb"gh[opsur]_\w{36}",  # GitHub
        rb"gl(?:agent|cbt|dt|ft|imt|oas|pat|ptt|rt|soat)-[\w-]{20}",  # GitLab
        rb"GR1348941[\w-]{20}",
        rb"eyJ[\w=-]*+(\.[\w=-]+)?",  # JSON Web Token
        rb"-us(?<=[0-9a-z]{32}-us)\d",  # Mailchimp
        rb":_authToken=\s*(?:npm_.|[A-Fa-f0-9-]{36})",
        rb"T3BlbkFJ(?<=[A-Za-z0-9]{20}T3BlbkFJ)[A-Za-z0-9]{20}",  # OpenAI
        rb"pypi-Ag[\w-]{70}",
        rb"SG\.[\w-]{22}\.[\w-]{43}",  # SendGrid
        rb"xox[a-z]-\d+-[A-Za-z0-9]",  # Slack
        rb"hooks\.slack\.com/services/T\w+/B\w+/\w",
        rb"k_(?:live|test)_(?<=[rs]k_...._)[0-9a-zA-Z]{24}",  # Stripe
        rb"AC[a-z0-9]{32}",  # Twilio
        rb"SK[a-z0-9]{32}",
    ),
    *_further("Anthropic API Key", rb"sk-ant-[\w-]{20}"),
    *_further("Atlassian Token", rb"ATATT3[\w=-]{50}"),
    *_further(
        "Basic Auth Credentials",
        rb"://[^\s/:@\"'<>]{0,100}+:%b@(?!localhost\b|127\.)" % _PASSWORD,
        rb"jdbc:(?>[^\s\"']{0,200}?[?&;](?i:password|pwd)=)%b" % _PASSWORD,
    ),
    *_further("Databricks Token", rb"dapi[0-9a-f]{32}"),
    *_further("DigitalOcean Token", rb"_v1_(?<=\bdo[opr]_v1_)[0-9a-f]{64}"),
    *_further("Docker Token", rb"dckr_(?:p|o)at_[\w-]{27}"),
    *_further("GitHub Token", rb"github_pat_\w{36}"),
    *_further("Google API Key", rb"AIza[\w-]{35}"),
    *_further("Google OAuth Secret", rb"GOCSPX-[\w-]{20}"),
    *_further("Hugging Face Token", rb"hf_[A-Za-z0-9]{30}"),
    *_further("NPM tokens", rb"npm_[A-Za-z0-9]{36}"),
    *_further("OpenAI Token", rb"sk-(?:proj|svcacct|admin)-[\w-]{40}"),
    *_further(
        "Private Key",
        rb"BEGIN [A-Z0-9 ]{0,20}PRIVATE KEY[A-Z ]{0,7}-{4,5}" + _KEY,
        rb"PuTTY-User-Key-File-\d: \w",
    ),
    *_further("Shopify Token", rb"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    *_further("Slack Token", rb"xapp-\d-\w+-\d+-\w"),
    *_further("Square OAuth Secret", rb"sq0[a-z]{3}-[\w\\-]{22}"),
    *_further("Stripe Access Key", rb"k_test_(?<=[rs]k_test_)[0-9a-zA-Z]{24}"),
    *_further("Telegram Bot Token", rb":AA(?<=\d{8}:AA)[\w-]{33}\b"),
    *_further("Vault Token", rb"hvs\.[\w-]{24,}+(?!\()"),
)


def _scanned(line: str) -> str | None:
    """Kind of the first secret that detect-secrets finds in a line."""
    for detector in _detectors():
        for found in detector.analyze_line(filename="", line=line):
            return str(found.type)
    return None


@cache
def _detectors() -> list[BasePlugin]:
    """Those of tokens by form."""
    from detect_secrets.plugins.aws import AWSKeyDetector
    from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
    from detect_secrets.plugins.discord import DiscordBotTokenDetector
    from detect_secrets.plugins.github_token import GitHubTokenDetector
    from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
    from detect_secrets.plugins.jwt import JwtTokenDetector
    from detect_secrets.plugins.mailchimp import MailchimpDetector
    from detect_secrets.plugins.npm import NpmDetector
    from detect_secrets.plugins.openai import OpenAIDetector
    from detect_secrets.plugins.pypi_token import PypiTokenDetector
    from detect_secrets.plugins.sendgrid import SendGridDetector
    from detect_secrets.plugins.slack import SlackDetector
    from detect_secrets.plugins.stripe import StripeDetector
    from detect_secrets.plugins.twilio import TwilioKeyDetector

    return [
        *(AWSKeyDetector(), AzureStorageKeyDetector(), DiscordBotTokenDetector()),
        *(GitHubTokenDetector(), GitLabTokenDetector(), JwtTokenDetector(), MailchimpDetector()),
        *(NpmDetector(), OpenAIDetector(), PypiTokenDetector(), SendGridDetector()),
        *(SlackDetector(), StripeDetector(), TwilioKeyDetector()),
    ]
