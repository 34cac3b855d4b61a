"""Words that claim more than a record can carry: CI refuses them in text that reaches reports (STYLE.md)."""

from __future__ import annotations

import re

# what the machine has no business saying (HYPOTHESES.md rule 2: never a person, never a motive; UX.md: honest wording)
CLAIMS = re.compile(
    r"\b(prov(e[sdn]?|ing)|certain(ly|ty)?|undoubted\w*|definite(ly)?|guilt\w*|criminals?|crimes?|stole|stolen|steals?|stealing"
    r"|theft|thief|thieves|suspects?|perpetrators?|offenders?|culprits?|hackers?|hacked|intent(ion\w*)?|intends?|knowing(ly)?"
    r"|deliberate(ly)?|on purpose|purposely|wilful\w*|willful\w*|motives?|must have|obvious(ly)?"
    r"|conclusive(ly)?|attackers?|victims?|evil"
    r"|cover(ed|ing|s)? up|fraud\w*|malicious(ly)?|beyond (any |all )?doubt|without (any )?doubt)\b",
    re.IGNORECASE,
)
# words that name a thing, not a claim: a service's own name, the word for what a report must not say
NAMES = re.compile(r"anti-?theft|against theft|find my|sounds? malicious|Malicious Software Removal", re.IGNORECASE)
# in a title, an interpretation or what a parser means: a person's act, or all of anything
MORE = re.compile(
    r"\b(proof|clearly|(?:the )?user (?:viewed|opened|knew|intended|wanted|deleted|typed|searched|visited)"
    r"|always|every(?:thing|one)|no one|nobody"
    r"|all (?:the )?(?:activity|activities|actions|files|messages|events|programs|users|visits|calls))\b",
    re.IGNORECASE,
)


def claims(text: str) -> list[str]:
    """The words that say what no record can carry."""
    return [found.group() for found in CLAIMS.finditer(NAMES.sub("", text))]


def overclaims(text: str) -> list[str]:
    """The words of an observation that claim too much."""
    return claims(text) + [found.group() for found in MORE.finditer(text)]
