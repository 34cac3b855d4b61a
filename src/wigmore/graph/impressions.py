"""What a model says it sees in a picture: marked wherever it is told, and held to what was read there.

Beside hard values, whatever such a text states of writing in the picture (quotations, plates, any word with a digit in it)
must stand in the facts that it cites: in text that OCR read, in metadata, in the file's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from wigmore.graph.hard_values import leaves, normal
from wigmore.graph.proposals import Proposal
from wigmore.model.nouns import VerifiedFact

CATEGORY = "picture (model's impression)"
SAYS = "Model's impression, no fact: "
AFTER = (
    "The model that recorded this had pictures looked at before; what it says beyond the facts may rest on what it was told of "
    "them."
)
QUOTED = re.compile(
    r"\"([^\"]{2,})\"|“([^”]{2,})”|„([^“”]{2,})[“”]|«([^»]{2,})»|(?<!\w)'([^']{2,})'(?!\w)|`([^`]{2,})`"
)
PLATE = re.compile(r"\b[A-Z]{1,3}[- ][A-Z]{1,3}[- ]?\d{1,4}\b")
DIGITS = re.compile(r"[\w.@:/+-]*\d[\w.@:/+-]*")
SHORTEST = 3  # characters of a word with a digit that must have been read: "2 cars" is no reading
_HASH = re.compile(r"[0-9a-fA-F]{32,}")


def about(pictures: set[tuple[str, str]], source_id: str, facts: Iterable[VerifiedFact]) -> bool:
    """Whether facts are of a picture that the model was shown."""
    for fact in facts:
        called = (fact.locator.get("args") or {}).get("path") if fact.locator.get("kind") == "query_result" else ""
        for path in (fact.path, str(called or "").strip("/")):
            if path and (source_id, path.casefold()) in pictures:
                return True
    return False


def unread(text: str, grounds: Iterable[Any]) -> list[str]:
    """What a text says stands in a picture and none of the grounds has; hashes among them ground only a hash."""
    wanted = [next(filter(None, found.groups())) for found in QUOTED.finditer(text)]
    wanted += PLATE.findall(text)
    wanted += [word for word in (w.strip(".:/+-@") for w in DIGITS.findall(text)) if len(word) >= SHORTEST]
    known = [normal(leaf) for ground in grounds for leaf in leaves(ground)]
    plain = [leaf for leaf in known if not _HASH.fullmatch(leaf)]
    return [w for w in wanted if not any(normal(w) in leaf for leaf in (known if _HASH.fullmatch(w) else plain))]


def marked(proposal: Proposal) -> Proposal:
    """A proposal about a picture that a model was shown, as it is recorded: what it says is said to be an impression."""
    return replace(
        proposal,
        category=CATEGORY,
        title=SAYS + proposal.title.removeprefix(SAYS),
        interpretation=SAYS + proposal.interpretation.removeprefix(SAYS),
    )
