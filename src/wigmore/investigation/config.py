"""config.yaml: complete keys with defaults; an unknown key is an error that names it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from wigmore.llm.endpoint import Endpoint, EndpointError
from wigmore.model.belief import DAMPINGS, LOG_LR
from wigmore.model.yaml_text import read_yaml

MOST_LR = 10  # log10 of a likelihood ratio that no observation has: what lies beyond is a slip


class ConfigError(ValueError):
    """A configuration that cannot be used: names file, key and remedy."""


@dataclass(frozen=True)
class Agent:
    """A model, where one is configured."""

    base_url: str = ""
    api_key: str = ""
    api_key_env: str = "WIGMORE_MODEL_API_KEY"
    model: str = ""
    max_tokens: int = 4096
    reasoning_effort: str = ""
    thinking_enabled: bool = False
    timeout_seconds: float = 300.0
    samples: int = 1  # answers to each decision of the strategist and the hypothesis role
    vision: bool = False  # the model takes pictures
    usd_per_million_in: float | None = None
    usd_per_million_out: float | None = None

    def endpoint(self) -> Endpoint:
        """How the model is reached; raises EndpointError."""
        priced = self.usd_per_million_in is not None and self.usd_per_million_out is not None
        return Endpoint(
            self.base_url,
            self.model,
            self.api_key or os.environ.get(self.api_key_env, ""),
            self.max_tokens,
            self.reasoning_effort,
            self.thinking_enabled,
            self.timeout_seconds,
            (self.usd_per_million_in or 0.0, self.usd_per_million_out or 0.0) if priced else None,
            self.vision,
        )


@dataclass(frozen=True)
class Strategist:
    """The strategist loop."""

    enabled: bool = True
    max_rounds: int = 10
    hard_stop_marginal_yield_zero_rounds: int = 3


@dataclass(frozen=True)
class Budgets:
    """Caps of a run; one left out is unbounded."""

    tool_calls_total: int | None = None
    strategist_rounds_max: int | None = None
    wall_clock_minutes_max: float | None = None
    cost_usd_max: float | None = None
    tokens_total: int | None = None
    lead_tool_calls_max: int | None = None
    lead_minutes_max: float | None = None
    lead_cost_usd_max: float | None = None
    lead_tokens_max: int | None = None
    pictures_max: int | None = None  # shown to models
    picture_bytes_max: int | None = None  # as sent


@dataclass(frozen=True)
class Config:
    """All keys."""

    agent: Agent = field(default_factory=Agent)
    escalation: tuple[Agent, ...] = ()
    tracing_endpoint: str = ""  # where spans are sent (OTLP over HTTP); empty: nowhere
    max_investigation_rounds: int = 5
    strategist: Strategist = field(default_factory=Strategist)
    budgets: Budgets = field(default_factory=Budgets)
    hypothesis_log_lr: dict[str, float] = field(default_factory=dict)
    damping: str = "per_type"
    hypotheses: tuple[dict[str, Any], ...] = ()
    investigation_areas: tuple[dict[str, Any], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The configuration as archived with a run, without any key."""
        from dataclasses import asdict

        out = asdict(self)
        for agent in (out["agent"], *out["escalation"]):
            agent["api_key"] = "(set)" if agent["api_key"] else ""
        return out


def _build(kind: type[Any], values: Any, where: str) -> Any:
    if values is None:
        return kind()
    if not isinstance(values, dict):
        raise ConfigError(f"{where} must be a mapping, not {values!r}")
    known = {f.name for f in fields(kind)}
    if unknown := sorted(set(values) - known):
        raise ConfigError(f"{where}: unknown keys {', '.join(map(str, unknown))}; known: {', '.join(sorted(known))}")
    for entry in fields(kind):
        if entry.name in values:
            values = {**values, entry.name: _typed(str(entry.type), values[entry.name], f"{where}: {entry.name}")}
    return kind(**values)


def _typed(wanted: str, value: Any, where: str) -> Any:
    """A value of the type that a key declares; raises ConfigError naming the key."""
    if value is None:
        if "None" in wanted:
            return None
        raise ConfigError(f"{where} needs a value")
    kind = wanted.split(" ")[0]
    good = {
        "bool": isinstance(value, bool),
        "str": isinstance(value, str),
        "int": isinstance(value, int) and not isinstance(value, bool),
        "float": isinstance(value, (int, float)) and not isinstance(value, bool),
    }[kind]
    words = {"bool": "true or false", "str": "a text", "int": "a whole number", "float": "a number"}[kind]
    if not good:
        raise ConfigError(f"{where} must be {words}, not {value!r}")
    if kind in ("int", "float") and value < 0:
        raise ConfigError(f"{where} cannot be negative")
    return value


def read_config(values: dict[str, Any] | None, where: str = "config.yaml") -> Config:
    """A configuration from YAML values; raises ConfigError."""
    values = dict(values or {})
    known = {f.name for f in fields(Config)}
    if unknown := sorted(set(values) - known):
        raise ConfigError(f"{where}: unknown keys {', '.join(map(str, unknown))}; known: {', '.join(sorted(known))}")
    for name, kind in (("agent", Agent), ("strategist", Strategist), ("budgets", Budgets)):
        values[name] = _build(kind, values.get(name), f"{where}: {name}")
    further = values.get("escalation") or ()
    if not isinstance(further, (list, tuple)):
        raise ConfigError(f"{where}: escalation must be a list of models, each with the keys of `agent`")
    values["escalation"] = tuple(_build(Agent, one, f"{where}: escalation {n}") for n, one in enumerate(further, 1))
    _check_models(values["agent"], values["escalation"], values["budgets"], where)
    table = values.get("hypothesis_log_lr") or {}
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: hypothesis_log_lr must be a mapping of edge types to numbers")
    for edge, weight in table.items():
        if edge not in LOG_LR:
            raise ConfigError(f"{where}: hypothesis_log_lr: unknown edge type {edge!r}; one of {', '.join(LOG_LR)}")
        if not isinstance(weight, (int, float)) or isinstance(weight, bool):
            raise ConfigError(f"{where}: hypothesis_log_lr: {edge} must be a number, not {weight!r}")
        if not 0 <= weight * LOG_LR[edge] < MOST_LR * abs(LOG_LR[edge]):  # the name of an edge says which way it bears
            farthest = MOST_LR if LOG_LR[edge] > 0 else -MOST_LR
            raise ConfigError(f"{where}: hypothesis_log_lr: {edge} must lie between 0 and {farthest}, not {weight!r}")
    values["hypothesis_log_lr"] = {k: float(v) for k, v in table.items()}
    if "tracing_endpoint" in values:
        _typed("str", values["tracing_endpoint"], f"{where}: tracing_endpoint")
    if "max_investigation_rounds" in values:
        _typed("int", values["max_investigation_rounds"], f"{where}: max_investigation_rounds")
    if values.get("damping", "per_type") not in DAMPINGS:
        raise ConfigError(f"{where}: damping is one of {', '.join(DAMPINGS)}, not {values['damping']!r}")
    for name in ("hypotheses", "investigation_areas"):
        values[name] = tuple(values.get(name) or ())
    for entry in values["hypotheses"]:
        if not isinstance(entry, dict) or "title" not in entry:
            raise ConfigError(f"{where}: each of hypotheses needs a title: {entry!r}")
        prior = entry.get("prior_prob", 0.5)
        if not isinstance(prior, (int, float)) or not 0 < prior < 1:
            raise ConfigError(f"{where}: hypotheses: {entry['title']}: prior_prob lies between 0 and 1, not {prior!r}")
    for entry in values["investigation_areas"]:
        if not isinstance(entry, dict) or not entry.get("area"):
            raise ConfigError(f"{where}: each of investigation_areas needs an `area` (its slug): {entry!r}")
    return Config(**values)


def _check_models(agent: Agent, further: tuple[Agent, ...], budgets: Budgets, where: str) -> None:
    """Raises ConfigError for models that cannot be asked as they are configured."""
    if further and not agent.base_url:
        raise ConfigError(f"{where}: escalation names models, but agent.base_url names none to ask first")
    for name, one in (("agent", agent), *((f"escalation {n}", a) for n, a in enumerate(further, 1))):
        if name != "agent" and not one.base_url:
            raise ConfigError(f"{where}: {name} needs a base_url")
        if one.model and not one.base_url:
            raise ConfigError(f"{where}: {name} names the model {one.model!r}, but no base_url where it answers")
        if not one.base_url:
            continue
        try:
            made = one.endpoint()
        except EndpointError as error:
            raise ConfigError(f"{where}: {name}: {error}") from error
        capped = budgets.cost_usd_max is not None or budgets.lead_cost_usd_max is not None
        if capped and made.usd is None and not made.local:
            raise ConfigError(
                f"{where}: a cap on cost needs prices: set {name}.usd_per_million_in and {name}.usd_per_million_out"
            )


def load_config(path: Path | None) -> Config:
    """The configuration of a file, or the defaults where there is none."""
    import yaml

    if path is None:
        return Config()
    try:
        values = read_yaml(path)
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    if values is not None and not isinstance(values, dict):
        raise ConfigError(f"{path}: must be a mapping of keys")
    return read_config(values, str(path))
