"""How the text of an identifier is written before it is compared: what `normalize` of a namespace names.

Each of them is idempotent: what it made stays as it is. None of them fails, whatever the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from contracts.model.definitions import Namespace

Normalizer = Callable[[str], str | None]
"""Gives the text as it is compared; None if it is no value of the kind."""

_UNSEEN = re.compile(
    # Control characters that are no blanks, then Unicode's Default_Ignorable_Code_Point but the joiners, the marks of annotations, the
    # Braille blank.
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff\u2800]"
)
_JOINERS = re.compile("[\u200c\u200d]")
_JOINED = "[\u0600-\u109f\u1780-\u18af\u2190-\u2bff\U00011000-\U00011fff\U0001f000-\U0001faff]"
"""The letters of Arabic, Indic and Mongolian scripts and the pictures that look otherwise with a joiner between them."""
_IDLE_JOINER = re.compile(f"(?<!{_JOINED})[\u200c\u200d]|[\u200c\u200d](?!{_JOINED})")
_BLANK = re.compile(r"\s")
_LETTER_AT_NUMBER = re.compile(r"^\D*[^\W\d_]\d|\d[eE][+-]?\d")
"""``unknown123`` is no phone number, nor is ``4.47912E+11``, which a spreadsheet made of one."""
_EXAMPLE = re.compile(r"\+44(?:7700900|1632960)\d{3}|\+1\d{3}55501\d\d")
"""Numbers that Ofcom and NANPA keep free for examples: nobody has them, and everybody tries things out with them."""
_UP, _DOWN = "1234567890", "9876543210"


def visible(text: str) -> str:
    """The text without characters that nobody sees, every blank an ordinary one and none at the ends, in Unicode NFC."""
    if text.isascii() and text.isprintable():
        return text.strip()
    return unicodedata.normalize("NFC", _BLANK.sub(" ", _IDLE_JOINER.sub("", _UNSEEN.sub("", text)))).strip()


def email(text: str) -> str:
    """Visible, NFKC, then lower case, without blanks and joiners; the full stop of Chinese and Japanese is a dot."""
    text, before = visible(_JOINERS.sub("", text)), None
    if text.isascii():
        return text.lower().replace(" ", "")
    while text != before:
        # A compatibility form may hold a blank, and what was on both sides of it may compose: a second round tells.
        before, text = text, visible(unicodedata.normalize("NFKC", text).lower()).replace(" ", "").replace("。", ".")
    return text


def phone(region: str) -> Normalizer:
    """E.164 of numbers that can exist; of ``region`` where they do not say."""

    import phonenumbers  # noqa: PLC0415 - it is large, and most rules and commands have no telephone numbers

    def normalize(text: str) -> str | None:
        text = visible(text)
        if _LETTER_AT_NUMBER.search(text):
            return None
        try:
            number = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            return None
        written = str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
        if _is_made_up(str(number.national_number)):
            return None
        # Asking for the one region first takes half as long as looking for the number's own.
        valid = phonenumbers.is_valid_number_for_region(number, region) or phonenumbers.is_valid_number(number)
        return written if valid or _EXAMPLE.fullmatch(written) else None

    return normalize


def _is_made_up(national: str) -> bool:
    """Whether it is typed to get past a form: one digit again and again behind the first, or all of them in order."""
    return len(set(national[1:])) == 1 or _UP.startswith(national) or _DOWN.startswith(national)


def normalizer(namespace: Namespace) -> Normalizer:
    """What the namespace's ``normalize`` names."""
    return {"trim": visible, "email": email, "phone": phone(namespace.region)}[namespace.normalize]
