"""The library of frames as a whole: its propositions, and that it looks for what speaks against as for what speaks for."""

from __future__ import annotations

import re

import pytest
import yaml

from wigmore.agents.templates import Template, load_templates
from wigmore.records.rules import OWN_RULES, Indicator, load_indicators

FOR = ("direct_evidence", "supports", "consequence_observed")
AGAINST = ("weakens", "contradicts")
OURS = (
    "paper_or_disc", "mail_rules_set", "clock_moved", "content_hidden", "data_overwritten", "anonymity_used", "factory_reset",
    "message_as_shown", "picture_made_here", "content_possessed", "researched_beforehand", "document_backdated",
    "phone_monitored", "number_taken_over", "wallet_controlled", "peer_to_peer_shared",
)  # fmt: skip


@pytest.fixture(scope="module")
def templates() -> dict[str, Template]:
    return load_templates([OWN_RULES])


@pytest.fixture(scope="module")
def indicators() -> dict[str, Indicator]:
    return load_indicators([OWN_RULES])


@pytest.fixture(scope="module")
def propositions() -> set[str]:
    """What the semantics' table says that artifacts may carry: a closed list."""
    table = yaml.safe_load((OWN_RULES / "semantics.yaml").read_text(encoding="utf-8"))
    return {name for entry in table for name in entry["carries"]}


def test_acts_probes_and_bearings_name_propositions_of_the_table(
    templates: dict[str, Template], indicators: dict[str, Indicator], propositions: set[str]
) -> None:
    named = [(t.id, t.act) for t in templates.values() if not getattr(t, "standing", False)]
    named += [(f"{t.id}:{p.id}", p.proposition) for t in templates.values() for p in t.probes]
    named += [(r.id, b.proposition) for r in indicators.values() for b in r.bears_on]
    assert [n for n in named if n[1] not in propositions] == []


@pytest.mark.parametrize("name", OURS)
def test_a_frame_looks_for_what_speaks_against_it_as_for_what_speaks_for_it(
    name: str, templates: dict[str, Template]
) -> None:
    frame = templates[name]
    against = [p for p in frame.probes if p.edge in AGAINST or p.if_empty]
    assert len(against) >= 2, "one alternative alone has a probe"
    assert any(p.decisive and p.edge in FOR for p in frame.probes)
    assert all(p.against for p in frame.probes), "an edge discriminates against an alternative"
    assert {p.against for p in frame.probes if p.edge in AGAINST} <= {a.id for a in frame.alternatives}


def test_over_these_frames_probes_against_are_as_many_as_probes_for(templates: dict[str, Template]) -> None:
    probes = [p for name in OURS for p in templates[name].probes]
    supporting = sum(p.edge in FOR for p in probes)
    assert sum(p.edge in AGAINST for p in probes) >= supporting


@pytest.mark.parametrize("name", OURS)
def test_a_probe_and_its_rule_lay_the_same_edge(
    name: str, templates: dict[str, Template], indicators: dict[str, Indicator]
) -> None:
    """Otherwise one record would carry two edges to one hypothesis."""
    frame = templates[name]
    laid = [(p, b) for p in frame.probes for r in p.rules for b in indicators[r].bears_on if b.template == name]
    assert [(p.id, b) for p, b in laid if (p.edge, p.proposition) != (b.edge, b.proposition)] == []


def test_frames_name_accounts_devices_and_files_and_no_motive(templates: dict[str, Template]) -> None:
    loud = re.compile(
        r"\b(with intent|knowingly|stole|steal|prove[sd]?|guilty|criminal|suspect|to mislead|on purpose)\b", re.I
    )
    texts = [(n, t) for n in OURS for t in (templates[n].title, templates[n].description, templates[n].not_enough)]
    texts += [(n, p.description) for n in OURS for p in templates[n].probes]
    assert [(n, t) for n, t in texts if loud.search(t)] == []
