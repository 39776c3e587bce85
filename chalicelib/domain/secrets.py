"""Masks passwords and tokens in text that people read, such as the title of a finding.

A title repeats what a check has read, and that may be a line with a password. Masked are values
after a name, such as `password=…`, and tokens that are known by their form. A check that is only
about passwords keeps its title. The list is short, and no proof that nothing is left.
"""

import re

MASK = "***"

# Text in lower case without any of these holds nothing to mask. That is nearly every title, and the
# search must be quick: each alternative begins with a letter that is rare in titles.
_END_OF_NAME = r"""(?:["'\\]{0,3}\s?:?[=>]|["'\\]{0,3}:|["'\\]{1,3}\s:)"""
HINTS = re.compile(
    rf"""p(?:ass(?:w(?:or)?d|phrase)?|wd){_END_OF_NAME}
    |c(?:redentials?|(?<=sec)ret){_END_OF_NAME}
    |k(?:(?<=tok)en|ey){_END_OF_NAME}
    |k(?<=ak)ia[a-z0-9]{{16}}|asia[a-z0-9]{{16}}
    |z(?<=authoriz)ation["'\\:=]|bearer\s|://[^\s/:@]{{0,100}}:|--[a-z-]
    |xox|\.(?<=hooks\.)slack|-(?:(?<=glpat-)|(?<=xapp-))|j(?<=eyj)
    |_(?:(?<=gh[oprsu]_)|(?<=github_pat_)|(?<=eis_))""",
    re.VERBOSE | re.ASCII,
)

# What a setting says about passwords is no password.
_NO_SECRETS = frozenset(
    (
        *("", "yes", "no", "true", "false", "on", "off", "enabled", "disabled"),
        *("none", "null", "nil", "required", "optional", "requisite", "sufficient"),
        *("basic", "bearer", "digest", "negotiate"),
    )
)
_SHORT_NUMBER = r"\d{1,3}"

_NAME = r"""(?:passw(?:or)?d|passphrase|(?<![a-z0-9])pass|(?<![a-z])pwd(?![=:]\s?/)
    |secret|token|credentials?
    |(?:access|account|api|auth|encryption|private|secret)[ _-]?key)"""
_SCHEME = r"(?:(?:basic|bearer|digest|negotiate)\s{1,4})?"
# A word before another one.
_PROSE = r"[a-z]+[,.]?\s+[a-z]"
_FLAGS = re.VERBOSE | re.ASCII
_ANY_CASE = _FLAGS | re.IGNORECASE
# Each keeps the text of the group `kind` and masks that of `value`. Their time is linear: what
# repeats without limit matches to its end, or cannot begin again within what it has read.
# They are compiled on first use, by re, as that takes some milliseconds and few processes need it.
_PATTERNS: tuple[tuple[str, int], ...] = (
    # A private key in PEM, whole or cut. A check may look for its first line alone.
    (
        r"""(?P<kind>-----BEGIN\ [A-Z ]{0,40}PRIVATE\ KEY-----)
        (?=(?:\\+[nr]|\s){0,8}[A-Za-z0-9+/=]{8})(?P<value>.+?)(?=-----END|$)""",
        _FLAGS,
    ),
    # Keys of AWS, tokens of GitHub, GitLab, Slack and of this service.
    (
        r"""(?<![A-Za-z0-9])
        (?P<kind>A[KS]IA(?=[A-Z0-9]{16})|(?:gh[oprsu]_|github_pat_|glpat-|eis_)(?=[\w-]{16})
            |xox[a-z]-(?=[\w-]{8})|xapp-(?=[\w-]{8})|hooks\.slack\.com/[a-z]{1,20}/(?=[\w/-]{8}))
        (?P<value>[\w/-]+)""",
        _FLAGS,
    ),
    # A JSON Web Token.
    (r"(?<![\w-])(?P<kind>eyJ)(?P<value>[\w-]{6,}\.[\w-]{2,}(?:\.[\w-]*)?)", _FLAGS),
    # The password in an address.
    (r"(?P<kind>://[^\s/:@]{0,100}:)(?P<value>[^\s/]+)(?=@)", _FLAGS),
    # The header of a request.
    (
        rf"""(?P<kind>authorization(?:["'\\]{{1,3}}\s?)?(?:[:=]>?)\s?["'\\]{{0,3}}{_SCHEME})
        (?P<value>[^\s"'\\]+)""",
        _ANY_CASE,
    ),
    (
        r"""(?P<kind>(?<![a-z])bearer\s{1,4})(?=[^\s"']{0,80}\d)(?P<value>[\w.~+/=-]{16,})""",
        _ANY_CASE,
    ),
    # A name and a value. The title of a control ends with " : ", so a colon follows its name at
    # once, or after a quote. In `/etc/passwd: …` it follows a path.
    (
        rf"""(?P<kind>(?:(?P<path>(?<=\w/))|(?<!\w/)){_NAME}
            (?:["'\\]{{0,3}}\s?(?:=>|:?=)(?![=~])\s?
                |["'\\]{{1,3}}\s?:\s?
                |:(?![:/])(?(path)(?!))(?:\s{{1,2}}(?!{_PROSE}))?
                |>(?=[^\s<][^<]{{0,200}}</))
            {_SCHEME}(?P<quote>\\{{0,2}}["'])?)
        (?P<value>(?(quote)(?:(?!\\{{0,2}}["']).)*|[^\s;&<]*[^\s;&<)\]}}"'.,]))""",
        _ANY_CASE,
    ),
    # An option of a command and its value.
    (
        rf"""(?P<kind>(?<![\w-])--[a-z-]{{0,30}}?{_NAME}\s{{1,4}})
        (?!{_PROSE})(?P<value>[^\s"'-][^\s"']*)""",
        _ANY_CASE,
    ),
)
# A secret key of AWS has no form of its own, so it is known by the key beside it.
_AWS_KEY = r"A[KS]IA[A-Z0-9]{16}"
_BESIDE_AWS_KEY = r"(?<![A-Za-z0-9/+=])(?P<kind>)(?P<value>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"


def mask_secrets(text: str) -> str:
    """Masks every secret that is known by its name or form.

    Works in rounds until nothing changes, so masked text stays as it is by construction.
    """
    has_key = re.search(_AWS_KEY, text)
    patterns = (*_PATTERNS, (_BESIDE_AWS_KEY, _FLAGS)) if has_key else _PATTERNS
    masked, before = text, ""
    while masked != before:
        before = masked
        for pattern, flags in patterns:
            masked = re.sub(pattern, _mask, masked, flags=flags)
    return masked


def _mask(match: re.Match[str]) -> str:
    value = match["value"]
    if value.lower() in _NO_SECRETS or re.fullmatch(_SHORT_NUMBER, value):
        return match[0]
    return match["kind"] + MASK
