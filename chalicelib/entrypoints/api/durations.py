"""Says how to write in ISO 8601 what somebody wrote as a duration: "14d", "2 weeks", "P1M"."""

import re

# Days that a year and a month are taken for. ISO 8601 gives them no fixed length.
DAYS = {"year": 365, "month": 30, "week": 7, "day": 1}
LOOSE = ("year", "month")
TIMES = ("hour", "minute", "second")
_WORDS = {
    "year": ("y", "yr", "year"),
    "month": ("mo", "month"),
    "week": ("w", "wk", "week"),
    "day": ("d", "day"),
    "hour": ("h", "hr", "hour"),
    "minute": ("m", "min", "minute"),
    "second": ("s", "sec", "second"),
}
_UNITS = {
    form: unit for unit, words in _WORDS.items() for each in words for form in (each, f"{each}s")
}
_PART = r"(\d{1,6})\s*([A-Za-z]+)"
_CASUAL = re.compile(rf"(?:{_PART}[\s,]*)+", re.ASCII)
_ISO = re.compile(r"P(?P<date>(\d{1,6}[YMWD])*)(T(?P<time>(\d{1,6}[HMS])+))?", re.ASCII)
Parts = list[tuple[int, str]]


def explain_duration(text: str) -> str:
    """Says why a text is no duration, and how to write it; empty if that cannot be guessed."""
    text = text.strip()
    iso = _ISO.fullmatch(text.upper())
    if iso:
        return _explain_iso(iso)
    parts = _read_parts(text, "month") if _CASUAL.fullmatch(text) else []
    if not parts or not all(unit for _, unit in parts):
        return ""
    meant = " ".join(f"{number} {unit}{'s' * (number != 1)}" for number, unit in parts)
    return f'"{text}" is not an ISO 8601 duration. Write {write_duration(parts)} for {meant}.'


def _explain_iso(iso: re.Match[str]) -> str:
    parts = _read_parts(iso["date"], "month") + _read_parts(iso["time"] or "", "minute")
    units = [unit for _, unit in parts]
    loose = [unit for unit in units if unit in LOOSE]
    if loose:
        return f"{iso[0]}: a {loose[0]} has no fixed length. Write {write_duration(parts)}."
    if "week" in units and len(units) > 1:
        return f"{iso[0]}: weeks stand alone in ISO 8601. Write {write_duration(parts)}."
    return ""


def write_duration(parts: Parts) -> str:
    """Writes a duration in ISO 8601: days, hours, minutes and seconds."""
    days = sum(number * DAYS[unit] for number, unit in parts if unit in DAYS)
    totals = ((unit, sum(n for n, each in parts if each == unit)) for unit in TIMES)
    time = "".join(f"{total}{unit[0].upper()}" for unit, total in totals if total)
    date = f"{days}D" if days or not time else ""
    return f"P{date}{f'T{time}' if time else ''}"


def _read_parts(text: str, capital_m: str) -> Parts:
    """Reads numbers and units; the unit is empty if it is unknown.

    A capital M is a month, or a minute behind an hour and in the time of ISO 8601.
    """
    parts: Parts = []
    for number, word in re.findall(_PART, text, re.ASCII):
        is_time = any(unit in TIMES for _, unit in parts)
        month = "minute" if is_time else capital_m
        parts.append((int(number), month if word == "M" else _UNITS.get(word.lower(), "")))
    return parts
